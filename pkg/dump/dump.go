// Package dump writes what lies in storage in a form that people can read: journal files and objects, checkpoints, segments. It
// knows them by their first bytes. What is secret (salts and keys of users, the cluster's secret) it does not write.
//
// Every item has a line; what belongs to it follows, indented by two more. Damage has a line, too, and what can be read after it
// follows.
package dump

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal/file"
	"github.com/heraclitus/heraclitus/pkg/journal/s3"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// Source is an object or a file.
type Source struct {
	Name  string
	Bytes int64
	Get   func(ctx context.Context, p []byte, off int64) error // fills p with the bytes from off on
}

// Options say how much is written.
type Options struct {
	Records bool // the records of batches and segments, too
	Width   int  // bytes of a key, value or header that are written; all of them when 0
}

// ErrUnknown says that a source is nothing that a server writes.
var ErrUnknown = errors.New("it does not begin as a journal file, a journal object, a checkpoint or a segment does")

// wholeBytesMax is how large an object that is read as a whole may be: larger than any entry or checkpoint.
const wholeBytesMax = 1 << 30

// magicBytes is how many of its first bytes tell what a source is.
const magicBytes = 8

// dumper writes a source.
type dumper struct {
	Options
	ctx context.Context
	src Source
	out *bufio.Writer
}

// Write writes a source to out. Its error is that of reading or of writing, ErrUnknown, or that of damage that leaves nothing to
// be read.
func Write(ctx context.Context, out io.Writer, src Source, o Options) error {
	d := newDumper(ctx, out, src, o)
	if err := d.write(); err != nil {
		d.out.Flush()
		return fmt.Errorf("dump %s: %w", src.Name, err)
	}
	return d.out.Flush()
}

func newDumper(ctx context.Context, out io.Writer, src Source, o Options) *dumper {
	return &dumper{Options: o, ctx: ctx, src: src, out: bufio.NewWriter(out)}
}

func (d *dumper) write() error {
	head := make([]byte, min(magicBytes, d.src.Bytes))
	if err := d.src.Get(d.ctx, head, 0); err != nil {
		return err
	}
	switch file.ContentsOf(head) {
	case file.VolumeContents:
		return d.volume()
	case file.FloorContents:
		return d.floor()
	case file.SlotsContents:
		return d.slots()
	}
	switch {
	case s3.IsObject(head):
		return d.object()
	case state.IsSnapshot(head):
		return d.checkpoint()
	case len(head) >= 4 && string(head[:4]) == "PAR1":
		return d.segment()
	}
	return ErrUnknown
}

// line writes a line, indented.
func (d *dumper) line(depth int, format string, args ...any) {
	for range depth {
		d.out.WriteString("  ")
	}
	fmt.Fprintf(d.out, format, args...)
	d.out.WriteByte('\n')
}

// failed is the error of what has been written so far, as when the reader has gone, such as head.
func (d *dumper) failed() error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	_, err := d.out.Write(nil)
	return err
}

// whole returns all bytes of the source.
func (d *dumper) whole() ([]byte, error) {
	if d.src.Bytes > wholeBytesMax {
		return nil, fmt.Errorf("it has %d bytes, the limit is %d", d.src.Bytes, wholeBytesMax)
	}
	b := make([]byte, d.src.Bytes)
	return b, d.src.Get(d.ctx, b, 0)
}

// ReadAt implements io.ReaderAt.
func (d *dumper) ReadAt(p []byte, off int64) (int, error) {
	n := min(int64(len(p)), max(0, d.src.Bytes-off))
	if err := d.src.Get(d.ctx, p[:n], off); err != nil {
		return 0, err
	}
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// clock writes milliseconds since 1970.
func clock(ms int64) string {
	if ms == -1 {
		return "none"
	}
	if at := time.UnixMilli(ms).UTC(); at.Year() >= 0 && at.Year() <= 9999 {
		return at.Format("2006-01-02T15:04:05.000Z")
	}
	return strconv.FormatInt(ms, 10) + "ms"
}

// quoted writes bytes, cut when they are longer than is wanted.
func (d *dumper) quoted(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case d.Width > 0 && len(b) > d.Width:
		return fmt.Sprintf("%q+%d", b[:d.Width], len(b)-d.Width)
	}
	return strconv.Quote(string(b))
}
