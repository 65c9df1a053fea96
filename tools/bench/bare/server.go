// Package bare is the least a Go program can do and still be a Kafka broker to a producer and a consumer: the upper
// bound that tools/bench measures Heraclitus against. It shares no code with it.
//
// A produce goes like this. The connection's goroutine reads as many bytes as there are and walks the frames in them,
// checks the CRC of each batch, copies the batch into the one log and encodes the answer, which the connection keeps in a
// queue. One more goroutine commits: it writes what the log has gained to the journal, syncs it, and wakes the
// connections whose answers have become true; while it syncs, the next commit gathers by itself. So no connection
// waits for a sync before it reads on.
//
// What is left out is what makes a broker: recovery, retention, sequence numbers, long polls that wake early, groups,
// authorisation, limits per client, more than one version of each API. Old data is overwritten, and fetched from memory.
package bare

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

// Options say where a server keeps its log.
type Options struct {
	Dir          string // holds the journal; empty: nothing is written, and a batch is acknowledged once it is in memory
	JournalBytes int64  // least size of the journal, which is written once and then overwritten; 0: it is new, and grows
	HoldBytes    int64  // newest bytes of the log that stay fetchable, in memory
}

type topic struct {
	name       string
	partitions []*partition
}

type server struct {
	host string
	port int32
	log  *log

	journal *journal // nil in memory mode
	kick    chan struct{}
	waiting struct {
		sync.Mutex
		conns []*conn // those with answers that wait for a commit, each once
	}

	topics struct {
		sync.Mutex                                   // held to add one
		byName     atomic.Pointer[map[string]*topic] // replaced, never changed
	}
	producers atomic.Int64 // last producer id given out
}

// Serve answers the connections of l until it is closed. A failed commit ends the process: nothing after it could be
// acknowledged.
func Serve(l net.Listener, o Options) error {
	s, err := newServer(l, o)
	if err != nil {
		return err
	}
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		serve(s, nc)
	}
}

func newServer(l net.Listener, o Options) (*server, error) {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, fmt.Errorf("read the listener's address: %w", err)
	}
	number, _ := strconv.Atoi(port) // a listener's port is a number
	s := &server{host: host, port: int32(number), kick: make(chan struct{}, 1)}
	s.topics.byName.Store(&map[string]*topic{})
	if s.log, err = newLog(o.HoldBytes); err != nil {
		return nil, err
	}
	if o.Dir == "" {
		s.log.volatile = true
		return s, nil
	}
	if s.journal, err = openJournal(o.Dir, o.JournalBytes); err != nil {
		return nil, err
	}
	go s.commit()
	return s, nil
}

// commit makes the log durable whenever it has grown.
func (s *server) commit() {
	for range s.kick {
		for from := s.log.durable.Load(); from < s.log.head.Load(); from = s.log.durable.Load() {
			to := min(s.log.head.Load(), from+commitBytesMax)
			if err := s.journal.commit(s.log, from, to); err != nil {
				fmt.Fprintln(os.Stderr, "bare:", err)
				os.Exit(1)
			}
			s.log.durable.Store(to)
			s.wake(to)
		}
	}
}

// await notes that answers of c wait for a commit, and starts one.
func (s *server) await(c *conn) {
	s.waiting.Lock()
	s.waiting.conns = append(s.waiting.conns, c)
	s.waiting.Unlock()
}

// wake wakes every connection that has answers up to position durable.
func (s *server) wake(durable int64) {
	s.waiting.Lock()
	conns := s.waiting.conns
	s.waiting.conns = nil
	s.waiting.Unlock()
	for _, c := range conns {
		if c.committed(durable) {
			s.await(c)
		}
	}
}

// partition returns a partition, or nil if there is none.
func (t *topic) partition(id int32) *partition {
	if t == nil || id < 0 || int(id) >= len(t.partitions) {
		return nil
	}
	return t.partitions[id]
}

func (s *server) topic(name []byte) *topic {
	return (*s.topics.byName.Load())[string(name)]
}

// create adds a topic and says whether it is new.
func (s *server) create(name string, partitions int32) bool {
	s.topics.Lock()
	defer s.topics.Unlock()
	old := *s.topics.byName.Load()
	if old[name] != nil {
		return false
	}
	byName := make(map[string]*topic, len(old)+1)
	for k, v := range old {
		byName[k] = v
	}
	t := &topic{name: name}
	for id := range partitions {
		t.partitions = append(t.partitions, &partition{topic: t, id: id})
	}
	byName[name] = t
	s.topics.byName.Store(&byName)
	return true
}
