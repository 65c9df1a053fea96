package auth

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// These tests show that SCRAM does what its standards' examples do, who is let in by it, what is refused and in which
// words, which are those of real brokers of 3.9.2 and 4.3.1 except where a test says so, and that nobody learns who
// exists.

// made is the credential of a password.
func made(m Scram, password string) Credential {
	salt := NewSalt()
	stored, server := m.Keys(m.SaltedPassword(password, salt, IterationsDefault))
	return Credential{salt, stored, server, IterationsDefault}
}

// scramAuthenticator lets two users in by either mechanism, and one more by PLAIN.
func scramAuthenticator(lifetime time.Duration) *Authenticator {
	users := map[string]Credential{}
	for _, m := range []Scram{ScramSHA256, ScramSHA512} {
		users["user"+m.String()] = made(m, "pencil")
		users["a,b=c"+m.String()] = made(m, "pencil")
	}
	return New(Options{
		Mechanisms: MechanismNames(), Username: "user", Password: "pencil", Secret: []byte("secret"), SessionLifetime: lifetime, Metrics: metrics.New(""),
		Users: func(name string, m Scram) (Credential, bool) { c, ok := users[name+m.String()]; return c, ok },
	})
}

// TestScramStandard replays the example of RFC 7677, from both sides.
func TestScramStandard(t *testing.T) {
	const (
		first       = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
		nonce       = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
		serverFirst = "r=" + nonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
		final       = "c=biws,r=" + nonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
		serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
	)
	salt, _ := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	stored, server := ScramSHA256.Keys(ScramSHA256.SaltedPassword("pencil", salt, 4096))
	parsed, ok := parseClientFirst(first)
	x := &scramExchange{mechanism: ScramSHA256, client: parsed, nonce: nonce, serverFirst: serverFirst, credential: Credential{salt, stored, server, 4096}, known: true}
	if answer, done, refusal := x.step([]byte(final)); !ok || string(answer) != serverFinal || !done || refusal != nil {
		t.Errorf("the server says %q, %v, %v", answer, done, refusal)
	}
	c := &ScramClient{mechanism: ScramSHA256, password: "pencil", bare: strings.TrimPrefix(first, noBinding), nonce: "rOprNGfwEbeRWgbNEkqO"}
	if got, err := c.Final([]byte(serverFirst)); string(got) != final || err != nil {
		t.Errorf("the client says %q, %v", got, err)
	}
	if err := c.Verify([]byte(serverFinal)); err != nil {
		t.Error(err)
	}
}

// talk is a conversation of our own client with a session.
func talk(s *Session, m Scram, name, password string) error {
	c := m.Client(name, password)
	first, err := s.Step(c.First())
	if err != nil {
		return err
	}
	final, err := c.Final(first)
	if err != nil {
		return err
	}
	signature, err := s.Step(final)
	if err != nil {
		return err
	}
	return c.Verify(signature)
}

