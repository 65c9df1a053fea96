//go:build !race

package kbin

import "testing"

// TestPoison shows that builds without the race detector, those that serve, do not pay.
func TestPoison(t *testing.T) {
	frame := []byte("frame")
	if Poison(frame); string(frame) != "frame" {
		t.Errorf("the frame became %q", frame)
	}
}
