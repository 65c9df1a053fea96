// Package certificatetest makes throwaway authorities and certificates for tests.
package certificatetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority is an authority that issues certificates for a test.
type Authority struct {
	File string // its certificate, in PEM

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	dir         string
}

// Pair is a certificate with its key, as files in PEM.
type Pair struct {
	CertificateFile, KeyFile string
	TLS                      tls.Certificate
}

// New returns an authority whose files live as long as the test.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{dir: t.TempDir(), key: newKey(t)}
	a.File = filepath.Join(a.dir, "ca.pem")
	a.certificate = template("Test Authority", time.Now().Add(time.Hour))
	a.certificate.IsCA, a.certificate.KeyUsage = true, x509.KeyUsageCertSign
	der := sign(t, a.certificate, a.certificate, a.key, a.key)
	write(t, a.File, "CERTIFICATE", der)
	return a
}

// Issue returns a certificate for name, valid for an hour as one of a client, and as one of a server that is this machine.
func (a *Authority) Issue(t testing.TB, name string) Pair {
	t.Helper()
	return a.IssueUntil(t, name, time.Now().Add(time.Hour))
}

// IssueUntil is Issue with another end of validity. The files of one name are written anew each time.
func (a *Authority) IssueUntil(t testing.TB, name string, notAfter time.Time) Pair {
	t.Helper()
	key := newKey(t)
	c := template(name, notAfter)
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	c.DNSNames, c.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	der := sign(t, c, a.certificate, key, a.key)
	p := Pair{CertificateFile: filepath.Join(a.dir, name+".pem"), KeyFile: filepath.Join(a.dir, name+".key")}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.CertificateFile, "CERTIFICATE", der)
	write(t, p.KeyFile, "PRIVATE KEY", keyDER)
	if p.TLS, err = tls.LoadX509KeyPair(p.CertificateFile, p.KeyFile); err != nil {
		t.Fatal(err)
	}
	return p
}

// Trust is the configuration of a client that trusts this authority, and shows these certificates.
func (a *Authority) Trust(shown ...Pair) *tls.Config {
	c := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}
	c.RootCAs.AddCert(a.certificate)
	for _, p := range shown {
		c.Certificates = append(c.Certificates, p.TLS)
	}
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func template(name string, notAfter time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name, Organization: []string{"Heraclitus Tests"}},
		NotBefore: notAfter.Add(-24 * time.Hour), NotAfter: notAfter, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
}

// sign makes a certificate of c, by parent, and fills c in with what was made.
func sign(t testing.TB, c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	*c = *made
	return der
}

func write(t testing.TB, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
