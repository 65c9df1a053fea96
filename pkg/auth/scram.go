package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// scramTokenBytesMax is the size of the largest SCRAM token that is looked at: most of the first is kept until the second.
const scramTokenBytesMax = 4 << 10

// scramExchange is the server's side of one SCRAM conversation (RFC 5802), two tokens each way:
//
//	client-first   n,,n=<name>,r=<client's nonce>
//	server-first   r=<both nonces>,s=<salt>,i=<iterations>
//	client-final   c=biws,r=<both nonces>,p=<proof>
//	server-final   v=<server's signature>
//
// A name that nobody has is answered like any other, with a salt of its own that is always the same, and refused like a wrong
// password: it takes as long, and reads the same. (Kafka refuses it at once.) Names are compared as bytes: like Kafka, and
// like most clients, we leave out the normalisation of Unicode (SASLprep).
type scramExchange struct {
	users     *scramUsers
	mechanism Scram
	during    string // what is refused: "authentication" or "re-authentication"

	client      clientFirst
	serverFirst string // empty before it was sent
	nonce       string // both
	credential  Credential
	known       bool // the credential is a user's
}

func (x *scramExchange) user() string { return x.client.name }

func (x *scramExchange) step(token []byte) (answer []byte, done bool, refusal *Refusal) {
	if len(token) > scramTokenBytesMax {
		return nil, false, x.refused(resultMalformed)
	}
	if x.serverFirst == "" {
		answer, refusal = x.begin(string(token))
		return answer, false, refusal
	}
	answer, refusal = x.finish(string(token))
	return answer, refusal == nil, refusal
}

// refused is what the client is told of whatever was wrong; Kafka says no more either.
func (x *scramExchange) refused(result string) *Refusal {
	message := fmt.Sprintf("Authentication failed during %s due to invalid credentials with SASL mechanism %s", x.during, x.mechanism)
	return &Refusal{Code: kerr.SaslAuthenticationFailed, Message: message, result: result}
}

// begin takes client-first and returns server-first.
func (x *scramExchange) begin(token string) ([]byte, *Refusal) {
	client, ok := parseClientFirst(token)
	switch {
	case !ok:
		return nil, x.refused(resultMalformed)
	case client.identity != "" && client.identity != client.name:
		return nil, errOtherID
	case client.tokenAuth: // a delegation token (KIP-48), and there are none
		return nil, x.refused(resultRefused)
	}
	x.client = client
	x.credential, x.known = x.users.of(client.name, x.mechanism)
	x.nonce = client.nonce + rand.Text()
	x.serverFirst = fmt.Sprintf("r=%s,s=%s,i=%d", x.nonce, base64.StdEncoding.EncodeToString(x.credential.Salt), x.credential.Iterations)
	return []byte(x.serverFirst), nil
}

// finish takes client-final and returns server-final.
func (x *scramExchange) finish(token string) ([]byte, *Refusal) {
	final, ok := parseClientFinal(token)
	if !ok {
		return nil, x.refused(resultMalformed)
	}
	if final.nonce != x.nonce { // Kafka once took a nonce that only ended right (CVE-2024-56128)
		refusal := x.refused(resultRefused)
		refusal.hint = "the nonce is not the one agreed on: librdkafka before 2.6.1 gets it wrong"
		return nil, refusal
	}
	if final.binding != x.client.header || !x.proves(&final) {
		return nil, x.refused(resultRefused)
	}
	signature := x.mechanism.mac(x.credential.ServerKey, x.message(&final))
	return []byte("v=" + base64.StdEncoding.EncodeToString(signature)), nil
}

// message is what both sides sign.
func (x *scramExchange) message(final *clientFinal) string {
	return x.client.bare + "," + x.serverFirst + "," + final.withoutProof
}

// proves checks a proof: the client key, hidden by a signature that takes the stored key to make.
func (x *scramExchange) proves(final *clientFinal) bool {
	clientKey := x.mechanism.mac(x.credential.StoredKey, x.message(final))
	if len(final.proof) != len(clientKey) {
		return false
	}
	subtle.XORBytes(clientKey, clientKey, final.proof)
	right := subtle.ConstantTimeCompare(x.mechanism.sum(clientKey), x.credential.StoredKey) == 1
	return right && x.known
}

// clientFirst is a client's first message.
type clientFirst struct {
	header    string // up to and with the second comma
	bare      string // the rest, as it came
	identity  string // to act as; may be empty
	name      string
	nonce     string
	tokenAuth bool // the name is that of a delegation token
}

// parseClientFirst reads a client's first message. A client that wants its channel bound (p=) is refused; one that would
// have done so if we offered it (y) is not.
func parseClientFirst(token string) (c clientFirst, ok bool) {
	fields := strings.Split(token, ",")
	if !printable(token) || len(fields) < 4 || fields[0] != "n" && fields[0] != "y" {
		return c, false
	}
	c.header = fields[0] + "," + fields[1] + ","
	c.bare = token[len(c.header):]
	if fields[1] != "" {
		if c.identity, ok = saslName(fields[1], "a="); !ok {
			return c, false
		}
	}
	if c.name, ok = saslName(fields[2], "n="); !ok {
		return c, false
	}
	if c.nonce, ok = strings.CutPrefix(fields[3], "r="); !ok || c.nonce == "" {
		return c, false
	}
	for _, extension := range fields[4:] {
		if !attribute(extension) {
			return c, false
		}
		c.tokenAuth = c.tokenAuth || strings.EqualFold(extension, "tokenauth=true")
	}
	return c, true
}

// clientFinal is a client's second message.
type clientFinal struct {
	binding      string // what the client takes for its first message's header
	nonce        string
	withoutProof string
	proof        []byte
}

func parseClientFinal(token string) (c clientFinal, ok bool) {
	at := strings.LastIndex(token, ",p=")
	if at < 0 || !printable(token) {
		return c, false
	}
	c.withoutProof = token[:at]
	fields := strings.Split(c.withoutProof, ",")
	if len(fields) < 2 {
		return c, false
	}
	binding, bound := strings.CutPrefix(fields[0], "c=")
	header, err := base64.StdEncoding.DecodeString(binding)
	nonce, given := strings.CutPrefix(fields[1], "r=")
	proof, wrong := base64.StdEncoding.DecodeString(token[at+len(",p="):])
	if !bound || !given || err != nil || wrong != nil {
		return c, false
	}
	for _, extension := range fields[2:] {
		if !attribute(extension) {
			return c, false
		}
	}
	c.binding, c.nonce, c.proof = string(header), nonce, proof
	return c, true
}

// printable says whether a message is UTF-8 without NUL.
func printable(token string) bool { return utf8.ValidString(token) && !strings.ContainsRune(token, 0) }

// mandatory is the extension whose presence must be refused by whoever does not know what it asks for, which is everybody.
const mandatory = "m="

// attribute says whether a field is an extension that may be ignored: letters, an equals sign, something.
func attribute(field string) bool {
	name, value, ok := strings.Cut(field, "=")
	notLetter := func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
	return ok && name != "" && value != "" && !strings.ContainsFunc(name, notLetter) && !strings.HasPrefix(field, mandatory)
}

// saslName reads a name, in which =2C is a comma and =3D an equals sign, and no other equals sign can be.
func saslName(field, prefix string) (string, bool) {
	escaped, ok := strings.CutPrefix(field, prefix)
	rest := strings.NewReplacer("=2C", "", "=3D", "").Replace(escaped)
	if !ok || escaped == "" || strings.Contains(rest, "=") {
		return "", false
	}
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(escaped), true
}
