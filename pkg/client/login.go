package client

import (
	"fmt"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Versions of the requests of a login.
const (
	handshakeVersion    = 1
	authenticateVersion = 2
)

// login authenticates the client, if a mechanism is chosen.
func (c *Client) login(o Options) error {
	if o.Mechanism == "" {
		return nil
	}
	m, err := c.Ask(wire.KeySaslHandshake, handshakeVersion, &wire.SaslHandshakeRequest{Mechanism: o.Mechanism})
	if err != nil {
		return err
	}
	if r := m.(*wire.SaslHandshakeResponse); r.ErrorCode != 0 {
		return fmt.Errorf("the server offers %q, not %s: %w", strings.Join(r.Mechanisms, ","), o.Mechanism, kerr.Code(r.ErrorCode))
	}
	if scram, ok := auth.ScramNamed(o.Mechanism); ok {
		return c.loginByScram(scram.Client(o.Username, o.Password))
	}
	_, err = c.token([]byte("\x00" + o.Username + "\x00" + o.Password))
	return err
}

func (c *Client) loginByScram(s *auth.ScramClient) error {
	first, err := c.token(s.First())
	if err != nil {
		return err
	}
	final, err := s.Final(first)
	if err != nil {
		return err
	}
	proof, err := c.token(final)
	if err != nil {
		return err
	}
	return s.Verify(proof)
}

// token sends one token and returns the server's.
func (c *Client) token(b []byte) ([]byte, error) {
	m, err := c.Ask(wire.KeySaslAuthenticate, authenticateVersion, &wire.SaslAuthenticateRequest{AuthBytes: b})
	if err != nil {
		return nil, err
	}
	r := m.(*wire.SaslAuthenticateResponse)
	if r.ErrorCode == 0 {
		return r.AuthBytes, nil
	}
	if r.ErrorMessage != nil {
		return nil, fmt.Errorf("%s: %w", *r.ErrorMessage, kerr.Code(r.ErrorCode))
	}
	return nil, kerr.Code(r.ErrorCode)
}
