package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"time"

	"github.com/heraclitus/heraclitus/pkg/auth"
)

// handshakeBytesMax is what a client may send until its handshake is over. Chains of certificates have a few thousand bytes.
const handshakeBytesMax = 64 << 10

// Endings of a connection in its TLS handshake.
var (
	errHandshake        = errors.New("TLS handshake failed")
	errHandshakeBytes   = errors.New("more bytes than a TLS handshake has")
	errHandshakeTimeout = errors.New("TLS handshake not done in time")
	errNotTLS           = errors.New("not TLS: a client that speaks PLAINTEXT?")
	errNoCertificate    = errors.New("client without a certificate")
	errCertificate      = errors.New("client certificate refused")
	errTLSVersion       = errors.New("client without a TLS version that is served")
	errAlert            = errors.New("TLS handshake ended by the client: does it trust our certificate?")
)

// newTurns returns the turns of handshakes. One of them costs as much as a hundred small requests, so all of them have half
// of the processors at most: clients that are known have the rest, however many strangers come.
func newTurns() chan struct{} { return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)) }

// cipherEnd is the socket under TLS, where the bytes are encrypted. Until the handshake is over it holds a turn while TLS
// computes, and gives it up while the client is waited for: one that does not go on holds up nobody.
type cipherEnd struct {
	net.Conn
	turns   chan struct{}   // nil once the handshake is over
	done    <-chan struct{} // ends waiting for a turn
	holding bool            // a turn
	arrived int             // bytes of the handshake
}

// shakeHands runs a handshake within its turns.
func (e *cipherEnd) shakeHands(t *tls.Conn) error {
	err := e.takeTurn()
	if err == nil {
		err = t.Handshake()
	}
	e.leaveTurn()
	e.turns = nil
	return err
}

func (e *cipherEnd) takeTurn() error {
	select {
	case e.turns <- struct{}{}:
		e.holding = true
		return nil
	case <-e.done:
		return errStopReading
	}
}

func (e *cipherEnd) leaveTurn() {
	if e.holding {
		e.holding = false
		<-e.turns
	}
}

// meanwhile runs f without a turn, and takes one again.
func (e *cipherEnd) meanwhile(f func([]byte) (int, error), p []byte) (int, error) {
	e.leaveTurn()
	n, err := f(p)
	if refused := e.takeTurn(); err == nil {
		err = refused
	}
	return n, err
}

// Read reads what the client sent.
func (e *cipherEnd) Read(p []byte) (int, error) {
	if e.turns == nil {
		return e.Conn.Read(p)
	}
	n, err := e.meanwhile(e.Conn.Read, p)
	if e.arrived += n; e.arrived > handshakeBytesMax {
		return n, errHandshakeBytes
	}
	return n, err
}

// Write sends what TLS has encrypted.
func (e *cipherEnd) Write(p []byte) (int, error) {
	if e.turns == nil {
		return e.Conn.Write(p)
	}
	return e.meanwhile(e.Conn.Write, p)
}

// shakeHands begins TLS, if the listener speaks it. Where nobody is asked by SASL, the client is who its certificate says.
func (c *conn) shakeHands() error {
	t, ok := c.net.(*tls.Conn)
	if !ok {
		return nil
	}
	patience := time.AfterFunc(c.server.options.LoginTimeout, func() { c.cut(errHandshakeTimeout) })
	defer patience.Stop()
	if err := c.cipher.shakeHands(t); err != nil {
		c.net = c.wire
		return c.handshakeEnding(err)
	}
	if chains := t.ConnectionState().VerifiedChains; len(chains) > 0 && !c.listener.SASL {
		c.shared.Session = auth.Certificate(chains[0][0])
	}
	c.shaken = true
	c.recognise()
	return nil
}

// handshakeEnding is why a connection ends whose handshake ended in err. Where crypto/tls has no error of its own, its
// words decide.
func (c *conn) handshakeEnding(err error) error {
	var first tls.RecordHeaderError
	var untrusted *tls.CertificateVerificationError
	var op *net.OpError
	switch words := err.Error(); {
	case c.frames.stopped.Load():
		return errStopReading
	case errors.As(err, &first) && looksLikeHTTP(first.RecordHeader[:]):
		return errHTTP
	case errors.As(err, &first):
		return errNotTLS
	case errors.As(err, &untrusted):
		return fmt.Errorf("%w: %w", errCertificate, untrusted.Err)
	case strings.Contains(words, "didn't provide a certificate"):
		return errNoCertificate
	case strings.Contains(words, "unsupported versions"):
		return fmt.Errorf("%w: %w", errTLSVersion, err)
	case errors.As(err, &op) && op.Op == "remote error":
		return fmt.Errorf("%w: %w", errAlert, op.Err)
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	return fmt.Errorf("%w: %w", errHandshake, err)
}
