package freeport

import (
	"fmt"
	"net"
	"testing"
)

func TestEachPortIsGivenOnceAndFree(t *testing.T) {
	seen := map[int]bool{}
	for range 500 {
		port, err := Get()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] || port < lowest || port > highest {
			t.Fatalf("port %d, given before: %v", port, seen[port])
		}
		seen[port] = true
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
}

// TestTakenPortIsNotFree shows that a port on which somebody listens is passed over.
func TestTakenPortIsNotFree(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := probe(taken.Addr().(*net.TCPAddr).Port); err == nil {
		t.Error("it was found free")
	}
}
