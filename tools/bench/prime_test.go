// Shown here: a server counts as primed when its journal has the room and nothing is written any more, not before.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPrimed(t *testing.T) {
	looks := []struct{ room, written int }{{1 << 20, 0}, {1 << 20, 0}, {3 << 20, 5}, {3 << 20, 6}, {3 << 20, 6}}
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# TYPE %s gauge\n%[1]s %[2]d\n%s %d\n", roomMetric, looks[n].room, writtenMetric, looks[n].written)
		n++
	}))
	defer s.Close()
	if err := awaitRoom(t.Context(), s.URL, 2<<20); err != nil || n != len(looks) {
		t.Errorf("primed after %d looks, %v, want %d", n, err, len(looks))
	}
	n = 0
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := awaitRoom(ctx, s.URL, 2<<20); err == nil {
		t.Error("primed although the run has ended")
	}
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	if err := awaitRoom(t.Context(), other.URL, 1); err == nil || !strings.Contains(err.Error(), roomMetric) {
		t.Errorf("no metrics: %v", err)
	}
}