// chosen is a session that waits for the first token of a mechanism.
func chosen(t *testing.T, a *Authenticator, mechanism string) *Session {
	t.Helper()
	s := a.Session(home)
	if err := s.Handshake(mechanism, false); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestScram shows who is let in, and that a wrong password and a wrong name read the same.
func TestScram(t *testing.T) {
	a := scramAuthenticator(0)
	f := func(m Scram, name, password string, in bool) {
		t.Helper()
		s := chosen(t, a, m.String())
		err := talk(s, m, name, password)
		if in != (err == nil) || s.Authenticated() != in || in != (s.User() == name) {
			t.Errorf("%s: %q: %v, user %q", m, name, err, s.User())
		}
		if want := "Authentication failed during authentication due to invalid credentials with SASL mechanism " + m.String(); !in && (err.Error() != want || kerr.Of(err) != kerr.SaslAuthenticationFailed) {
			t.Errorf("%s: %q: %v", m, name, err)
		}
	}
	for _, m := range []Scram{ScramSHA256, ScramSHA512} {
		f(m, "user", "pencil", true)
		f(m, "a,b=c", "pencil", true)
		f(m, "user", "pencils", false)
		f(m, "user", "", false)
		f(m, "nobody", "pencil", false)
		f(m, "User", "pencil", false)
		if in, out := a.metrics.Authentications(m.String(), resultAccepted).Get(), a.metrics.Authentications(m.String(), resultRefused).Get(); in != 2 || out != 4 {
			t.Errorf("%s: %d are counted as accepted, %d as refused", m, in, out)
		}
	}
}

// TestScramTokens shows what a first and a second token may be. Kafka differs in that it refuses "y" and names beyond
// ASCII, and lets a binding pass that is not the one of the first token.
func TestScramTokens(t *testing.T) {
	a := scramAuthenticator(0)
	f := func(first string, change func(final string) string, want string) {
		t.Helper()
		s := chosen(t, a, "SCRAM-SHA-256")
		c := ScramSHA256.Client("user", "pencil")
		got := "in"
		serverFirst, err := s.Step([]byte(first))
		if err != nil {
			got = "first"
		} else {
			header, bare := first[:2], first[2:]
			identity, bare, _ := strings.Cut(bare, ",")
			c.bare, c.nonce = bare, "abc"
			final := c.finalFor(t, header+identity+",", serverFirst)
			if change != nil {
				final = change(final)
			}
			if _, err = s.Step([]byte(final)); err != nil {
				got = "final"
			}
		}
		if got != want || s.Authenticated() != (want == "in") {
			t.Errorf("%.50q: %s: %v, want %s", first, got, err, want)
		}
	}
	const first = "n,,n=user,r=abc"
	replace := func(old, with string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, with, 1) }
	}
	f(first, nil, "in")
	f("y,,n=user,r=abc", nil, "in")
	f("n,a=user,n=user,r=abc", nil, "in")
	f("n,,n=user,r=abc,x=y,z=0", nil, "in")
	f("n,,n=user,r=abc,tokenauth=false", nil, "in")
	f("n,,n=user,r=abc,tokenauth=true", nil, "first")
	f("n,,n=user,r=abc,m=x", nil, "first")
	f("n,,n=user,r=abc,x=y,m=x", nil, "first")
	f("n,,n=user,r=abc,x", nil, "first")
	f("n,,n=user,r=abc,1=y", nil, "first")
	f("n,a=other,n=user,r=abc", nil, "first")
	f("n,other,n=user,r=abc", nil, "first")
	f("p=tls-unique,,n=user,r=abc", nil, "first")
	f("x,,n=user,r=abc", nil, "first")
	f("n,,m=x,n=user,r=abc", nil, "first")
	f("n,,n=us=er,r=abc", nil, "first")
	f("n,,n=us=2cer,r=abc", nil, "first")
	f("n,,n=,r=abc", nil, "first")
	f("n,,n=user,r=", nil, "first")
	f("n,,n=user", nil, "first")
	f("n,,n=user,x=abc", nil, "first")
	f("n,,user,r=abc", nil, "first")
	f("", nil, "first")
	f(",,,", nil, "first")
	f("n,,n=us\x00er,r=abc", nil, "first")
	f("n,,n=us\xffer,r=abc", nil, "first")
	f("n,,n=user,r="+strings.Repeat("a", scramTokenBytesMax), nil, "first")
	f(first, replace("r=abc", "r=abd"), "final")
	f(first, replace("c=biws", "c=eSws"), "final")
	f(first, replace("c=biws", "c=*"), "final")
	f(first, replace("c=biws", "biws"), "final")
	f(first, replace(",p=", ",x=y,p="), "final")
	f(first, replace(",p=", ",x,p="), "final")
	f(first, replace(",p=", ",q="), "final")
	f(first, replace(",p=", ",p=AAAA"), "final")
	f(first, replace(",r=", ",s="), "final")
	f(first, func(s string) string { return s[:strings.Index(s, ",p=")+len(",p=")] }, "final")
	f(first, func(s string) string { return s + strings.Repeat("A", scramTokenBytesMax) }, "final")
	f(first, func(string) string { return "" }, "final")
	f(first, func(string) string { return ",p=" }, "final")
}

// finalFor is Final for a first message that begins with this header.
func (c *ScramClient) finalFor(t *testing.T, header string, serverFirst []byte) string {
	t.Helper()
	final, err := c.Final(serverFirst)
	if err != nil {
		t.Fatal(err)
	}
	if header == noBinding {
		return string(final)
	}
	nonce, salt, iterations, _ := parseServerFirst(string(serverFirst))
	salted := c.mechanism.SaltedPassword(c.password, salt, iterations)
	stored, _ := c.mechanism.Keys(salted)
	without := "c=" + base64.StdEncoding.EncodeToString([]byte(header)) + ",r=" + nonce
	proof := c.mechanism.mac(salted, "Client Key")
	for i, b := range c.mechanism.mac(stored, c.bare+","+string(serverFirst)+","+without) {
		proof[i] ^= b
	}
	return without + ",p=" + base64.StdEncoding.EncodeToString(proof)
}

