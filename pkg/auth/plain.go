package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// plainUser is who may come in by PLAIN. Of name and password the hashes are compared: they are of one length, so that the
// time it takes says nothing about how much of a guess was right.
type plainUser struct {
	name                   string
	nameHash, passwordHash [sha256.Size]byte
}

func newPlainUser(name, password string) plainUser {
	return plainUser{name: name, nameHash: sha256.Sum256([]byte(name)), passwordHash: sha256.Sum256([]byte(password))}
}

// What PLAIN refuses, in Kafka's words. A wrong name reads like a wrong password.
var (
	errNoName      = failed("username not specified", resultMalformed)
	errNoPassword  = failed("password not specified", resultMalformed)
	errCredentials = failed("Invalid username or password", resultRefused)
	errOtherID     = failed("Client requested an authorization id that is different from username", resultRefused)
	errTooLong     = failed("SASL/PLAIN response is too long", resultMalformed)
)

func failed(why, result string) *Refusal {
	return &Refusal{Code: kerr.SaslAuthenticationFailed, Message: "Authentication failed: " + why, result: result}
}

// plainExchange is a run of PLAIN: one token.
type plainExchange struct{ only *plainUser }

func (x *plainExchange) user() string { return x.only.name }

func (x *plainExchange) step(token []byte) (answer []byte, done bool, refusal *Refusal) {
	refusal = x.only.verify(token)
	return nil, refusal == nil, refusal
}

// verify takes a PLAIN token, whose three parts a NUL divides: the identity to act as, which may be empty, the name and the
// password. It says why that is refused, if it is.
func (u *plainUser) verify(token []byte) *Refusal {
	if len(token) > tokenBytesMax {
		return errTooLong
	}
	parts := bytes.Split(token, []byte{0})
	if len(parts) != 3 {
		message := fmt.Sprintf("Invalid SASL/PLAIN response: expected 3 tokens, got %d", len(parts))
		return &Refusal{Code: kerr.SaslAuthenticationFailed, Message: message, result: resultMalformed}
	}
	identity, given, password := parts[0], parts[1], parts[2]
	switch {
	case len(given) == 0:
		return errNoName
	case len(password) == 0:
		return errNoPassword
	case !u.is(given, password):
		return errCredentials
	case len(identity) > 0 && string(identity) != u.name:
		return errOtherID
	}
	return nil
}

// is compares both, always.
func (u *plainUser) is(name, password []byte) bool {
	nameHash, passwordHash := sha256.Sum256(name), sha256.Sum256(password)
	return subtle.ConstantTimeCompare(nameHash[:], u.nameHash[:])&subtle.ConstantTimeCompare(passwordHash[:], u.passwordHash[:]) == 1
}
