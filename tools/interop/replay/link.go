package replay

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/heraclitus/heraclitus/tools/capture/frames"
)

const (
	answerTimeout  = 30 * time.Second
	answerBytesMax = 64 << 20
)

// errHungUp is a connection that the server has closed.
var errHungUp = errors.New("the server closed the connection")

// link is a connection to the server that stands for a recorded one.
type link struct {
	nc        net.Conn
	br        *bufio.Reader
	sent      []int32 // requests without an answer yet, in order
	answers   map[int32][]byte
	mechanism string // of SASL, once it is chosen
	login     *login // under way
}

func dial(addr string) (*link, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	return &link{nc: nc, br: bufio.NewReader(nc), answers: map[int32][]byte{}}, nil
}

// send sends a frame. Whether it is to be answered, by one with that correlation id, its sender knows.
func (l *link) send(payload []byte, correlation int32, answered bool) error {
	_, err := l.nc.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...))
	if answered {
		l.sent = append(l.sent, correlation)
	}
	if err != nil {
		return errHungUp
	}
	return nil
}

// answer is the answer to the request with that correlation id. Those to requests before it are kept until they are
// asked for.
func (l *link) answer(correlation int32) ([]byte, error) {
	for {
		if payload, ok := l.answers[correlation]; ok {
			delete(l.answers, correlation)
			return payload, nil
		}
		if len(l.sent) == 0 {
			return nil, fmt.Errorf("request %d was not sent, or answered before", correlation)
		}
		payload, err := l.receive()
		if err != nil {
			return nil, err
		}
		l.answers[l.sent[0]] = payload
		l.sent = l.sent[1:]
	}
}

// receive reads a frame and returns what follows its length.
func (l *link) receive() ([]byte, error) {
	if err := l.nc.SetReadDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, err
	}
	var length [4]byte
	if _, err := io.ReadFull(l.br, length[:]); err != nil {
		return nil, hungUp(err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > answerBytesMax {
		return nil, fmt.Errorf("an answer of %d bytes", n)
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(l.br, payload)
	return payload, hungUp(err)
}

// hungUp keeps a timeout apart from all other ways in which a connection ends.
func hungUp(err error) error {
	var timeout net.Error
	if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		return err
	}
	return errHungUp
}

// isToken says whether a frame is one of a login without headers.
func isToken(f frames.Frame) bool { return f.Key == frames.Token }
