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

// listen opens the addresses of host at port, which the setting of this name chose. "localhost" is 127.0.0.1 and, where
// there is one, ::1: clients try either first. Port 0 takes a free port, the same for both.
func listen(setting, host string, port int) ([]net.Listener, error) {
	if host != localhost {
		l, err := listenAt(setting, host, port)
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	l, err := listenAt(setting, "127.0.0.1", port)
	if err != nil {
		return nil, err
	}
	second, err := listenAt(setting, "::1", l.Addr().(*net.TCPAddr).Port)
	if err != nil && (port == 0 || !errors.Is(err, syscall.EADDRINUSE)) {
		return []net.Listener{l}, nil
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return []net.Listener{l, second}, nil
}

// listenAt opens one address. Its errors say which setting to change.
func listenAt(setting, host string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s = %d: something else listens at %s port %d: stop it, or choose another port: %w", setting, port, host, port, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s = %d: this port is not open to this user: choose one from 1024 on: %w", setting, port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("listen_host = %q: not an address of this machine: %w", host, err)
	}
	return nil, fmt.Errorf("%s = %d, listen_host = %q: %w", setting, port, host, err)
}

// port is where the first of these listeners listens.
func port(listeners []net.Listener) int { return listeners[0].Addr().(*net.TCPAddr).Port }
