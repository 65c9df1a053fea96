package broker

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// localhost is the listen_host that means this machine only, by either protocol.
const localhost = "localhost"

// place is where to listen, with the names of the settings that chose it.
type place struct {
	host, hostSetting string
	port              int
	portSetting       string
}

// listen opens the addresses of a place. "localhost" is 127.0.0.1 and, if the machine has it, ::1: some clients try the
// one first, some the other. Port 0 takes a free port, the same for both.
func listen(p place) ([]net.Listener, error) {
	if p.host != localhost {
		l, err := p.listenAt(p.host, p.port)
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	l, err := p.listenAt("127.0.0.1", p.port)
	if err != nil {
		return nil, err
	}
	second, err := p.listenAt("::1", port([]net.Listener{l}))
	if err != nil && (p.port == 0 || !errors.Is(err, syscall.EADDRINUSE)) {
		return []net.Listener{l}, nil
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return []net.Listener{l, second}, nil
}

// listenAt opens one address. Its errors say which setting to change.
func (p place) listenAt(host string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s = %d: something else listens at %s port %d: stop it, or choose another port: %w", p.portSetting, port, host, port, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s = %d: this port is not open to this user: choose one from 1024 on: %w", p.portSetting, port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s = %q: not an address of this machine: %w", p.hostSetting, host, err)
	}
	return nil, fmt.Errorf("%s = %d, %s = %q: %w", p.portSetting, port, p.hostSetting, host, err)
}

// port is where the first of these listeners listens.
func port(listeners []net.Listener) int { return listeners[0].Addr().(*net.TCPAddr).Port }

// exposed says whether other machines may reach one of these listeners.
func exposed(listeners []net.Listener) bool {
	for _, l := range listeners {
		if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
			return true
		}
	}
	return false
}
