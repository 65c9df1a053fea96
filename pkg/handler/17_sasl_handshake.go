package handler

import (
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// SaslHandshake: key 17, versions 0 and 1.
//
//   - v0: chooses the mechanism; the frames that follow are its tokens, without headers, and are answered likewise (KIP-43).
//   - v1: the tokens follow in SaslAuthenticate requests (KIP-152).
//
// An unknown mechanism is answered with those there are, a second handshake with ILLEGAL_SASL_STATE, and both close the
// connection. So is one on a connection that is authenticated for ever, or was renewed within the last second, or on a
// listener that asks nobody; that leaves it open. On a connection whose session has a lifetime it begins to renew that
// (KIP-368). Another mechanism than before is refused then, by the answer to the first token. (Kafka closes the
// connection without an answer.)

func (h *Handler) saslHandshake(c *Call, q *wire.SaslHandshakeRequest, r *wire.SaslHandshakeResponse) error {
	s := c.Conn.Session
	raw := c.Version == 0
	code := kerr.Of(s.Handshake(q.Mechanism, raw))
	r.ErrorCode = int16(code)
	if code != kerr.IllegalSaslState {
		r.Mechanisms = append(r.Mechanisms, s.Mechanisms()...)
	}
	c.Last = s.Failure() != nil
	return nil
}
