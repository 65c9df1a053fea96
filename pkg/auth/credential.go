package auth

import (
	"cmp"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"math/big"
)

// Scram is a SCRAM mechanism (RFC 5802, RFC 7677), by Kafka's number of it (KIP-554).
type Scram int8

// The mechanisms there are.
const (
	ScramSHA256 Scram = 1
	ScramSHA512 Scram = 2
)

// IterationsDefault is how often a password is hashed unless somebody says otherwise; as with Kafka's tools.
const IterationsDefault = 4096

// saltBits is how random a salt is.
const saltBits = 130

// Credential is what a server keeps of a user's password for one mechanism. The slices are not to be changed.
type Credential struct {
	Salt       []byte
	StoredKey  []byte
	ServerKey  []byte
	Iterations int32
}

// ScramNamed returns the mechanism with a name such as SCRAM-SHA-256.
func ScramNamed(name string) (m Scram, ok bool) {
	for _, m := range []Scram{ScramSHA256, ScramSHA512} {
		if m.String() == name {
			return m, true
		}
	}
	return 0, false
}

func (m Scram) String() string {
	switch m {
	case ScramSHA256:
		return "SCRAM-SHA-256"
	case ScramSHA512:
		return "SCRAM-SHA-512"
	}
	return fmt.Sprintf("SCRAM mechanism %d", int8(m))
}

// Known says whether m is one of the mechanisms there are.
func (m Scram) Known() bool { return m == ScramSHA256 || m == ScramSHA512 }

// hash returns a new hash of a known mechanism.
func (m Scram) hash() hash.Hash {
	if m == ScramSHA512 {
		return sha512.New()
	}
	return sha256.New()
}

func (m Scram) sum(b []byte) []byte {
	h := m.hash()
	h.Write(b)
	return h.Sum(nil)
}

func (m Scram) mac(key []byte, message string) []byte {
	h := hmac.New(m.hash, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// SaltedPassword hashes a password, which takes time on purpose; m is known and iterations is positive. The password's bytes
// are taken as they are, as Kafka takes them. Whoever has the result can come in: it is as secret as the password.
func (m Scram) SaltedPassword(password string, salt []byte, iterations int32) []byte {
	b, err := pbkdf2.Key(m.hash, password, salt, int(iterations), m.hash().Size())
	if err != nil {
		panic("BUG: these are no parameters for PBKDF2: " + err.Error())
	}
	return b
}

// Keys are what a server keeps of a salted password, by a known mechanism: enough to check a proof, and to prove that the
// server knows it, but not enough to come in.
func (m Scram) Keys(saltedPassword []byte) (storedKey, serverKey []byte) {
	return m.sum(m.mac(saltedPassword, "Client Key")), m.mac(saltedPassword, "Server Key")
}

// NewSalt returns a random salt. It looks like those of Kafka's own tools, 25 or 26 digits and letters, and so do those
// that users have who do not exist.
func NewSalt() []byte {
	var random [sha256.Size]byte
	rand.Read(random[:])
	return saltOf(random[:])
}

// saltOf makes at least saltBits random bits a salt.
func saltOf(random []byte) []byte {
	n := new(big.Int).SetBytes(random)
	n.And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), saltBits), big.NewInt(1)))
	return []byte(n.Text(36))
}

// scramUsers knows the users of SCRAM.
type scramUsers struct {
	lookup     func(name string, m Scram) (Credential, bool)
	iterations func(m Scram, draw uint32) int32
	secret     []byte
}

// of returns a user's credential. Of a user who does not exist it returns one that looks like it and whose stored key nobody
// has the proof of.
func (u *scramUsers) of(name string, m Scram) (c Credential, known bool) {
	made := u.make(name, m)
	if c, known = u.lookup(name, m); known {
		return c, true
	}
	return made, false
}

// make makes up a credential, always the same for one name. Its iterations are drawn by the name from those of real
// users. When those change so much that the name draws another count, the salt changes too, as after a change of
// password.
func (u *scramUsers) make(name string, m Scram) Credential {
	who := m.String() + "\x00" + name
	iterations := int32(0)
	if u.iterations != nil {
		iterations = u.iterations(m, binary.BigEndian.Uint32(m.mac(u.secret, who)))
	}
	iterations = cmp.Or(iterations, IterationsDefault)
	key := m.mac(u.secret, fmt.Sprintf("%s\x00%d", who, iterations))
	return Credential{Salt: saltOf(key), StoredKey: m.mac(u.secret, string(key)), ServerKey: key, Iterations: iterations}
}
