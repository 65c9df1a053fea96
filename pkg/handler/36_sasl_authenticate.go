package handler

import (
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// SaslAuthenticate: key 36, versions 0 to 2.
//
//   - v0: one token of the mechanism that SaslHandshake v1 chose (KIP-152). A token without a header, after SaslHandshake v0,
//     comes here as v0 too: its call is Raw.
//   - v1: the session's lifetime (KIP-368), with the token that completes the exchange; 0 is for ever. Before it is over
//     the client authenticates itself again, by a handshake with the same mechanism and as the same user; whoever does
//     not is cut off at the first request after it, clients that cannot (v0, raw) among them.
//   - v2: flexible (KIP-482).
//
// A failure says why and closes the connection; a raw one has no way of saying so. On a connection that is authenticated,
// or a listener that asks nobody, the answer is ILLEGAL_SASL_STATE, and the connection stays.

func (h *Handler) saslAuthenticate(c *Call, q *wire.SaslAuthenticateRequest, r *wire.SaslAuthenticateResponse) error {
	s := c.Conn.Session
	answer, err := s.Step(q.AuthBytes)
	r.AuthBytes = answer
	if err != nil {
		r.ErrorCode, r.ErrorMessage = int16(kerr.Of(err)), new(err.Error())
		c.NoResponse = c.Raw
	} else {
		r.SessionLifetimeMs = s.Lifetime().Milliseconds()
	}
	c.Last = s.Failure() != nil
	return nil
}
