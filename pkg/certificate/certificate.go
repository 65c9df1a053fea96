// Package certificate is where the TLS of listeners comes from: PEM files, read again when they change.
//
// A [Source] holds what the files said when they last made sense. To renew a certificate is to write its files: later
// connections see the new one, existing ones stay as they are. What must hold:
//   - Files that make no sense change nothing: what was there before stays in use, and the log says once what is wrong.
//   - No part of a key is in an error or in the log.
package certificate

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// fileBytesMax bounds a file: bundles of all public authorities are a quarter of it.
const fileBytesMax = 1 << 20

// File is a file that a setting names.
type File struct{ Setting, Path string }

func (f File) String() string { return fmt.Sprintf("%s = %q", f.Setting, f.Path) }

// Options are what a Source is made of.
type Options struct {
	Certificate File                     // the chain shown to clients, its own certificate first
	Key         File                     // of the first certificate; may be the same file
	ClientCA    File                     // the authorities that client certificates come from; no path: none
	ClientAuth  tls.ClientAuthType       // what is asked of clients
	Interval    time.Duration            // between two looks at the files
	Log         *slog.Logger             // hears of changes
	Taken       func(notAfter time.Time) // told of each certificate taken into use, with the end of its validity
}

// Source is the TLS of a listener. It is safe for any number of connections at once.
type Source struct {
	options Options
	config  atomic.Pointer[tls.Config]
	seen    [sha256.Size]byte // of what the files held at the last look
	closed  chan struct{}
	ended   chan struct{}
}

// Open reads the files, which must make sense, and looks at them again until Close. Errors name the setting and the fix.
func Open(o Options) (*Source, error) {
	s := &Source{options: o, closed: make(chan struct{}), ended: make(chan struct{})}
	held := s.read()
	if err := s.take(held); err != nil {
		return nil, err
	}
	s.seen = held.fingerprint()
	go s.watch()
	return s, nil
}

// Config is what new connections are served with. It must not be modified.
func (s *Source) Config() *tls.Config { return s.config.Load() }

// Close ends looking at the files.
func (s *Source) Close() {
	close(s.closed)
	<-s.ended
}

func (s *Source) watch() {
	defer close(s.ended)
	ticker := time.NewTicker(s.options.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.look()
		case <-s.closed:
			return
		}
	}
}

// look reads the files and takes what they hold, if that is new. (It compares what they hold, not when they were written:
// files are swapped by links, restored with old times, and written twice in one tick of the clock.)
func (s *Source) look() {
	held := s.read()
	now := held.fingerprint()
	if now == s.seen {
		return
	}
	s.seen = now
	if err := s.take(held); err != nil {
		s.options.Log.Warn("changed certificate files make no sense: the previous certificate stays in use", "err", err)
		return
	}
	s.options.Log.Info("changed certificate files are in use from now on", "certificate", s.options.Certificate.Path)
}

// contents is what the files hold, or why they cannot be read.
type contents struct {
	certificate, key, clientCA []byte
	err                        error
}

func (s *Source) read() (c contents) {
	var errs [3]error
	c.certificate, errs[0] = readFile(s.options.Certificate)
	c.key, errs[1] = readFile(s.options.Key)
	if s.options.ClientCA.Path != "" {
		c.clientCA, errs[2] = readFile(s.options.ClientCA)
	}
	c.err = errors.Join(errs[:]...)
	return c
}

// fingerprint is the same only for the same contents.
func (c *contents) fingerprint() [sha256.Size]byte {
	h := sha256.New()
	for _, b := range [][]byte{c.certificate, c.key, c.clientCA, fmt.Append(nil, c.err)} {
		sum := sha256.Sum256(b)
		h.Write(sum[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func readFile(f File) ([]byte, error) {
	file, err := os.Open(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such file: should be a file in PEM", f)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: this user may not read the file: let it, or choose another file", f)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, fileBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	if len(b) > fileBytesMax {
		return nil, fmt.Errorf("%s: is larger than %d bytes: should be a file in PEM", f, fileBytesMax)
	}
	return b, nil
}

// take puts what the files hold into use.
func (s *Source) take(c contents) error {
	if c.err != nil {
		return c.err
	}
	pair, err := s.pair(c)
	if err != nil {
		return err
	}
	// Sessions are not resumed: that would spare clients little, who stay for hours, and let those in whose authority
	// has been taken out of the file meanwhile. Records are full from the start: what is sent is large or waits for nothing.
	config := &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, ClientAuth: s.options.ClientAuth,
		SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true,
	}
	if s.options.ClientCA.Path != "" {
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(c.clientCA) {
			return fmt.Errorf("%s: holds no certificate: should be a file in PEM with those of the authorities that clients' certificates come from", s.options.ClientCA)
		}
	}
	if pair.Leaf.NotAfter.Before(time.Now()) {
		s.options.Log.Warn("the certificate has expired: clients will refuse it", "certificate", s.options.Certificate.Path, "not_after", pair.Leaf.NotAfter)
	}
	s.config.Store(config)
	s.options.Taken(pair.Leaf.NotAfter)
	return nil
}

// pair makes the certificate of its chain and its key.
func (s *Source) pair(c contents) (tls.Certificate, error) {
	o := &s.options
	if !holds(c.certificate, "CERTIFICATE") {
		return tls.Certificate{}, fmt.Errorf("%s: holds no certificate: should be a file in PEM with -----BEGIN CERTIFICATE-----", o.Certificate)
	}
	switch {
	case holds(c.key, "ENCRYPTED PRIVATE KEY") || bytes.Contains(c.key, []byte("Proc-Type: 4,ENCRYPTED")):
		return tls.Certificate{}, fmt.Errorf("%s: the key is locked by a passphrase: unlock it into another file (openssl pkey -in … -out …) that only this user may read", o.Key)
	case !holds(c.key, "PRIVATE KEY"):
		return tls.Certificate{}, fmt.Errorf("%s: holds no key: should be a file in PEM with -----BEGIN PRIVATE KEY-----", o.Key)
	}
	pair, err := tls.X509KeyPair(c.certificate, c.key)
	if err != nil {
		return pair, fmt.Errorf("%s, %s: should be a certificate and the key it was made for: %w", o.Certificate, o.Key, err)
	}
	return pair, nil
}

// holds says whether a PEM text has a block of a kind, whatever words come before its name, as in EC PRIVATE KEY.
func holds(text []byte, kind string) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind || strings.HasSuffix(block.Type, " "+kind) {
			return true
		}
	}
	return false
}
