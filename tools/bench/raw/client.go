// Package raw is a Kafka client that costs next to nothing, because it shares the machine with the server it measures:
// requests are encoded once and sent again and again with another correlation id, answers are compared with the bytes
// they have to be, and a connection needs one goroutine. Every answer is checked; a wrong one ends the run.
package raw

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/heraclitus/heraclitus/tools/bench/hist"
)

const (
	readBytes     = 256 << 10
	answerMax     = 4 << 20          // the longest answer believed
	sharedFrom    = 8 << 10          // from this size on, copies of a request share their bytes instead of being copied together
	answerTimeout = 20 * time.Second // an answer that is later than this after the end of the run is not waited for
)

// Budget bounds what all connections of a run do together: they stop sending when time or bytes have run out.
type Budget struct {
	Until time.Time
	Bytes atomic.Int64 // what may still be sent or asked for
}

// NewBudget returns a budget of bytes that starts now.
func NewBudget(d time.Duration, bytes int64) *Budget {
	b := &Budget{Until: time.Now().Add(d)}
	b.Bytes.Store(bytes)
	return b
}

func (b *Budget) take(now time.Time, n int) bool {
	return now.Before(b.Until) && b.Bytes.Add(-int64(n)) >= 0
}

// Load is what connections have done.
type Load struct {
	Requests int64
	Bytes    int64 // of record batches, sent or received
	Elapsed  time.Duration
	Latency  hist.Hist // from a request's send to its answer
}

// Conn is one connection that sends one kind of request.
type Conn struct {
	nc    net.Conn
	br    *bufio.Reader
	what  string // for errors
	frame []byte // the request
	want  []byte // start of the answer after the correlation id
	cost  int    // bytes a request takes from the budget

	// next, if set, changes frame for the request with the next correlation id, which must not be shared.
	next func(frame []byte, correlation uint32)
	// rest reads what follows want in the answer, n bytes, and returns how many of them are record batches.
	rest func(correlation uint32, n int) (int, error)

	sent, answered uint32 // correlation ids
	sentAt         []time.Time
	copies         []byte
	vecs           net.Buffers
}

func dial(addr string) (*Conn, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	return &Conn{nc: nc, br: bufio.NewReaderSize(nc, readBytes)}, nil
}

// DialProduce connects to a server in order to add batch to a partition, again and again.
func DialProduce(addr, topic string, partition int32, batch []byte) (*Conn, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	c.what = fmt.Sprintf("produce to partition %d", partition)
	c.frame, c.want, c.cost = produceFrame(topic, partition, batch), produced(topic, partition), len(batch)
	c.rest = func(_ uint32, n int) (int, error) {
		_, err := c.br.Discard(n)
		return len(batch), err
	}
	return c, nil
}

// DialFetch connects to a server in order to fetch bytesMax bytes at a time from a partition that holds batches of
// recordsEach records and of length bytes each, count of them. It goes on as far as each answer is bound to reach, and
// at the end begins again. An answer that is shorter than the whole batches that fit is an error.
func DialFetch(addr, topic string, partition int32, bytesMax, length, recordsEach, count int) (*Conn, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	each := bytesMax / length // whole batches in an answer
	turns := uint32(count / each)
	if turns == 0 {
		c.Close()
		return nil, fmt.Errorf("fetch from partition %d: %d batches do not fill an answer of %d bytes", partition, count, bytesMax)
	}
	offset := func(correlation uint32) uint64 { return uint64(correlation%turns) * uint64(each*recordsEach) }
	frame, offsetAt := fetchFrame(topic, partition, bytesMax)
	c.what = fmt.Sprintf("fetch from partition %d", partition)
	c.frame, c.want, c.cost = frame, fetched(topic, partition), each*length
	c.next = func(frame []byte, correlation uint32) { be.PutUint64(frame[offsetAt:], offset(correlation)) }
	c.rest = func(correlation uint32, n int) (int, error) {
		return c.readFetched(n, offset(correlation), each*length)
	}
	return c, nil
}

// readFetched reads a fetch answer from the high watermark on. It must hold at least bytesMin bytes of batches, the first
// of them at offset and sound.
func (c *Conn) readFetched(n int, offset uint64, bytesMin int) (int, error) {
	const upToRecords = 3*8 + 3*4 // three offsets, aborted transactions, preferred replica, length of the records
	head, err := c.br.Peek(min(n, upToRecords+12))
	if err != nil {
		return 0, err
	}
	if n < upToRecords+bytesMin {
		return 0, fmt.Errorf("%d bytes of records, expected %d", n-upToRecords, bytesMin)
	}
	if got := be.Uint64(head[upToRecords:]); got != offset {
		return 0, fmt.Errorf("first batch at offset %d, expected %d", got, offset)
	}
	_, err = c.br.Discard(n)
	return n - upToRecords, err
}

