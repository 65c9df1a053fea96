// Package freeport finds ports for the servers that tests start.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
)

// Ports are below those that Linux gives to outgoing connections, the first of which is 32768: a port that the system
// chooses may be a connection's own by the time the server asks for it.
const (
	lowest  = 20000
	highest = 32767
)

var given struct {
	sync.Mutex
	ports map[int]bool
}

// Get returns a port of 127.0.0.1 that nobody listens on. A process is given each port once at most, so that two servers
// never share one; programs that ask at the same time hardly ever get the same, because the choice is random.
func Get() (int, error) {
	given.Lock()
	defer given.Unlock()
	if given.ports == nil {
		given.ports = map[int]bool{}
	}
	for len(given.ports) <= highest-lowest {
		port := lowest + rand.IntN(highest-lowest+1)
		if given.ports[port] {
			continue
		}
		given.ports[port] = true
		err := probe(port)
		if err == nil {
			return port, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
	}
	return 0, fmt.Errorf("find a free port: all from %d to %d were given to this process already", lowest, highest)
}

// probe listens for a moment.
func probe(port int) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return l.Close()
}
