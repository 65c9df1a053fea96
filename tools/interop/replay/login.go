package replay

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"regexp"
	"strconv"
	"strings"
)

// login is a SCRAM login under way (RFC 5802). Its last message proves that the client knows the password, and the proof is
// about what the server made up, so that the recorded one is worth nothing today.
type login struct {
	first     []byte // client's, without what says about channels
	challenge []byte // server's
}

// gs2 is what the client's first message begins with: it binds the login to no channel.
const gs2 = "n,,"

// token makes a recorded token of the client one to this server.
func (l *link) token(recorded []byte) ([]byte, error) {
	switch {
	case !strings.HasPrefix(l.mechanism, "SCRAM-"):
		return recorded, nil
	case l.login == nil:
		l.login = &login{first: bytes.TrimPrefix(recorded, []byte(gs2))}
		return recorded, nil
	}
	proven, err := l.login.proof(l.mechanism, Password)
	l.login = nil
	return proven, err
}

// challenged keeps what the server answers a client's first token.
func (l *link) challenged(token []byte) {
	if l.login != nil && l.login.challenge == nil {
		l.login.challenge = bytes.Clone(token)
	}
}

// proof is the client's last message.
func (l *login) proof(mechanism, password string) ([]byte, error) {
	digest := func() hash.Hash { return sha256.New() }
	if mechanism == "SCRAM-SHA-512" {
		digest = func() hash.Hash { return sha512.New() }
	}
	said := attributes(l.challenge)
	salt, err := base64.StdEncoding.DecodeString(said["s"])
	if err != nil {
		return nil, fmt.Errorf("the salt in %q: %w", l.challenge, err)
	}
	iterations, err := strconv.Atoi(said["i"])
	if err != nil {
		return nil, fmt.Errorf("the iterations in %q: %w", l.challenge, err)
	}
	salted, err := pbkdf2.Key(digest, password, salt, iterations, digest().Size())
	if err != nil {
		return nil, err
	}
	last := "c=" + base64.StdEncoding.EncodeToString([]byte(gs2)) + ",r=" + said["r"]
	key := sum(digest, salted, "Client Key")
	stored := digest()
	stored.Write(key)
	signature := sum(digest, stored.Sum(nil), string(l.first)+","+string(l.challenge)+","+last)
	for i := range key {
		key[i] ^= signature[i]
	}
	return []byte(last + ",p=" + base64.StdEncoding.EncodeToString(key)), nil
}

func sum(digest func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(digest, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// attributes are those of a SCRAM message, by their letters.
func attributes(message []byte) map[string]string {
	all := map[string]string{}
	for a := range strings.SplitSeq(string(message), ",") {
		name, value, _ := strings.Cut(a, "=")
		all[name] = value
	}
	return all
}

// madeUp are the attributes that are different in every login: nonce, salt and what proves something.
var madeUp = regexp.MustCompile(`\b([rsv])=[^,]+`)

// withoutMadeUp is a server's token without them.
func withoutMadeUp(token []byte) []byte { return madeUp.ReplaceAll(token, []byte("$1=…")) }
