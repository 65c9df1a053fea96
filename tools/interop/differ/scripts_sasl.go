package differ

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Who every server lets in by PLAIN, and by SCRAM once a conversation has made the user.
const (
	plainUser     = "capture"
	plainPassword = "capture-secret"
	scramPassword = "the password"

	handshakeVersion     = 1
	authenticateVersion  = 1
	scramIterations      = 4096
	listGroupsVersion    = 1
	alterUsersVersion    = 0
	describeUsersVersion = 0
)

// plainToken is a token of PLAIN (RFC 4616).
func plainToken(as, user, password string) string { return as + "\x00" + user + "\x00" + password }

// in records whether the client is let in, by asking for what only those may who are.
func (c *Conversation) in(step string) { c.AskAt(step, listGroupsVersion, &wire.ListGroupsRequest{}) }

// handshake is a recorded handshake.
func (c *Conversation) handshake(step string, version int16, mechanism string) {
	c.AskAt(step, version, &wire.SaslHandshakeRequest{Mechanism: mechanism})
}

var saslHandshakeScripts = []Script{
	{Name: "mechanisms", Key: wire.KeySaslHandshake, SASL: true, Hold: func(c *Conversation) {
		for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "plain", ""} {
			c.AsStranger(mechanism)
			c.handshake(fmt.Sprintf("%q", mechanism), c.Version, mechanism)
			c.in(fmt.Sprintf("%q, and then a request", mechanism))
		}
	}},
	{Name: "twice", Key: wire.KeySaslHandshake, SASL: true, Hold: func(c *Conversation) {
		c.AsStranger("a")
		c.handshake("once", c.Version, "PLAIN")
		c.handshake("twice", c.Version, "PLAIN")
		c.AsStranger("b")
		c.handshake("unknown", c.Version, "GSSAPI")
		c.handshake("unknown, and then another", c.Version, "PLAIN")
	}},
	{Name: "before and after ApiVersions", Key: wire.KeySaslHandshake, SASL: true, Hold: func(c *Conversation) {
		c.AsStranger("a")
		c.Whether("versions before", 3, &wire.ApiVersionsRequest{ClientSoftwareName: "differ", ClientSoftwareVersion: "1.0"})
		c.Whether("versions before, again", 0, &wire.ApiVersionsRequest{})
		c.handshake("handshake", c.Version, "PLAIN")
		c.Whether("versions after", 0, &wire.ApiVersionsRequest{})
	}},
	{Name: "nobody is asked", Key: wire.KeySaslHandshake, Hold: func(c *Conversation) {
		c.handshake("PLAIN", c.Version, "PLAIN")
		c.handshake("unknown", c.Version, "GSSAPI")
		c.AskAt("a token", authenticateVersion, &wire.SaslAuthenticateRequest{AuthBytes: []byte(plainToken("", plainUser, plainPassword))})
		c.in("still in")
	}},
	{Name: "raw tokens", Key: wire.KeySaslHandshake, Until: 1, SASL: true, Hold: func(c *Conversation) {
		c.AsStranger("good")
		c.handshake("handshake", 0, "PLAIN")
		c.Token("the token", plainToken("", plainUser, plainPassword))
		c.in("in")
		c.AsStranger("wrong")
		c.handshake("handshake of another", 0, "PLAIN")
		c.Token("a wrong password", plainToken("", plainUser, "wrong"))
		c.AsStranger("framed")
		c.handshake("handshake of one more", 0, "PLAIN")
		c.AskAt("a token in a request", 0, &wire.SaslAuthenticateRequest{AuthBytes: []byte(plainToken("", plainUser, plainPassword))})
	}},
}

var saslAuthenticateScripts = []Script{
	{Name: "PLAIN", Key: wire.KeySaslAuthenticate, SASL: true, Hold: func(c *Conversation) {
		for _, s := range []struct{ what, token string }{
			{"good", plainToken("", plainUser, plainPassword)},
			{"as itself", plainToken(plainUser, plainUser, plainPassword)},
			{"as another", plainToken("another", plainUser, plainPassword)},
			{"a wrong password", plainToken("", plainUser, "wrong")},
			{"an unknown user", plainToken("", "nobody", plainPassword)},
			{"no user", plainToken("", "", plainPassword)},
			{"no password", plainToken("", plainUser, "")},
			{"nothing", ""},
			{"too few parts", plainUser + "\x00" + plainPassword},
			{"too many parts", plainToken("", plainUser, plainPassword) + "\x00"},
		} {
			c.AsStranger(s.what)
			c.handshake(s.what+", handshake", handshakeVersion, "PLAIN")
			c.Ask(s.what, &wire.SaslAuthenticateRequest{AuthBytes: []byte(s.token)})
			c.in(s.what + ", and then a request")
		}
	}},
	{Name: "at the wrong time", Key: wire.KeySaslAuthenticate, SASL: true, Hold: func(c *Conversation) {
		token := &wire.SaslAuthenticateRequest{AuthBytes: []byte(plainToken("", plainUser, plainPassword))}
		c.AsStranger("a")
		c.Ask("before the handshake", token)
		c.AsStranger("b")
		c.in("a request before")
		c.AsStranger("c")
		c.handshake("handshake", handshakeVersion, "PLAIN")
		c.in("a request in between")
		c.AsStranger("d")
		c.handshake("another handshake", handshakeVersion, "PLAIN")
		c.Ask("good", token)
		c.Ask("once more", token)
		c.in("still in")
	}},
	{Name: "once more", Key: wire.KeySaslAuthenticate, From: 1, SASL: true, Hold: func(c *Conversation) {
		token := &wire.SaslAuthenticateRequest{AuthBytes: []byte(plainToken("", plainUser, plainPassword))}
		enter := func(client string) {
			c.AsStranger(client)
			c.handshake(client+" shakes hands", handshakeVersion, "PLAIN")
			c.Ask(client+" is let in", token)
		}
		enter("a")
		c.handshake("again", handshakeVersion, "PLAIN")
		c.Ask("the same", token)
		c.in("in again")
		c.handshake("at once again", handshakeVersion, "PLAIN")
		enter("b")
		c.handshake("by another mechanism", handshakeVersion, "SCRAM-SHA-256")
		enter("c")
		c.handshake("again, to be wrong", handshakeVersion, "PLAIN")
		c.Ask("a wrong password", &wire.SaslAuthenticateRequest{AuthBytes: []byte(plainToken("", plainUser, "wrong"))})
		enter("d")
		c.handshake("by a mechanism there is not", handshakeVersion, "GSSAPI")
		enter("e")
		c.handshake("again, to ask", handshakeVersion, "PLAIN")
		c.in("a request in between")
	}},
}