// TestDoubledNonce shows that a client which puts its nonce in twice, as librdkafka once did, is refused as with a wrong
// password, and that the log says why.
func TestDoubledNonce(t *testing.T) {
	s := chosen(t, scramAuthenticator(0), "SCRAM-SHA-256")
	c := ScramSHA256.Client("user", "pencil")
	c.bare, c.nonce = "n=user,r=abc", "abc"
	serverFirst, err := s.Step([]byte("n,," + c.bare))
	if err != nil {
		t.Fatal(err)
	}
	final := strings.Replace(c.finalFor(t, "n,,", serverFirst), "r=abc", "r=abcabc", 1)
	if _, err := s.Step([]byte(final)); err == nil || strings.Contains(err.Error(), "nonce") {
		t.Errorf("the client is told %v", err)
	}
	if err := s.Failure(); err == nil || !strings.Contains(err.Error(), "librdkafka before 2.6.1") {
		t.Errorf("the log is told %v", err)
	}
}

// TestNobodyLearnsWhoExists shows that a name that nobody has is answered as a name that somebody has: with a salt of its
// own that stays the same, also over a restart, and looks like a real one.
func TestNobodyLearnsWhoExists(t *testing.T) {
	answer := func(secret, name string, m Scram) string {
		a := New(Options{Mechanisms: MechanismNames(), Secret: []byte(secret), Metrics: metrics.New(""), Users: func(string, Scram) (Credential, bool) { return Credential{}, false }})
		s := chosen(t, a, m.String())
		first, err := s.Step([]byte("n,,n=" + name + ",r=abc"))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(first), ",")
		return rest
	}
	seen := map[string]string{}
	for _, secret := range []string{"secret", "other"} {
		for _, name := range []string{"al", "bo"} {
			for _, m := range []Scram{ScramSHA256, ScramSHA512} {
				got := answer(secret, name, m)
				if again := answer(secret, name, m); again != got {
					t.Errorf("%s, %s, %s: once %s, then %s", secret, name, m, got, again)
				}
				who := fmt.Sprint(secret, name, m)
				if other := seen[got]; other != "" {
					t.Errorf("%s and %s have one salt, %s", who, other, got)
				}
				seen[got] = who
				_, salt, iterations, err := parseServerFirst("r=x," + got)
				if err != nil || !looksLikeSalt(salt) || iterations != IterationsDefault {
					t.Errorf("%s: %s: salt %q", who, got, salt)
				}
			}
		}
	}
	for range 20 {
		if salt := NewSalt(); !looksLikeSalt(salt) {
			t.Errorf("a real salt is %q", salt)
		}
	}
}

// TestNobodyLearnsWhoExistsByIterations shows that users who do not exist have the iterations that users have; that the
// same name has the same answer while its draw is the same, and looks like somebody with a new password when it is not.
func TestNobodyLearnsWhoExistsByIterations(t *testing.T) {
	split := uint32(1 << 31) // draws below it are for more iterations
	users := scramUsers{secret: []byte("secret"), lookup: func(string, Scram) (Credential, bool) { return Credential{}, false }}
	users.iterations = func(_ Scram, draw uint32) int32 {
		if draw < split {
			return 8192
		}
		return 4096
	}
	many := map[int32]int{}
	before := map[string]Credential{}
	for i := range 1000 {
		name := fmt.Sprint("user", i)
		c, _ := users.of(name, ScramSHA256)
		again, known := users.of(name, ScramSHA256)
		if known || !bytes.Equal(c.Salt, again.Salt) || c.Iterations != again.Iterations {
			t.Fatalf("%s: %+v, then %+v, known %v", name, c, again, known)
		}
		many[c.Iterations]++
		before[name] = c
	}
	if many[8192] < 400 || many[4096] < 400 {
		t.Errorf("1000 names draw %v", many)
	}
	split += 1 << 29
	changed := 0
	for name, old := range before {
		c, _ := users.of(name, ScramSHA256)
		if bytes.Equal(c.Salt, old.Salt) != (c.Iterations == old.Iterations) {
			t.Errorf("%s: %+v, and before %+v", name, c, old)
		}
		if c.Iterations != old.Iterations {
			changed++
		}
	}
	if changed < 60 || changed > 190 {
		t.Errorf("%d of 1000 names draw others when an eighth of the draws do", changed)
	}
	users.iterations = func(Scram, uint32) int32 { return 0 }
	if c, _ := users.of("nobody", ScramSHA256); c.Iterations != IterationsDefault {
		t.Errorf("without users: %d iterations", c.Iterations)
	}
}

