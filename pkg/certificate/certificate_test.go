package certificate_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/certificate"
	"github.com/heraclitus/heraclitus/pkg/certificate/certificatetest"
)

const interval = 5 * time.Second

// notes is what a source says and tells of.
type notes struct {
	sync.Mutex
	said bytes.Buffer
	ends []time.Time
}

func (n *notes) Write(p []byte) (int, error) {
	n.Lock()
	defer n.Unlock()
	return n.said.Write(p)
}

func (n *notes) taken(notAfter time.Time) {
	n.Lock()
	defer n.Unlock()
	n.ends = append(n.ends, notAfter)
}

// warnings is how often something wrong was told of.
func (n *notes) warnings() int {
	n.Lock()
	defer n.Unlock()
	return strings.Count(n.said.String(), "level=WARN")
}

// options are those of a source of a pair.
func options(p certificatetest.Pair, n *notes) certificate.Options {
	return certificate.Options{
		Certificate: certificate.File{Setting: "tls.certificate_file", Path: p.CertificateFile},
		Key:         certificate.File{Setting: "tls.key_file", Path: p.KeyFile},
		Interval:    interval, Log: slog.New(slog.NewTextHandler(n, nil)), Taken: n.taken,
	}
}

// write makes a file with this text and returns where.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRefusedFiles shows what is said of files that make no sense: the setting, the file and the fix, and nothing of a key.
func TestRefusedFiles(t *testing.T) {
	a := certificatetest.New(t)
	good, other := a.Issue(t, "good"), a.Issue(t, "other")
	f := func(change func(*certificate.Options), want ...string) {
		t.Helper()
		o := options(good, &notes{})
		change(&o)
		s, err := certificate.Open(o)
		if err == nil {
			s.Close()
			t.Errorf("accepted, want an error that says %q", want)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
	f(func(o *certificate.Options) { o.Certificate.Path = "none.pem" }, `tls.certificate_file = "none.pem": there is no such file: should be a file in PEM`)
	f(func(o *certificate.Options) { o.Key.Path = "none.pem" }, `tls.key_file = "none.pem": there is no such file`)
	f(func(o *certificate.Options) { o.Certificate.Path, o.Key.Path = "no.pem", "none.pem" }, `"no.pem"`, `"none.pem"`)
	f(func(o *certificate.Options) { o.Certificate.Path = t.TempDir() }, "tls.certificate_file", "is a directory")
	f(func(o *certificate.Options) { o.Certificate.Path = good.KeyFile }, "tls.certificate_file", "holds no certificate", "-----BEGIN CERTIFICATE-----")
	f(func(o *certificate.Options) { o.Certificate.Path = write(t, strings.Repeat("x", 1<<20+1)) }, "tls.certificate_file", "larger than 1048576 bytes")
	f(func(o *certificate.Options) { o.Key.Path = good.CertificateFile }, "tls.key_file", "holds no key")
	f(func(o *certificate.Options) { o.Key.Path = other.KeyFile }, "tls.certificate_file", "tls.key_file", "should be a certificate and the key it was made for")
	f(func(o *certificate.Options) {
		o.Key.Path = write(t, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n")
	}, "tls.key_file", "locked by a passphrase", "openssl pkey")
	f(func(o *certificate.Options) {
		o.ClientCA = certificate.File{Setting: "tls.client_ca_file", Path: good.KeyFile}
	}, "tls.client_ca_file", "holds no certificate")
	f(func(o *certificate.Options) {
		o.ClientCA = certificate.File{Setting: "tls.client_ca_file", Path: "none.pem"}
	}, `tls.client_ca_file = "none.pem": there is no such file`)
}

// TestCertificateAndKeyInOneFile shows that both may come from the same file.
func TestCertificateAndKeyInOneFile(t *testing.T) {
	p := certificatetest.New(t).Issue(t, "one")
	c, _ := os.ReadFile(p.CertificateFile)
	k, _ := os.ReadFile(p.KeyFile)
	p.CertificateFile = write(t, string(k)+string(c))
	p.KeyFile = p.CertificateFile
	s, err := certificate.Open(options(p, &notes{}))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// TestFilesAreReadAgain shows that a changed certificate is in use once the files have been looked at again, that broken
// files change nothing and are told of once for each change, and that what is already in use stays as it is.
func TestFilesAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := certificatetest.New(t)
		p := a.Issue(t, "broker")
		var n notes
		o := options(p, &n)
		o.ClientCA, o.ClientAuth = certificate.File{Setting: "tls.client_ca_file", Path: a.File}, tls.RequireAndVerifyClientCert
		s, err := certificate.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		look := func(what string, changed bool, warnings int) {
			t.Helper()
			before := s.Config()
			time.Sleep(3 * interval)
			synctest.Wait()
			if got := s.Config() != before; got != changed {
				t.Errorf("%s: in use: %v, want %v", what, got, changed)
			}
			if got := n.warnings(); got != warnings {
				t.Errorf("%s: %d warnings, want %d", what, got, warnings)
			}
			if c := s.Config(); c.ClientAuth != tls.RequireAndVerifyClientCert || c.ClientCAs == nil || c.MinVersion != tls.VersionTLS12 {
				t.Errorf("%s: what is asked of clients has changed", what)
			}
		}
		first := s.Config().Certificates[0].Leaf
		look("nothing", false, 0)
		a.IssueUntil(t, "broker", time.Now().Add(10*time.Hour))
		look("another certificate", true, 0)
		n.Lock()
		if leaf := s.Config().Certificates[0].Leaf; leaf.Equal(first) || len(n.ends) != 2 || !n.ends[1].Equal(leaf.NotAfter) {
			t.Errorf("in use is one that ends at %v, told of were %v", leaf.NotAfter, n.ends)
		}
		n.Unlock()
		os.Truncate(p.KeyFile, 0)
		look("an empty key", false, 1)
		os.Remove(p.KeyFile)
		look("no key", false, 2)
		a.Issue(t, "broker")
		look("a good pair again", true, 2)
		other := certificatetest.New(t)
		authority, _ := os.ReadFile(other.File)
		os.WriteFile(a.File, authority, 0o600)
		look("other authorities of clients", true, 2)
		a.IssueUntil(t, "broker", time.Now().Add(-time.Minute))
		look("an expired certificate", true, 3)
	})
}
