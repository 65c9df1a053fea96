package state

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// These tests show that users come with their first credential and go with their last, that a credential takes the place of
// the one of its mechanism and of no other, what is refused, and that neither a clone nor a reader sees a change.

// credential is an acceptable one whose keys are all b.
func credential(mechanism int8, b byte) Credential {
	key := bytes.Repeat([]byte{b}, keyBytes[mechanism])
	return Credential{mechanism, IterationsMin, []byte{b}, key, key}
}

// users says who there is, with each credential's mechanism and first byte.
func (f *fold) users() string {
	var all []string
	for u := range f.state.Users() {
		text := u.Name
		for _, c := range u.Credentials {
			text += fmt.Sprintf(" %d%c", c.Mechanism, c.StoredKey[0])
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func TestUsers(t *testing.T) {
	f := newFold(t)
	step := func(c Command, code kerr.Code, want string) {
		t.Helper()
		if r := f.do(c); r.Code != code || f.users() != want {
			t.Errorf("%+v: %v, users %q, want %v and %q", c, r.Code, f.users(), code, want)
		}
	}
	step(UpsertCredential{"bob", credential(ScramSHA512, 'a')}, kerr.None, "bob 2a")
	step(UpsertCredential{"bob", credential(ScramSHA256, 'b')}, kerr.None, "bob 1b 2a")
	before := f.state.Clone()
	step(UpsertCredential{"al", credential(ScramSHA256, 'c')}, kerr.None, "al 1c, bob 1b 2a")
	step(UpsertCredential{"bob", credential(ScramSHA512, 'd')}, kerr.None, "al 1c, bob 1b 2d")
	step(DeleteCredential{"al", ScramSHA512}, kerr.ResourceNotFound, "al 1c, bob 1b 2d")
	step(DeleteCredential{"nobody", ScramSHA256}, kerr.ResourceNotFound, "al 1c, bob 1b 2d")
	step(DeleteCredential{"bob", ScramSHA256}, kerr.None, "al 1c, bob 2d")
	step(DeleteCredential{"bob", ScramSHA512}, kerr.None, "al 1c")
	if got := (&fold{state: before}).users(); got != "bob 1b 2a" {
		t.Errorf("a clone has changed: %q", got)
	}
	if u, ok := before.User("bob"); !ok || len(u.Credentials) != 2 || before.UserCount() != 1 {
		t.Errorf("%+v, %v, %d users", u, ok, before.UserCount())
	}
	if c, ok := before.Credential("bob", ScramSHA256); !ok || c.StoredKey[0] != 'b' {
		t.Errorf("%+v, %v", c, ok)
	}
}

func TestCredentialsBeyondTheLimits(t *testing.T) {
	f := func(change func(*UpsertCredential), want kerr.Code) {
		t.Helper()
		c := UpsertCredential{"u", credential(ScramSHA256, 'a')}
		change(&c)
		fold := newFold(t)
		if r := fold.do(c); r.Code != want || (fold.state.UserCount() == 1) != (want == kerr.None) {
			t.Errorf("%+v: %v, %d users", c, r.Code, fold.state.UserCount())
		}
	}
	f(func(c *UpsertCredential) {}, kerr.None)
	f(func(c *UpsertCredential) { c.Salt = nil }, kerr.None)
	f(func(c *UpsertCredential) { c.Salt = make([]byte, SaltBytesMax) }, kerr.None)
	f(func(c *UpsertCredential) { c.Salt = make([]byte, SaltBytesMax+1) }, kerr.UnacceptableCredential)
	f(func(c *UpsertCredential) { c.User = strings.Repeat("u", UserNameBytesMax) }, kerr.None)
	f(func(c *UpsertCredential) { c.User = strings.Repeat("u", UserNameBytesMax+1) }, kerr.UnacceptableCredential)
	f(func(c *UpsertCredential) { c.User = "" }, kerr.UnacceptableCredential)
	f(func(c *UpsertCredential) { c.Iterations = IterationsMax }, kerr.None)
	f(func(c *UpsertCredential) { c.Iterations = IterationsMax + 1 }, kerr.UnacceptableCredential)
	f(func(c *UpsertCredential) { c.Iterations = IterationsMin - 1 }, kerr.UnacceptableCredential)
	f(func(c *UpsertCredential) { c.StoredKey = c.StoredKey[1:] }, kerr.UnacceptableCredential)
	f(func(c *UpsertCredential) { c.ServerKey = append(c.ServerKey, 0) }, kerr.UnacceptableCredential)
	f(func(c *UpsertCredential) { c.Mechanism = 0 }, kerr.UnsupportedSaslMechanism)
	f(func(c *UpsertCredential) { c.Mechanism = 3 }, kerr.UnsupportedSaslMechanism)
}

// TestTooManyUsers shows that the last user there is room for is the last, and that those there are can still be changed.
func TestTooManyUsers(t *testing.T) {
	f := newFold(t)
	var entry []byte
	for i := range UsersMax {
		entry = AppendCommand(entry, UpsertCredential{fmt.Sprint(i), credential(ScramSHA256, 'a')})
	}
	f.entry(entry)
	if r := f.do(UpsertCredential{"one more", credential(ScramSHA256, 'a')}); r.Code != kerr.PolicyViolation || f.state.UserCount() != UsersMax {
		t.Errorf("%v, %d users", r.Code, f.state.UserCount())
	}
	if r := f.do(UpsertCredential{"0", credential(ScramSHA512, 'a')}); r.Code != kerr.None {
		t.Errorf("a second credential: %v", r.Code)
	}
}

// TestIterations shows that a draw has the counts of iterations that users have, each as often, whatever became of the users, and
// that few draws change when a user comes.
func TestIterations(t *testing.T) {
	f := newFold(t)
	give := func(user string, mechanism int8, iterations int32) {
		t.Helper()
		c := credential(mechanism, 'a')
		c.Iterations = iterations
		if r := f.do(UpsertCredential{user, c}); r.Code != kerr.None {
			t.Fatal(r.Code)
		}
	}
	const draws = 64
	drawn := func(s *State) (all []int32) {
		for i := range uint32(draws) {
			all = append(all, s.Iterations(ScramSHA256, i<<26))
		}
		return all
	}
	step := func(low, high int) {
		t.Helper()
		want := append(slices.Repeat([]int32{4096}, low), slices.Repeat([]int32{8192}, high)...)
		want = append(want, slices.Repeat([]int32{0}, draws-low-high)...)
		restored, err := Restore(f.state.AppendSnapshot(nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*State{f.state, f.state.Clone(), restored} {
			if got := drawn(s); !slices.Equal(got, want) {
				t.Errorf("drawn are %v, want %v", got, want)
			}
		}
	}
	step(0, 0)
	give("al", ScramSHA512, 16384)
	step(0, 0)
	give("al", ScramSHA256, 8192)
	step(0, 64)
	give("bo", ScramSHA256, 4096)
	step(32, 32)
	give("cy", ScramSHA256, 8192)
	give("di", ScramSHA256, 8192)
	step(16, 48)
	give("di", ScramSHA256, 4096)
	step(32, 32)
	before := f.state.Clone()
	f.do(DeleteCredential{"al", ScramSHA256})
	f.do(DeleteCredential{"cy", ScramSHA256})
	step(64, 0)
	if got := before.Iterations(ScramSHA256, 1<<31); got != 8192 {
		t.Errorf("a clone draws %d", got)
	}
}

func TestSecretIsGivenOnce(t *testing.T) {
	f := newFold(t)
	for _, secret := range []string{"first", "second"} {
		f.do(CreateSecret{[]byte(secret)})
		if got := string(f.state.Secret()); got != "first" {
			t.Errorf("the secret is %q", got)
		}
	}
}

// randomUserEntry is an entry with one command that users have to do with.
func randomUserEntry(rng *rand.Rand) []byte {
	name, mechanism := fmt.Sprint("user-", rng.IntN(3)), int8(rng.IntN(4))
	switch rng.IntN(4) {
	case 0:
		return AppendCommand(nil, DeleteCredential{name, mechanism})
	case 1:
		return AppendCommand(nil, CreateSecret{[]byte(name)})
	}
	return AppendCommand(nil, UpsertCredential{name, credential(mechanism, byte('a'+rng.IntN(20)))})
}

func TestUserCommandsCutShortAreNoticed(t *testing.T) {
	f := newFold(t)
	for _, c := range []Command{UpsertCredential{"u", credential(ScramSHA256, 'a')}, DeleteCredential{"u", ScramSHA256}, CreateSecret{[]byte("abc")}} {
		whole := AppendCommand(nil, c)
		for n := commandHeaderBytes; n < len(whole); n++ {
			cut := append([]byte{0, 0, 0, byte(n - 4)}, whole[4:n]...)
			if _, err := f.state.Clone().Apply(f.state.Next(), cut, nil); err == nil {
				t.Errorf("%T cut to %d of %d bytes was applied", c, n, len(whole))
			}
		}
	}
}