// scramScripts are about SaslAuthenticate as well, with users of their own.
var scramScripts = []Script{
	scramScript("SCRAM-SHA-256", scram256),
	scramScript("SCRAM-SHA-512", scram512),
}

// Kafka's numbers of the mechanisms.
const (
	scram256 int8 = 1
	scram512 int8 = 2
)

func scramScript(mechanism string, number int8) Script {
	return Script{Name: mechanism, Key: wire.KeySaslAuthenticate, SASL: true, Hold: func(c *Conversation) {
		user := c.Group("user")
		c.NewUser(user, number)
		token := func(step string, token []byte) []byte {
			r, ok := c.Ask(step, &wire.SaslAuthenticateRequest{AuthBytes: token}).(*wire.SaslAuthenticateResponse)
			if !ok {
				return nil
			}
			return r.AuthBytes
		}
		talk := func(what, user, password string, spoil func([]byte) []byte) {
			c.AsStranger(what)
			c.handshake(what+", handshake", handshakeVersion, mechanism)
			session, first := scramClient(number, user, password)
			if _, final, err := session.Challenge(token(what, first)); err == nil {
				token(what+", the proof", spoil(final))
			}
			c.in(what + ", and then a request")
		}
		talk("good", user, scramPassword, asIs)
		talk("a wrong password", user, "wrong", asIs)
		talk("an unknown user", c.Group("nobody"), scramPassword, asIs)
		talk("a nonce of another", user, scramPassword, func(b []byte) []byte { return append([]byte("c=biws,r=other"), b[len("c=biws,r="):]...) })
		talk("no proof", user, scramPassword, func(b []byte) []byte { return b[:20] })
		for _, s := range []struct{ what, first string }{
			{"garbage", "garbage"}, {"as another", "n,a=another,n=" + user + ",r=abc"}, {"as itself", "n,a=" + user + ",n=" + user + ",r=abc"},
			{"bound to a channel", "p=tls-unique,,n=" + user + ",r=abc"}, {"no nonce", "n,,n=" + user},
		} {
			c.AsStranger(s.what)
			c.handshake(s.what+", handshake", handshakeVersion, mechanism)
			token(s.what, []byte(s.first))
		}
	}}
}

// scramClient begins the client's side of SCRAM.
func scramClient(mechanism int8, user, password string) (sasl.Session, []byte) {
	a := scram.Auth{User: user, Pass: password}
	m := a.AsSha256Mechanism()
	if mechanism == scram512 {
		m = a.AsSha512Mechanism()
	}
	session, first, err := m.Authenticate(context.Background(), "")
	if err != nil {
		panic(fmt.Sprintf("BUG: SCRAM as %q: %v", user, err))
	}
	return session, first
}

// upserting gives a user a credential.
func upserting(user string, mechanism int8, iterations int32) upsertion {
	salt := []byte("a salt of the differ")
	return upsertion{Name: user, Mechanism: mechanism, Iterations: iterations, Salt: salt, SaltedPassword: salted(mechanism, salt, iterations)}
}

// salted is what a server is told of the password (RFC 5802).
func salted(mechanism int8, salt []byte, iterations int32) []byte {
	var h func() hash.Hash = sha256.New
	if mechanism == scram512 {
		h = sha512.New
	}
	key, err := pbkdf2.Key(h, scramPassword, salt, int(iterations), h().Size())
	if err != nil {
		panic(fmt.Sprintf("BUG: salt a password: %v", err))
	}
	return key
}

// NewUser makes a user, and waits until the server knows of it.
func (c *Conversation) NewUser(name string, mechanism int8) {
	q := &alterUsers{Upsertions: []upsertion{upserting(name, mechanism, scramIterations)}}
	for _, r := range call[*wire.AlterUserScramCredentialsResponse](c, alterUsersVersion, q).Results {
		c.must("make user "+name, r.ErrorCode)
	}
	c.awaitUser(name, kerr.None)
}

// awaitUser waits until a description of a user has a code.
func (c *Conversation) awaitUser(name string, code kerr.Code) {
	q := &wire.DescribeUserScramCredentialsRequest{Users: []wire.DescribeUserScramCredentialsRequestUserName{{Name: name}}}
	c.await("user "+name, func() bool {
		r := call[*wire.DescribeUserScramCredentialsResponse](c, describeUsersVersion, q)
		return len(r.Results) == 1 && kerr.Code(r.Results[0].ErrorCode) == code
	})
}
