// Package client is a Kafka client for the command line: one connection, one request at a time.
package client

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Limits of a connection.
const (
	askTimeout       = 30 * time.Second // for connecting, and for each answer
	responseBytesMax = 64 << 20
	decodedBytesMax  = 256 << 20
)

// name is what servers know the client by.
var name = "heraclitus"

// Options say where a client connects, and as whom.
type Options struct {
	Address            string      // host:port
	TLS                *tls.Config // nil for a connection without
	Mechanism          string      // of SASL; empty for none
	Username, Password string
}

// Client is a connection. It is not safe for concurrent use.
type Client struct {
	conn        net.Conn
	correlation int32
	frame       []byte
}

// Dial connects, and authenticates the client if a mechanism is chosen.
func Dial(ctx context.Context, o Options) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	conn, err := dial(ctx, o)
	if err != nil {
		return nil, err // which says where to
	}
	c := &Client{conn: conn}
	if err := c.login(o); err != nil {
		return nil, errors.Join(fmt.Errorf("log in at %s: %w", o.Address, err), conn.Close())
	}
	return c, nil
}

func dial(ctx context.Context, o Options) (net.Conn, error) {
	if o.TLS == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", o.Address)
	}
	d := tls.Dialer{Config: o.TLS}
	conn, err := d.DialContext(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s by TLS: %w", o.Address, err)
	}
	return conn, nil
}

// Close closes the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Ask sends a request of an API and returns its response. After an error the client is of no use any more.
func (c *Client) Ask(key, version int16, q wire.Message) (wire.Message, error) {
	r, err := c.ask(key, version, q)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the server closed the connection: does it want a login, or TLS?")
	}
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", wire.Name(key), err)
	}
	return r, nil
}

func (c *Client) ask(key, version int16, q wire.Message) (wire.Message, error) {
	c.correlation++
	if err := c.conn.SetDeadline(time.Now().Add(askTimeout)); err != nil {
		return nil, err
	}
	header := wire.RequestHeader{RequestApiKey: key, RequestApiVersion: version, CorrelationID: c.correlation, ClientID: &name}
	b := header.Append(make([]byte, sizeBytes), wire.RequestHeaderVersion(key, version))
	b = q.Append(b, version)
	binary.BigEndian.PutUint32(b, uint32(len(b)-sizeBytes))
	if _, err := c.conn.Write(b); err != nil {
		return nil, err
	}
	if err := c.receive(); err != nil {
		return nil, err
	}
	return c.decode(key, version)
}

// sizeBytes is how long the length before every frame is.
const sizeBytes = 4

// receive reads the next frame.
func (c *Client) receive() error {
	var size [sizeBytes]byte
	if _, err := io.ReadFull(c.conn, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > responseBytesMax {
		return fmt.Errorf("an answer of %d bytes: this is no Kafka server, or it wants TLS", n)
	}
	c.frame = make([]byte, n)
	_, err := io.ReadFull(c.conn, c.frame)
	return err
}

// decode reads the frame as the response to the newest request.
func (c *Client) decode(key, version int16) (wire.Message, error) {
	var r kbin.Reader
	r.Reset(c.frame, decodedBytesMax)
	var header wire.ResponseHeader
	header.Decode(&r, wire.ResponseHeaderVersion(key, version))
	response := wire.NewResponse(key)
	response.Decode(&r, version)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if header.CorrelationID != c.correlation {
		return nil, fmt.Errorf("answer %d to request %d", header.CorrelationID, c.correlation)
	}
	return response, nil
}
