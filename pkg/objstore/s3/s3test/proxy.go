package s3test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// A Fault is what befalls a request on its way.
type Fault int

const (
	// None: it goes through.
	None Fault = iota
	// CutBefore: the connection is cut before the server hears of it.
	CutBefore
	// CutAfter: the connection is cut after the server has done it, before its answer.
	CutAfter
	// CutInside: the connection is cut in the middle of the answer's body.
	CutInside
	// Failure: the answer is 500 InternalError. The server has not heard of it.
	Failure
	// SlowDown: the answer is 503 SlowDown. The server has not heard of it.
	SlowDown
	// Throttled: it goes through, and its body and that of the answer move at 256 KiB a second.
	Throttled
)

// What is throttled moves in so many pieces a second.
const (
	throttledBytes    = 16 << 10
	throttledInterval = time.Second / 16
)

// throttled is a body that moves slowly.
type throttled struct{ io.ReadCloser }

// Read implements io.Reader.
func (b throttled) Read(p []byte) (int, error) {
	time.Sleep(throttledInterval)
	return b.ReadCloser.Read(p[:min(len(p), throttledBytes)])
}

// A Proxy stands between clients and a server, and lets requests fail on their way.
type Proxy struct {
	// Endpoint is its URL.
	Endpoint string

	server  *Server
	forward http.Transport
	away    sync.RWMutex // held for reading by each request that is with the server

	mu struct {
		sync.Mutex
		decide func(*http.Request) Fault
	}
}

// Proxy starts a proxy in front of the server, which runs until the test ends. It lets everything through.
func (s *Server) Proxy(t testing.TB) *Proxy {
	p := &Proxy{server: s}
	front := httptest.NewServer(p)
	p.Endpoint = front.URL
	t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
		p.forward.CloseIdleConnections()
	})
	return p
}

// On has decide say what befalls each request from now on; nothing does when it is nil. It may wait: that is latency.
func (p *Proxy) On(decide func(*http.Request) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.decide = decide
}

// Away has the server be away while f runs, which may stop it and start it again: all requests are cut then. The
// server is left to finish those that it has. versitygw with its metadata beside the files is not made to be killed
// in the middle of one: it says later of an object that is not there that it is.
func (p *Proxy) Away(f func()) {
	p.away.Lock()
	defer p.away.Unlock()
	f()
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	decide := p.mu.decide
	p.mu.Unlock()
	fault := None
	if decide != nil {
		fault = decide(r)
	}
	switch fault {
	case CutBefore:
		panic(http.ErrAbortHandler)
	case Failure:
		refuse(w, http.StatusInternalServerError, "InternalError")
	case SlowDown:
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
	default:
		p.pass(w, r, fault)
	}
}

// refuse answers as S3 does.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>put in by the test</Message></Error>`, code)
}

// pass has the server answer.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, fault Fault) {
	if !p.away.TryRLock() {
		panic(http.ErrAbortHandler)
	}
	defer p.away.RUnlock()
	out := r.Clone(r.Context()) // with its Host, which is signed
	out.URL.Scheme, out.URL.Host = "http", p.server.address
	if fault == Throttled && out.ContentLength != 0 {
		out.Body = throttled{out.Body}
	}
	answer, err := p.forward.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if fault == Throttled {
		answer.Body = throttled{answer.Body}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || fault == CutAfter {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	if fault == CutInside {
		w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}
