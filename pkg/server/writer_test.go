package server

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/metrics"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// sink is a connection that keeps what is written to it, and how it was written.
type sink struct {
	net.Conn
	bytes.Buffer
	writes int
}

func (s *sink) Write(p []byte) (int, error)      { s.writes++; return s.Buffer.Write(p) }
func (s *sink) Read(p []byte) (int, error)       { return s.Buffer.Read(p) }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }

func testWriter(conn net.Conn) *writer {
	return newWriter(conn, &pool{keepMax: 1 << 20}, time.Minute, new(metrics.Counter))
}

// fetched is a finished fetch whose partitions hold these parts.
func fetched(correlationID int32, partitions ...[][]byte) *call {
	c := newAPIs(tableOf(wire.KeyFetch), metrics.New(""))[wire.KeyFetch].newCall().(*call)
	c.Version, c.CorrelationID = 12, correlationID
	topic := wire.FetchResponseFetchableTopicResponse{Topic: "t"}
	for i, parts := range partitions {
		topic.Partitions = append(topic.Partitions, wire.FetchResponsePartitionData{PartitionIndex: int32(i), Records: kbin.Records{Parts: parts}})
	}
	c.Response.(*wire.FetchResponse).Responses = []wire.FetchResponseFetchableTopicResponse{topic}
	return c
}

// TestRecordsInPlace shows that responses written with their records as parts read like ones that hold them as bytes,
// for parts short and long, several responses together, and that the account of their size is right.
func TestRecordsInPlace(t *testing.T) {
	f := func(responses ...[][][]byte) {
		t.Helper()
		out := &sink{}
		w := testWriter(out)
		total := 0
		for i, partitions := range responses {
			total += w.add(fetched(int32(i), partitions...))
		}
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		if out.Len() != total {
			t.Fatalf("%d bytes written, %d announced", out.Len(), total)
		}
		for i, partitions := range responses {
			got := readResponse(t, out, wire.KeyFetch, 12, int32(i)).(*wire.FetchResponse)
			for p, parts := range partitions {
				if want := bytes.Join(parts, nil); !bytes.Equal(got.Responses[0].Partitions[p].Records.Bytes, want) {
					t.Errorf("response %d, partition %d: other records came out", i, p)
				}
			}
		}
	}
	short, long, huge := random(100), random(100<<10), random(3<<20)
	f([][][]byte{{short}})
	f([][][]byte{{short, long}, {}, {long, short, short}})
	f([][][]byte{{long}}, [][][]byte{{short}}, [][][]byte{{}}, [][][]byte{{huge, short}, {short, huge}})
	var many [][]byte
	for i := range 3000 {
		many = append(many, random(i))
		many = append(many, random(copiedBytesMax+i))
	}
	f([][][]byte{many})
}

// TestVectors shows what is copied and what is not: long parts go out from where they lie, short ones together.
func TestVectors(t *testing.T) {
	f := func(want string, parts ...[]byte) {
		t.Helper()
		w := testWriter(&sink{})
		w.add(fetched(1, parts))
		w.vectorise()
		var got []string
		for _, v := range w.vectors {
			kind := "copied"
			for i, p := range parts {
				if len(p) > 0 && &p[0] == &v[0] {
					kind = fmt.Sprint("part ", i)
				}
			}
			got = append(got, kind)
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("vectors: %s; want %s", s, want)
		}
	}
	short, long := func() []byte { return random(100) }, func() []byte { return random(copiedBytesMax) }
	f("copied", short(), short())
	f("copied, part 0, copied", long())
	f("copied, part 1, copied, part 3, part 4, copied", short(), long(), short(), long(), long(), short(), short())
}

// TestBurst shows that the responses of a burst leave in one write.
func TestBurst(t *testing.T) {
	out := &sink{}
	w := testWriter(out)
	for i := range int32(8) {
		w.add(fetched(i, [][]byte{random(50)}))
	}
	if err := w.flush(); err != nil || out.writes != 1 {
		t.Errorf("%d writes, %v; want one", out.writes, err)
	}
}

// TestWriterLetsGo shows that a writer that is done holds on neither to records nor to much memory.
func TestWriterLetsGo(t *testing.T) {
	w := testWriter(&sink{})
	var parts [][]byte
	for range 200 {
		parts = append(parts, random(copiedBytesMax), random(10))
	}
	for range 3 {
		w.add(fetched(1, parts, parts[:20]))
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		for _, v := range append(w.vectors[:cap(w.vectors)], w.window[:cap(w.window)]...) {
			if v != nil {
				t.Fatal("a vector is kept")
			}
		}
		if cap(w.vectors) > keptVectors || cap(w.window) > keptVectors || cap(w.buf) > keptWriterBytes || w.copied != nil {
			t.Fatalf("kept: %d vectors, a window of %d, %d bytes, %d bytes copied", cap(w.vectors), cap(w.window), cap(w.buf), cap(w.copied))
		}
	}
}

// readResponse reads one response from r, which must be to the request with this correlation id and decode fully.
func readResponse(t *testing.T, r io.Reader, key, version int16, correlationID int32) wire.Message {
	t.Helper()
	b := readFrame(t, r)
	var reader kbin.Reader
	reader.Reset(b, 64<<20)
	var header wire.ResponseHeader
	header.Decode(&reader, wire.ResponseHeaderVersion(key, version))
	if header.CorrelationID != correlationID {
		t.Fatalf("the answer is to request %d, want %d", header.CorrelationID, correlationID)
	}
	m := wire.NewResponse(key)
	m.Decode(&reader, version)
	if reader.Err() != nil || reader.Len() != 0 {
		t.Fatalf("the answer to request %d does not decode: %v, %d bytes left", correlationID, reader.Err(), reader.Len())
	}
	return m
}

// readFrame reads one frame without its length.
func readFrame(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		t.Fatalf("read the length of an answer: %v", err)
	}
	b := make([]byte, int(size[0])<<24|int(size[1])<<16|int(size[2])<<8|int(size[3]))
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatalf("read an answer of %d bytes: %v", len(b), err)
	}
	return b
}
