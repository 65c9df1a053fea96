package auth

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"testing"
)

// TestCertificateNames shows that a certificate's holder is named as Java, and so Kafka, names it. What is wanted here
// was said by Java's X500Principal.getName about certificates made by openssl with these subjects; but for strings of
// wide characters, whose bytes Java takes for UTF-8, so that other characters can spell somebody's name.
func TestCertificateNames(t *testing.T) {
	f := func(want string, sets ...pkix.RelativeDistinguishedNameSET) {
		t.Helper()
		subject, err := asn1.Marshal(pkix.RDNSequence(sets))
		if err != nil {
			t.Fatal(err)
		}
		s := Certificate(&x509.Certificate{RawSubject: subject})
		if s.User() != want || !s.Authenticated() || s.Failure() != nil {
			t.Errorf("got  %s\nwant %s", s.User(), want)
		}
	}
	f(`CN=app one,OU=x+OU=y,O=Acme\, Inc.,C=DE`, pair(2, 5, 4, 6)("DE"), pair(2, 5, 4, 10)("Acme, Inc."),
		append(pair(2, 5, 4, 11)("x"), pair(2, 5, 4, 11)("y")...), pair(2, 5, 4, 3)("app one"))
	f(`CN=\ lead\#trail\ ,1.2.840.113549.1.9.1=#16056140622e63,UID=joe,DC=ex,DC=org`,
		pair(0, 9, 2342, 19200300, 100, 1, 25)("org"), pair(0, 9, 2342, 19200300, 100, 1, 25)("ex"), pair(0, 9, 2342, 19200300, 100, 1, 1)("joe"),
		pair(1, 2, 840, 113549, 1, 9, 1)(asn1.RawValue{FullBytes: []byte("\x16\x05a@b.c")}), pair(2, 5, 4, 3)(" lead#trail "))
	f(`2.5.4.12=#0c024472,ST=BE,L=B,STREET=S 1,2.5.4.17=#0c053130313135,2.5.4.5=#13023137,CN=Größe \<\"q\"\;\=\\\>`,
		pair(2, 5, 4, 3)(`Größe <"q";=\>`), pair(2, 5, 4, 5)("17"), pair(2, 5, 4, 17)(asn1.RawValue{FullBytes: []byte("\x0c\x0510115")}),
		pair(2, 5, 4, 9)("S 1"), pair(2, 5, 4, 7)("B"), pair(2, 5, 4, 8)("BE"), pair(2, 5, 4, 12)(asn1.RawValue{FullBytes: []byte("\x0c\x02Dr")}))
	f(`CN=a\00b`, pair(2, 5, 4, 3)(asn1.RawValue{FullBytes: []byte("\x0c\x03a\x00b")}))
	f(`CN=#0c01ff`, pair(2, 5, 4, 3)(asn1.RawValue{FullBytes: []byte("\x0c\x01\xff")}))
	for _, tag := range []string{"\x1e", "\x1c"} { // these spell "admin123" by two or four bytes a character
		f(`CN=#`+hex.EncodeToString([]byte(tag))+`0861646d696e313233`, pair(2, 5, 4, 3)(asn1.RawValue{FullBytes: []byte(tag + "\x08admin123")}))
	}
	f(`CN=\ `, pair(2, 5, 4, 3)(" "))
	f(``)
}

// pair makes sets of one attribute with this number.
func pair(number ...int) func(value any) pkix.RelativeDistinguishedNameSET {
	return func(value any) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: number, Value: value}}
	}
}
