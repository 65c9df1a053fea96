// Package verify checks storage as it lies: that every byte is the one that was written, and that all of it fits together. It
// writes nothing and locks nobody out, so that it can be run beside a server.
//
// # The order of things
//
// A look (look.go) is what a server would start from: the newest checkpoint, and the journal after it folded into a state. Then
// the state is checked by itself (offsets.go); the journal, entry by entry and batch by batch, against the extents of the state
// (entries.go); the objects against its segments (segments.go); and what is left over is named (objects.go).
//
// # Beside a server
//
// Things change meanwhile, in an order that verify relies on: an object is written before the state speaks of it, and deleted
// after the state has ceased to; entries never change, and go only below a floor that was raised before. So what is missing is
// judged by a second look, taken after it was missed: if the state still speaks of it, it is lost.
//
// Memory is taken by the state, by the list of objects, and a few MiB by each segment that is being read.
package verify

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Options of Run. The zero value is valid.
type Options struct {
	// Fast leaves out the rows of segments, of which only the ends are read then, and the records in batches.
	Fast bool
	// Parallel is how many segments are read at a time; as many as there are processors when 0, and at most parallelMax.
	Parallel int
	// Progress, unless it is nil, is called now and then, by one goroutine at a time.
	Progress func(Progress)
}

const parallelMax = 64

// Progress is how far a run has come.
type Progress struct {
	Doing       string // such as "segments"
	Done, Total int64  // of what Doing counts
}

// Finding is something that was found.
type Finding struct {
	Where string // an object, a file, a partition or a group
	What  string
	Note  bool // it is remarkable, but no damage
}

// String is the finding in a line.
func (f Finding) String() string {
	kind := "damage"
	if f.Note {
		kind = "note"
	}
	return fmt.Sprintf("%s: %s: %s", kind, printable(f.Where), printable(f.What))
}

// printable quotes text that a terminal would not just show: names of files can hold anything.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(s) {
		return strconv.Quote(s)
	}
	return s
}

// Summary is what there was.
type Summary struct {
	Topics, Partitions int
	Records            int64 // in segments and in the journal
	Bytes              int64 // of segments, checkpoints and journal
	Entries            int64 // of the journal
	Segments           int64
	Findings, Notes    int
	Took               time.Duration
}

// verifier is a run.
type verifier struct {
	Options
	storage *Storage
	tell    func(Finding)
	mu      struct {
		sync.Mutex
		Summary
		toldAt time.Time // when Progress was called last
	}
}

// Run checks a storage, and calls found, from one goroutine at a time, with what it finds. Its error says why it could not
// finish: storage that does not answer, or ctx.
func Run(ctx context.Context, s *Storage, o Options, found func(Finding)) (Summary, error) {
	if o.Parallel <= 0 {
		o.Parallel = runtime.GOMAXPROCS(0)
	}
	o.Parallel = min(o.Parallel, parallelMax)
	began := time.Now()
	v := &verifier{Options: o, storage: s, tell: found}
	err := v.run(ctx)
	v.mu.Took = time.Since(began)
	return v.mu.Summary, err
}

func (v *verifier) run(ctx context.Context) error {
	first, err := v.firstLook(ctx)
	if err != nil {
		return err
	}
	defer first.close()
	if first.state != nil {
		v.checkState(first)
	}
	if err := v.walk(ctx, first); err != nil {
		return err
	}
	return v.checkObjects(ctx, first)
}

// damage reports what is wrong.
func (v *verifier) damage(where, format string, args ...any) {
	v.found(Finding{Where: where, What: fmt.Sprintf(format, args...)})
}

// note reports what is remarkable, but right.
func (v *verifier) note(where, format string, args ...any) {
	v.found(Finding{Where: where, What: fmt.Sprintf(format, args...), Note: true})
}

func (v *verifier) found(f Finding) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.Note {
		v.mu.Notes++
	} else {
		v.mu.Findings++
	}
	v.tell(f)
}

// count adds to the summary.
func (v *verifier) count(add func(*Summary)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	add(&v.mu.Summary)
}

// progressInterval is how often Progress is called at most.
const progressInterval = 200 * time.Millisecond

func (v *verifier) progress(doing string, done, total int64) {
	if v.Options.Progress == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if time.Since(v.mu.toldAt) >= progressInterval {
		v.mu.toldAt = time.Now()
		v.Options.Progress(Progress{doing, done, total})
	}
}