// Close ends the connection.
func (c *Conn) Close() { c.nc.Close() }

// Run keeps depth requests of each connection under way until the budget is used up, and waits for all answers.
func Run(conns []*Conn, depth int, budget *Budget) (*Load, error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		total Load
		first error
	)
	start := time.Now()
	for _, c := range conns {
		wg.Go(func() {
			load, err := c.run(depth, budget)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = fmt.Errorf("%s: %w", c.what, err)
			}
			total.Requests += load.Requests
			total.Bytes += load.Bytes
			total.Latency.Merge(&load.Latency)
		})
	}
	wg.Wait()
	total.Elapsed = time.Since(start)
	return &total, first
}

func (c *Conn) run(depth int, budget *Budget) (load *Load, err error) {
	load = &Load{}
	c.sentAt = make([]time.Time, depth)
	if err := c.nc.SetReadDeadline(budget.Until.Add(answerTimeout)); err != nil {
		return load, err
	}
	err = c.send(depth, budget)
	for err == nil && c.answered != c.sent {
		n := 0
		for more := true; more && err == nil; n++ {
			err = c.receive(load)
			more = c.answered != c.sent && c.buffered()
		}
		if err == nil {
			err = c.send(n, budget)
		}
	}
	return load, err
}

// send sends up to n requests in one call.
func (c *Conn) send(n int, budget *Budget) error {
	c.copies, c.vecs = c.copies[:0], c.vecs[:0]
	now := time.Now()
	for ; n > 0 && budget.take(now, c.cost); n-- {
		c.stage()
		c.sentAt[c.sent%uint32(len(c.sentAt))] = now
		c.sent++
	}
	if len(c.copies) == 0 {
		return nil
	}
	if len(c.frame) < sharedFrom {
		_, err := c.nc.Write(c.copies)
		return err
	}
	vecs := c.vecs // WriteTo consumes what it is called on
	_, err := vecs.WriteTo(c.nc)
	return err
}

// stage adds one more request to what send will write. Of a long one only the head is copied.
func (c *Conn) stage() {
	be.PutUint32(c.frame[correlationAt:], c.sent)
	if c.next != nil {
		c.next(c.frame, c.sent)
	}
	if len(c.frame) < sharedFrom {
		c.copies = append(c.copies, c.frame...)
		return
	}
	const head = correlationAt + 4
	if cap(c.copies) < head*len(c.sentAt) {
		c.copies = make([]byte, 0, head*len(c.sentAt)) // never moves while vecs points into it
	}
	at := len(c.copies)
	c.copies = append(c.copies, c.frame[:head]...)
	c.vecs = append(c.vecs, c.copies[at:], c.frame[head:])
}

// buffered says whether a whole answer has been read from the socket already.
func (c *Conn) buffered() bool {
	if c.br.Buffered() < 4 {
		return false
	}
	size, err := c.br.Peek(4)
	return err == nil && c.br.Buffered() >= 4+int(be.Uint32(size))
}

// receive reads and checks one answer.
func (c *Conn) receive(load *Load) error {
	n, err := c.receiveHead()
	if err != nil {
		return err
	}
	records, err := c.rest(c.answered, n)
	if err != nil {
		return err
	}
	load.Latency.Add(time.Since(c.sentAt[c.answered%uint32(len(c.sentAt))]))
	load.Requests++
	load.Bytes += int64(records)
	c.answered++
	return nil
}

// receiveHead reads an answer as far as it is known beforehand and returns how many bytes follow.
func (c *Conn) receiveHead() (int, error) {
	size, err := c.br.Peek(4)
	if err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	n := int(be.Uint32(size))
	if n < 4 || n > answerMax {
		return 0, fmt.Errorf("an answer of %d bytes", n)
	}
	head, err := c.br.Peek(4 + min(n, 4+len(c.want)))
	if err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	if correlation := be.Uint32(head[4:]); correlation != c.answered {
		return 0, fmt.Errorf("an answer to request %d, expected one to %d", correlation, c.answered)
	}
	if err := c.compare(head[8:]); err != nil {
		return 0, err
	}
	_, err = c.br.Discard(len(head))
	return n - 4 - len(c.want), err
}

// compare checks the start of an answer. The last field of it is the error code.
func (c *Conn) compare(got []byte) error {
	if bytes.Equal(got, c.want) {
		return nil
	}
	if at := len(c.want) - 2; len(got) == len(c.want) && bytes.Equal(got[:at], c.want[:at]) {
		code := int16(be.Uint16(got[at:]))
		return fmt.Errorf("error code %d: %w", code, kerr.ErrorForCode(code))
	}
	return fmt.Errorf("the answer begins % x, expected % x", got, c.want)
}