func looksLikeSalt(salt []byte) bool {
	odd := bytes.TrimLeft(salt, "0123456789abcdefghijklmnopqrstuvwxyz")
	return len(odd) == 0 && len(salt) >= 20 && len(salt) <= 26
}

// TestNobodyKnowsThePasswordOfNobody shows that a user who does not exist is not let in even by who knows the secret, which
// makes the stored key that the proof is checked against.
func TestNobodyKnowsThePasswordOfNobody(t *testing.T) {
	password := made(ScramSHA256, "pencil")
	x := &scramExchange{mechanism: ScramSHA256, during: "authentication", users: &scramUsers{lookup: func(string, Scram) (Credential, bool) { return password, false }}}
	c := ScramSHA256.Client("user", "pencil")
	first, _, _ := x.step(c.First())
	x.credential = password // as if the made one had that password
	c.bare = x.client.bare
	x.serverFirst = strings.Replace(string(first), base64Of(first), base64.StdEncoding.EncodeToString(password.Salt), 1)
	final, err := c.Final([]byte(x.serverFirst))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, refusal := x.step(final); refusal == nil {
		t.Error("somebody who does not exist is let in")
	}
	x.known = true
	if _, _, refusal := x.step(final); refusal != nil {
		t.Errorf("the broken twin, who exists, is refused: %v", refusal)
	}
}

// base64Of is the salt in a server's first message.
func base64Of(first []byte) string {
	_, rest, _ := strings.Cut(string(first), ",s=")
	salt, _, _ := strings.Cut(rest, ",")
	return salt
}

// TestClientMistrusts shows that our client believes no server that does not know the user, nor one that asks for too much.
func TestClientMistrusts(t *testing.T) {
	first := func(message string) error {
		c := &ScramClient{mechanism: ScramSHA256, password: "pencil", bare: "n=user,r=abc", nonce: "abc"}
		_, err := c.Final([]byte(message))
		return err
	}
	f := func(message string, ok bool) {
		t.Helper()
		if err := first(message); (err == nil) != ok {
			t.Errorf("%q: %v", message, err)
		}
	}
	f("r=abcd,s=c2FsdA==,i=4096", true)
	f("r=abcd,s=c2FsdA==,i=4096,x=y", true)
	f("r=abcd,s=c2FsdA==,i=1048576", true)
	f("m=x,r=abcd,s=c2FsdA==,i=4096", false)
	f("r=abcd,s=c2FsdA==,i=4096,m=x", false)
	f("r=abcd,s=c2FsdA==,i=4095", false)
	f("r=abcd,s=c2FsdA==,i=1", false)
	f("r=xabc,s=c2FsdA==,i=4096", false)
	f("r=abcd,s=*,i=4096", false)
	f("r=abcd,s=c2FsdA==,i=0", false)
	f("r=abcd,s=c2FsdA==,i=1048577", false)
	f("r=abcd,s=c2FsdA==,i=99999999999", false)
	f("r=abcd,s=c2FsdA==", false)
	f("", false)
	s := chosen(t, scramAuthenticator(0), "SCRAM-SHA-512")
	c := ScramSHA512.Client("user", "pencil")
	if err := c.Verify([]byte("v=")); err == nil {
		t.Error("an empty signature is believed before anything was said")
	}
	serverFirst, _ := s.Step(c.First())
	final, _ := c.Final(serverFirst)
	serverFinal, err := s.Step(final)
	if err != nil || c.Verify(serverFinal) != nil {
		t.Errorf("%v, %v", err, c.Verify(serverFinal))
	}
	for i := range serverFinal {
		forged := bytes.Clone(serverFinal)
		forged[i] ^= 4
		if c.Verify(forged) == nil {
			t.Errorf("%q is believed instead of %q", forged, serverFinal)
		}
	}
}

// TestScramNames shows that mechanisms have their names and their numbers.
func TestScramNames(t *testing.T) {
	for i, name := range MechanismNames() {
		m, ok := ScramNamed(name)
		if ok != (i > 0) || ok && (m.String() != name || int(m) != i || !m.Known()) {
			t.Errorf("%s: %v, %v", name, m, ok)
		}
	}
	if Scram(0).Known() || Scram(3).Known() {
		t.Error("there are more mechanisms")
	}
}

