package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// How much work a server may ask of a client. One that asks for less than RFC 7677 allows may be after a proof from which the
// password is quickly guessed; Kafka's clients have the same least.
const (
	clientIterationsMin = 4096
	clientIterationsMax = 1 << 20
)

// ScramClient is the client's side of one SCRAM conversation: First goes out, its answer to Final, what that returns goes
// out, and its answer to Verify. Whoever skips Verify does not know whom they talk to.
type ScramClient struct {
	mechanism Scram
	password  string
	bare      string // client-first without its header
	nonce     string
	signature []byte // that only a server can make which knows the user
}

// noBinding begins client-first: no channel binding, no other identity to act as.
const noBinding = "n,,"

// Client begins a conversation as a user.
func (m Scram) Client(name, password string) *ScramClient {
	nonce := rand.Text()
	escaped := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name)
	return &ScramClient{mechanism: m, password: password, nonce: nonce, bare: "n=" + escaped + ",r=" + nonce}
}

// First returns client-first.
func (c *ScramClient) First() []byte { return []byte(noBinding + c.bare) }

// Final takes server-first and returns client-final.
func (c *ScramClient) Final(serverFirst []byte) ([]byte, error) {
	nonce, salt, iterations, err := parseServerFirst(string(serverFirst))
	if err == nil && !strings.HasPrefix(nonce, c.nonce) {
		err = errors.New("its nonce is not an answer to ours")
	}
	if err != nil {
		return nil, fmt.Errorf("read the server's first %s message: %w", c.mechanism, err)
	}
	salted := c.mechanism.SaltedPassword(c.password, salt, iterations)
	stored, server := c.mechanism.Keys(salted)
	final := "c=" + base64.StdEncoding.EncodeToString([]byte(noBinding)) + ",r=" + nonce
	message := c.bare + "," + string(serverFirst) + "," + final
	c.signature = c.mechanism.mac(server, message)
	proof := c.mechanism.mac(salted, "Client Key")
	subtle.XORBytes(proof, proof, c.mechanism.mac(stored, message))
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// Verify takes server-final, and says whether the server has proved that it knows the user.
func (c *ScramClient) Verify(serverFinal []byte) error {
	encoded, ok := strings.CutPrefix(string(serverFinal), "v=")
	signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || c.signature == nil || subtle.ConstantTimeCompare(signature, c.signature) != 1 {
		return fmt.Errorf("the server has not proved by %s that it knows the user", c.mechanism)
	}
	return nil
}

// parseServerFirst reads a server's first message. What follows the three fields is ignored if it may be.
func parseServerFirst(message string) (nonce string, salt []byte, iterations int32, err error) {
	fields := strings.Split(message, ",")
	if len(fields) < 3 {
		return "", nil, 0, errors.New("it has fewer than three fields")
	}
	nonce, hasNonce := strings.CutPrefix(fields[0], "r=")
	encoded, hasSalt := strings.CutPrefix(fields[1], "s=")
	count, hasCount := strings.CutPrefix(fields[2], "i=")
	salt, badSalt := base64.StdEncoding.DecodeString(encoded)
	n, badCount := strconv.ParseInt(count, 10, 32)
	switch {
	case !hasNonce || !hasSalt || !hasCount || badSalt != nil || badCount != nil:
		return "", nil, 0, errors.New("it is not of the form r=, s=, i=")
	case slices.ContainsFunc(fields[3:], func(field string) bool { return !attribute(field) }):
		return "", nil, 0, errors.New("it has extensions that cannot be ignored")
	case n < clientIterationsMin || n > clientIterationsMax:
		return "", nil, 0, fmt.Errorf("it asks for %d iterations", n)
	}
	return nonce, salt, int32(n), nil
}
