package auth

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"
)

// Certificate returns the session of a client that has proved who it is by this certificate, which the listener has verified:
// its user is the certificate's subject, as Kafka's DefaultKafkaPrincipalBuilder names it.
func Certificate(c *x509.Certificate) *Session {
	return &Session{state: stateAuthenticated, user: distinguishedName(c.RawSubject)}
}

// namePart is one part of a distinguished name, such as CN=app. Sets of them make up the name.
type namePart struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

type namePartSET []namePart // encoding/asn1 goes by the ending of this name

// keywords are the attributes that RFC 2253 names. Every other one is written by its number, as Java does.
var keywords = map[string]string{
	"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU",
	"0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC",
}

// textTags are the kinds of ASN.1 strings that are written as text. Those of wide characters are not: Java writes their
// bytes as if they were UTF-8, by which a certificate for other characters would have the name of somebody else.
var textTags = []int{asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagT61String, asn1.TagIA5String, asn1.TagGeneralString}

// distinguishedName writes a subject as RFC 2253 has it, the most specific part first, in the spelling of Java's
// X500Principal: that is what access rules written for Kafka say. (pkix.Name differs in what it names and escapes.)
func distinguishedName(subject []byte) string {
	var sets []namePartSET
	if rest, err := asn1.Unmarshal(subject, &sets); err != nil || len(rest) > 0 {
		return ""
	}
	parts := make([]string, 0, len(sets))
	for _, set := range slices.Backward(sets) {
		pairs := make([]string, 0, len(set))
		for _, a := range set {
			pairs = append(pairs, a.String())
		}
		parts = append(parts, strings.Join(pairs, "+"))
	}
	return strings.Join(parts, ",")
}

func (a *namePart) String() string {
	name, named := keywords[a.Type.String()]
	if !named {
		name = a.Type.String()
	}
	if !named || !slices.Contains(textTags, a.Value.Tag) || !utf8.Valid(a.Value.Bytes) {
		return name + "=#" + hex.EncodeToString(a.Value.FullBytes)
	}
	return name + "=" + escaped(string(a.Value.Bytes))
}

// escaped writes a value so that it cannot be taken for more than one.
func escaped(value string) string {
	inner := strings.Trim(value, " \r")
	lead := len(value) - len(strings.TrimLeft(value, " \r"))
	var b strings.Builder
	for i, r := range value {
		switch {
		case r == 0:
			b.WriteString(`\00`)
			continue
		case strings.ContainsRune(`,=+<>#;"\`, r), i < lead, i >= lead+len(inner):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