// TestRenewal shows, in time that does not pass, when a session may be renewed and what of it is refused (KIP-368).
func TestRenewal(t *testing.T) {
	const lifetime = 10 * time.Second
	token := []byte("\x00user\x00pencil")
	in := func(t *testing.T, lifetime time.Duration) *Session {
		s := chosen(t, scramAuthenticator(lifetime), Plain)
		if _, err := s.Step(token); err != nil || s.Lifetime() != lifetime || s.Expired(time.Now()) {
			t.Fatalf("%v, lifetime %v, expired %v", err, s.Lifetime(), s.Expired(time.Now()))
		}
		return s
	}
	synctest.Test(t, func(t *testing.T) {
		s := in(t, lifetime)
		for i, wait := range []time.Duration{0, 0, lifetime - renewalWait, lifetime - renewalWait + 1} { // a second passes in between
			time.Sleep(wait)
			if expired := s.Expired(time.Now()); expired != (wait > lifetime-renewalWait) {
				t.Errorf("after %v: expired %v", wait, expired)
			}
			if err := s.Handshake(Plain, false); err != nil || s.Authenticated() || !s.Begun() || s.User() != "user" {
				t.Fatalf("renewal %d: %v, %+v", i, err, s)
			}
			if _, err := s.Step(token); err != nil || !s.Authenticated() || s.Expired(time.Now()) {
				t.Errorf("renewal %d: %v, %+v", i, err, s)
			}
			time.Sleep(renewalWait - 1)
			if err := s.Handshake(Plain, false); kerr.Of(err) != kerr.IllegalSaslState || !s.Authenticated() {
				t.Errorf("a renewal within a second: %v, %+v", err, s)
			}
			time.Sleep(1)
		}
		for0 := in(t, 0)
		time.Sleep(1000 * lifetime)
		if err := for0.Handshake(Plain, false); kerr.Of(err) != kerr.IllegalSaslState || !for0.Authenticated() || for0.Expired(time.Now()) {
			t.Errorf("a renewal of a session for ever: %v, %+v", err, for0)
		}
	})
	refused := func(what string, handshake string, first []byte, code kerr.Code, message string) {
		t.Helper()
		s := in(t, lifetime)
		err := s.Handshake(handshake, false)
		if err == nil {
			_, err = s.Step(first)
		}
		if kerr.Of(err) != code || err.Error() != message || s.Failure() == nil || s.Authenticated() || s.Lifetime() != 0 {
			t.Errorf("%s: %v, %+v", what, err, s)
		}
	}
	refused("a wrong password", Plain, []byte("\x00user\x00wrong"), kerr.SaslAuthenticationFailed, "Authentication failed: Invalid username or password")
	refused("another mechanism", "SCRAM-SHA-256", []byte("n,,n=user,r=abc"), kerr.SaslAuthenticationFailed, "SASL mechanism requested by client is not supported for re-authentication")
	refused("no mechanism", "GSSAPI", nil, kerr.UnsupportedSaslMechanism, errMechanism.Message)
}

// TestRenewalBySomebodyElse shows that a session stays its user's, and in which words SCRAM refuses during a renewal.
func TestRenewalBySomebodyElse(t *testing.T) {
	renewed := func(name, password string) (*Session, error) {
		s := chosen(t, scramAuthenticator(time.Hour), "SCRAM-SHA-256")
		if err := talk(s, ScramSHA256, "user", "pencil"); err != nil {
			t.Fatal(err)
		}
		if err := s.Handshake("SCRAM-SHA-256", true); err != nil || !s.Raw() {
			t.Fatal(err)
		}
		return s, talk(s, ScramSHA256, name, password)
	}
	f := func(name, password, want string) {
		t.Helper()
		s, err := renewed(name, password)
		if fmt.Sprint(err) != want || s.Authenticated() != (want == "<nil>") || s.User() != "user" {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
	}
	f("user", "pencil", "<nil>")
	f("a,b=c", "pencil", "Cannot change principals during re-authentication from User.user: User.a,b=c")
	f("user", "wrong", "Authentication failed during re-authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256")
}

// FuzzScram shows that no tokens make the server panic, or let anybody in.
func FuzzScram(f *testing.F) {
	f.Add("n,,n=user,r=abc", "c=biws,r=abc,p=AAAA")
	f.Add("y,a=u,n=u=2C=3D,r=a,x=y", ",p=")
	a := scramAuthenticator(0)
	f.Fuzz(func(t *testing.T, first, final string) {
		s := a.Session(home)
		s.Handshake("SCRAM-SHA-256", false)
		s.Step([]byte(first))
		s.Step([]byte(final))
		if s.Authenticated() {
			t.Errorf("%q and %q let somebody in", first, final)
		}
	})
}
