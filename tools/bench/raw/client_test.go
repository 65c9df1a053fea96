// Shown here: a batch is what franz-go decodes it to; the requests are what franz-go decodes them to; and answers that
// are wrong in any way end a run with an error. (That right answers do not is shown by the tests of the servers.)
package raw

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestBatchIsSound(t *testing.T) {
	raw := Batch(100, 1024)
	var b kmsg.RecordBatch
	if err := b.ReadFrom(raw); err != nil {
		t.Fatal(err)
	}
	if b.NumRecords != 100 || b.LastOffsetDelta != 99 || int(b.Length) != len(raw)-12 || b.Magic != 2 {
		t.Errorf("header: %+v", b)
	}
	if uint32(b.CRC) != crc32.Checksum(raw[21:], castagnoli) {
		t.Error("wrong checksum")
	}
	records := b.Records
	for i := range b.NumRecords {
		r := kmsg.NewRecord()
		if err := r.ReadFrom(records); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if r.OffsetDelta != i || len(r.Value) != 1024 || r.Key != nil {
			t.Fatalf("record %d: %+v", i, r)
		}
		records = records[len(binary.AppendVarint(nil, int64(r.Length)))+int(r.Length):]
	}
	if len(records) != 0 {
		t.Errorf("%d bytes behind the last record", len(records))
	}
}

// decode reads a request frame into m, which has to take all of it.
func decode(t *testing.T, frame []byte, m kmsg.Request, version int16) {
	t.Helper()
	if int(be.Uint32(frame)) != len(frame)-4 || int16(be.Uint16(frame[4:])) != m.Key() || int16(be.Uint16(frame[6:])) != version {
		t.Fatalf("frame begins % x", frame[:8])
	}
	m.SetVersion(version)
	body := frame[12+2+len("bench"):]
	if err := m.ReadFrom(body); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.AppendTo(nil), body) {
		t.Error("does not encode to the same bytes")
	}
}

func TestRequestsDecode(t *testing.T) {
	var p kmsg.ProduceRequest
	decode(t, produceFrame("topic", 3, []byte("batch")), &p, produceVersion)
	if got := p.Topics[0]; p.Acks != -1 || got.Topic != "topic" || got.Partitions[0].Partition != 3 || string(got.Partitions[0].Records) != "batch" {
		t.Errorf("produce: %+v", p)
	}
	var f kmsg.FetchRequest
	frame, at := fetchFrame("topic", 3, 1<<20)
	be.PutUint64(frame[at:], 42)
	decode(t, frame, &f, fetchVersion)
	if got := f.Topics[0].Partitions[0]; got.Partition != 3 || got.FetchOffset != 42 || got.PartitionMaxBytes != 1<<20 || f.MaxBytes != 1<<20 {
		t.Errorf("fetch: %+v", f)
	}
}

// server answers the first request of one connection with the given bytes and returns its address.
func server(t *testing.T, answer []byte) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		nc.Write(answer)
		io.Copy(io.Discard, nc) // until the client hangs up
	}()
	return l.Addr().String()
}

// answer is the answer to the first request: body behind its length and a correlation id of 0.
func answer(body ...[]byte) []byte {
	return finish(append(make([]byte, 8), bytes.Join(body, nil)...))
}

func TestWrongAnswersEndTheRun(t *testing.T) {
	batch := Batch(1, 10)
	good := append(produced("t", 0), make([]byte, 8+8+8+4+2+4)...)
	refused := bytes.Clone(good)
	refused[len(produced("t", 0))-1] = 3
	toAnother := answer(good)
	toAnother[7] = 1
	fetchedAt := func(offset byte, n int) []byte {
		b := append(fetched("t", 0), make([]byte, 3*8+3*4)...)
		return answer(b, append(make([]byte, 7), offset), make([]byte, n))
	}
	produce := func(addr string) (*Conn, error) { return DialProduce(addr, "t", 0, batch) }
	fetch := func(addr string) (*Conn, error) { return DialFetch(addr, "t", 0, 1000, 100, 1, 10) }
	f := func(dial func(string) (*Conn, error), answer []byte, want string) {
		t.Helper()
		c, err := dial(server(t, answer))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		budget := NewBudget(time.Minute, int64(c.cost))
		load, err := Run([]*Conn{c}, 1, budget)
		if want == "" && (err != nil || load.Requests != 1) {
			t.Errorf("a right answer: %v", err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	f(produce, answer(good), "")
	f(produce, answer(refused), "error code 3: UNKNOWN_TOPIC_OR_PARTITION")
	f(produce, toAnother, "an answer to request 1, expected one to 0")
	f(produce, answer(good[:4]), "the answer begins")
	f(produce, []byte{0xff, 0xff, 0xff, 0xff}, "an answer of")
	f(fetch, fetchedAt(0, 1000), "")
	f(fetch, fetchedAt(7, 1000), "first batch at offset 7, expected 0")
	f(fetch, fetchedAt(0, 500), "508 bytes of records, expected 1000")
	f(fetch, answer(make([]byte, 6)), "the answer begins")
}
