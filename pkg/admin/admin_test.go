package admin_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/admin"
	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// start serves o on a free port and returns its URL.
func start(t *testing.T, o admin.Options) string {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, served := admin.New(o), make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve after Shutdown: %v", err)
		}
	})
	return "http://" + l.Addr().String()
}

// get returns the status and the text of a page.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// TestPages shows what each page answers, ready and not, with metrics and profiles and without.
func TestPages(t *testing.T) {
	m := metrics.New("px")
	m.MessagesIn.Add(5)
	full := start(t, admin.Options{Ready: func() error { return nil }, Metrics: m, Debug: true})
	bare := start(t, admin.Options{Ready: func() error { return errors.New("storage is full") }})
	f := func(url string, status int, text string) {
		t.Helper()
		gotStatus, gotText := get(t, url)
		if gotStatus != status || !strings.Contains(gotText, text) {
			t.Errorf("%s: %d %q, want %d %q", url, gotStatus, gotText, status, text)
		}
	}
	f(full+"/livez", 200, "ok")
	f(full+"/readyz", 200, "ok")
	f(full+"/metrics", 200, "\npx_messages_in_total 5\n")
	f(full+"/debug/pprof/cmdline", 200, "")
	f(full+"/", 404, "")
	f(bare+"/livez", 200, "ok")
	f(bare+"/readyz", 503, "storage is full")
	f(bare+"/metrics", 404, "")
	f(bare+"/debug/pprof/", 404, "")
}

// TestHugeHeader shows that a request whose header has no end is refused instead of kept.
func TestHugeHeader(t *testing.T) {
	url := start(t, admin.Options{Ready: func() error { return nil }})
	r, err := http.NewRequest("GET", url+"/livez", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 64<<10))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d, want %d", answer.StatusCode, http.StatusRequestHeaderFieldsTooLarge)
	}
}
