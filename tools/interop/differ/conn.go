package differ

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"runtime"
	"syscall"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

const (
	answerTimeout  = 30 * time.Second
	answerBytesMax = 64 << 20
	decodeBudget   = 256 << 20 // the reader's bound on what an answer decodes into
	clientID       = "differ"
)

// errHungUp is what a server does to a request that it does not answer.
var errHungUp = errors.New("the server closed the connection")

// conn sends frames to a server and reads the frames it answers by.
type conn struct {
	nc          net.Conn
	br          *bufio.Reader
	correlation int32 // of the last request
}

func dial(addr string) (*conn, error) { return dialFrom(net.Dialer{}, addr) }

// visitor connects from an address of the loopback network that nobody else has, where there are such: a server
// answers later where one address fails often.
func visitor(n int32) net.Dialer {
	if runtime.GOOS != "linux" {
		return net.Dialer{}
	}
	return net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(n>>8), byte(n))}}
}

func dialFrom(d net.Dialer, addr string) (*conn, error) {
	nc, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	return &conn{nc: nc, br: bufio.NewReader(nc)}, nil
}

// write writes bytes, be they frames or not.
func (c *conn) write(b []byte) error {
	_, err := c.nc.Write(b)
	return hungUp(err)
}

// frame is a payload with its length before it.
func frame(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

// receive reads a frame and returns what follows its length.
func (c *conn) receive() ([]byte, error) {
	c.nc.SetReadDeadline(time.Now().Add(answerTimeout))
	var length [4]byte
	if _, err := io.ReadFull(c.br, length[:]); err != nil {
		return nil, hungUp(err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > answerBytesMax {
		return nil, fmt.Errorf("an answer of %d bytes", n)
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(c.br, payload)
	return payload, hungUp(err)
}

// hungUp turns the ways in which a connection can end into one.
func hungUp(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return errHungUp
	}
	return err
}

// request is a request's payload: header and body.
func (c *conn) request(key, version int16, body []byte) []byte {
	c.correlation++
	client := clientID
	h := wire.RequestHeader{RequestApiKey: key, RequestApiVersion: version, CorrelationID: c.correlation, ClientID: &client}
	return append(h.Append(nil, wire.RequestHeaderVersion(key, version)), body...)
}

// answer reads the next frame, which has to answer the request with that correlation id.
func (c *conn) answer(key, version int16, correlation int32) (wire.Message, error) {
	payload, err := c.receive()
	if err != nil {
		return nil, err
	}
	var r kbin.Reader
	r.Reset(payload, decodeBudget)
	var h wire.ResponseHeader
	h.Decode(&r, wire.ResponseHeaderVersion(key, version))
	if r.Err() == nil && h.CorrelationID != correlation {
		return nil, fmt.Errorf("answer to request %d where one to %d is due", h.CorrelationID, correlation)
	}
	m := wire.NewResponse(key)
	body := payload[len(payload)-r.Len():]
	m.Decode(&r, version)
	return m, whole(&r, m, version, body)
}

// whole says whether body, of which m was read, was read completely, and says nothing that m does not say.
func whole(r *kbin.Reader, m wire.Message, version int16, body []byte) error {
	if r.Err() != nil {
		return fmt.Errorf("decode answer: %w", r.Err())
	}
	if r.Len() > 0 {
		return fmt.Errorf("decode answer: %d of %d bytes are left over", r.Len(), len(body))
	}
	if again := m.Append(nil, version); string(again) != string(body) {
		return fmt.Errorf("the answer is not what its own fields encode to:\n%x\n%x", body, again)
	}
	return nil
}

// keyOf is the key of the API whose request q is.
func keyOf(q wire.Message) int16 {
	for key := range int16(128) {
		if reflect.TypeOf(wire.NewRequest(key)) == reflect.TypeOf(q) {
			return key
		}
	}
	panic(fmt.Sprintf("BUG: %T is not a request", q))
}
