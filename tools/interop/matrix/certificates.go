package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateLife is how long the certificates of a run are valid.
const certificateLife = 24 * time.Hour

// tlsFiles are PEM files, by their paths: of an authority of the run's own, and of the two it has signed.
type tlsFiles struct {
	authority             string // certificate
	serverCert, serverKey string
	serverBoth            string // the key and the certificate, as Kafka wants them
	clientCert, clientKey string
}

// signed is a certificate with its key.
type signed struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// makeTLSFiles makes an authority and signs certificates for localhost and for a client.
func makeTLSFiles(dir string) (tlsFiles, error) {
	at := func(name string) string { return filepath.Join(dir, name) }
	f := tlsFiles{at("authority.pem"), at("server.pem"), at("server.key"), at("server-both.pem"), at("client.pem"), at("client.key")}
	authority, err := sign(nil, x509.Certificate{
		Subject: pkix.Name{CommonName: "interop authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	if err != nil {
		return f, err
	}
	server, err := sign(authority, x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	})
	if err != nil {
		return f, err
	}
	client, err := sign(authority, x509.Certificate{
		Subject: pkix.Name{CommonName: "interop"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	})
	if err != nil {
		return f, err
	}
	return f, errors.Join(
		write(f.authority, authority.certificatePEM()),
		write(f.serverCert, server.certificatePEM()), write(f.serverKey, server.keyPEM()), write(f.serverBoth, server.keyPEM(), server.certificatePEM()),
		write(f.clientCert, client.certificatePEM()), write(f.clientKey, client.keyPEM()),
	)
}

// sign completes a certificate and has an authority sign it; nil is for the authority's own.
func sign(by *signed, template x509.Certificate) (*signed, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return nil, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(certificateLife)
	if by == nil {
		by = &signed{&template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, by.certificate, key.Public(), by.key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &signed{certificate, key}, err
}

func (s *signed) certificatePEM() *pem.Block {
	return &pem.Block{Type: "CERTIFICATE", Bytes: s.certificate.Raw}
}

func (s *signed) keyPEM() *pem.Block {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		panic("BUG: a key that was just made cannot be written: " + err.Error())
	}
	return &pem.Block{Type: "PRIVATE KEY", Bytes: der}
}

func write(file string, blocks ...*pem.Block) error {
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(b)...)
	}
	return os.WriteFile(file, text, 0o600)
}
