package handler

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

type (
	deleting  = wire.AlterUserScramCredentialsRequestScramCredentialDeletion
	upserting = wire.AlterUserScramCredentialsRequestScramCredentialUpsertion
)

// upsert gives a user the password "pencil".
func upsert(name string, mechanism int8, iterations int32) upserting {
	salt := []byte("salt of " + name)
	salted := auth.Scram(mechanism).SaltedPassword("pencil", salt, max(iterations, 1))
	return upserting{Name: name, Mechanism: mechanism, Iterations: iterations, Salt: salt, SaltedPassword: salted}
}

func (w *world) alterUsers(deletions []deleting, upsertions ...upserting) []string {
	w.Helper()
	q := &wire.AlterUserScramCredentialsRequest{Deletions: deletions, Upsertions: upsertions}
	var all []string
	for _, u := range ask[wire.AlterUserScramCredentialsResponse](w, wire.KeyAlterUserScramCredentials, 0, q).Results {
		all = append(all, fmt.Sprintf("%.20s %s %s", u.User, kerr.Code(u.ErrorCode).Name(), text(u.ErrorMessage)))
	}
	return all
}

func TestAlterUserScramCredentials(t *testing.T) {
	w := newWorld(t, Options{})
	const twice = "DUPLICATE_RESOURCE A user credential cannot be altered twice in the same request"
	w.expect("nothing", w.alterUsers(nil))
	w.expect("two users", w.alterUsers(nil, upsert("bob", 2, 16384), upsert("al", 1, 4096)), "bob NONE null", "al NONE null")
	w.expect("another mechanism", w.alterUsers(nil, upsert("bob", 1, 5000)), "bob NONE null")
	w.expect("two mechanisms at once", w.alterUsers(nil, upsert("cy", 1, 4096), upsert("cy", 2, 4096), upsert("cy", 2, 4096)), "cy "+twice)
	w.expect("given and taken", w.alterUsers([]deleting{{Name: "al", Mechanism: 1}}, upsert("al", 2, 4096)), "al "+twice)
	w.expect("taken twice", w.alterUsers([]deleting{{Name: "al", Mechanism: 1}, {Name: "al", Mechanism: 1}}), "al "+twice)
	w.expect("of which nothing was done", w.describeUsers(), "al NONE 1:4096 ", "bob NONE 1:5000 2:16384 ")
	w.expect("taken", w.alterUsers([]deleting{{Name: "bob", Mechanism: 2}}, upsert("al", 1, 6000)), "bob NONE null", "al NONE null")
	w.expect("of which all was done", w.describeUsers(), "al NONE 1:6000 ", "bob NONE 1:5000 ")
}

func TestAlterUserScramCredentialsRefusals(t *testing.T) {
	w := newWorld(t, Options{})
	long := upsert(strings.Repeat("n", state.UserNameBytesMax+1), 1, 4096)
	salty, weak, unsalted := upsert("salty", 1, 4096), upsert("weak", 1, 4096), upsert("unsalted", 1, 4096)
	salty.Salt, weak.SaltedPassword, unsalted.Salt = make([]byte, state.SaltBytesMax+1), nil, nil
	w.expect("upsertions", w.alterUsers(nil, upsert("few", 1, 4095), upsert("many", 2, 16385), upsert("zero", 0, 4096), upsert("three", 3, 4096),
		upsert("", 1, 4096), long, salty, weak, unsalted),
		"few UNACCEPTABLE_CREDENTIAL Too few iterations",
		"many UNACCEPTABLE_CREDENTIAL Too many iterations",
		"zero UNSUPPORTED_SASL_MECHANISM Unknown SCRAM mechanism",
		"three UNSUPPORTED_SASL_MECHANISM Unknown SCRAM mechanism",
		" UNACCEPTABLE_CREDENTIAL Username must not be empty",
		"nnnnnnnnnnnnnnnnnnnn UNACCEPTABLE_CREDENTIAL Username must not be longer than 255 bytes",
		"salty UNACCEPTABLE_CREDENTIAL Salt must not be longer than 255 bytes",
		"weak UNACCEPTABLE_CREDENTIAL Salted password must not be empty",
		"unsalted NONE null")
	const none = "RESOURCE_NOT_FOUND Attempt to delete a user credential that does not exist"
	w.expect("deletions", w.alterUsers([]deleting{{Name: "x", Mechanism: 1}, {Name: "unsalted", Mechanism: 2}, {Name: "", Mechanism: 1}, {Name: "y", Mechanism: 7}, {Name: "x", Mechanism: 1}}),
		"x "+none, "unsalted "+none, " UNACCEPTABLE_CREDENTIAL Username must not be empty", "y UNSUPPORTED_SASL_MECHANISM Unknown SCRAM mechanism")
	w.expect("who there is", w.describeUsers(), "unsalted NONE 1:4096 ")
}

// TestAlterTooManyUsers shows what is said when there is no room for one more.
func TestAlterTooManyUsers(t *testing.T) {
	w := newWorld(t, Options{})
	var all []upserting
	for i := range state.UsersMax + 1 {
		all = append(all, upserting{Name: fmt.Sprint(i), Mechanism: 1, Iterations: 4096, SaltedPassword: []byte("x")})
	}
	got := w.alterUsers(nil, all...)
	w.expect("the last two", got[state.UsersMax-1:], "9999 NONE null", "10000 POLICY_VIOLATION There are 10000 users, which is the most there can be")
}

// TestAlterOnBrokenStorage shows that a credential that was not stored is not said to be.
func TestAlterOnBrokenStorage(t *testing.T) {
	w := newWorld(t, Options{})
	w.journal.err.Store(&errBroken)
	w.expect("broken", w.alterUsers(nil, upsert("al", 1, 4096)), "al KAFKA_STORAGE_ERROR null")
	w.expect("who there is", w.describeUsers())
}

// TestPasswordsAreNotKept shows that of a salted password the state has the two keys and nothing else, and that they are
// those by which the password lets its user in.
func TestPasswordsAreNotKept(t *testing.T) {
	w := newWorld(t, Options{})
	in := upsert("al", 2, 4096)
	w.alterUsers(nil, in)
	stored, server := auth.ScramSHA512.Keys(in.SaltedPassword)
	w.engine.View(func(s *state.State) {
		c, _ := s.Credential("al", 2)
		if !bytes.Equal(c.Salt, in.Salt) || !bytes.Equal(c.StoredKey, stored) || !bytes.Equal(c.ServerKey, server) {
			t.Errorf("%+v", c)
		}
		if bytes.Contains(s.AppendSnapshot(nil), in.SaltedPassword) {
			t.Error("the salted password is kept")
		}
	})
}
