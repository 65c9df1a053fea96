//go:build race

package kbin

import "testing"

// TestPoison shows that a view kept after its owner was done reads as something else.
func TestPoison(t *testing.T) {
	frame := AppendBytes(nil, []byte("kept"), true)
	view := newReader(frame).Bytes(true)
	if Poison(frame); string(view) == "kept" {
		t.Error("the view is as it was")
	}
}
