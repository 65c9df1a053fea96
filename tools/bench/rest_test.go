package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// Shown here: the command "rest" builds a server, has it archive, rebuild and start, and prints its tables; and it says what is wrong
// with its command line. How fast anything was decides nothing.

func TestRestPrintsItsTables(t *testing.T) {
	var out bytes.Buffer
	args := []string{"-mib", "1", "-seconds", "0.1", "-segments", "4", "-journal", "2", "-md", "-dir", t.TempDir()}
	if err := measureRest(t.Context(), args, restEffort{time.Millisecond, 1 << 20, time.Millisecond}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| rows/s of one core | 100 B, snappy |", "| archive: the whole server |", "| rebuild: the whole server, to a consumer |",
		"| resident at most meanwhile |", "MB in the journal, killed, all of the journal replayed |", "MB in the journal, stopped, from a checkpoint |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestRestRefuses(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if err := measureRest(context.Background(), args, usualRest, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
	f("unexpected argument", "more")
	f("have to be positive", "-mib", "0")
	f("at most 1500", "-journal", "2000")
	f(`no measurement "speed"`, "-only", "speed")
}
