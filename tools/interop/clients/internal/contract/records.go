package contract

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Partitions is how many the topic of Records has.
const Partitions = 2

// epoch is the timestamp of the first of a check's records; the others follow a second apart. It is recent, because a
// server may forget old records at any time.
var epoch = time.Now().Add(-time.Hour).Truncate(time.Millisecond)

// Record is a record as every client can say it. A nil slice is null, which is not the same as empty.
type Record struct {
	Partition  int32
	Key, Value []byte
	Headers    []Header
	Time       time.Time
}

// Header is one of a record's headers.
type Header struct {
	Name  string
	Value []byte
}

// Time is the timestamp of the i-th record of a check.
func Time(i int) time.Time { return epoch.Add(time.Duration(i) * time.Second) }

// Records are 200 records for two partitions, with every way in which a key, a value or a header can be empty, and a
// few large values, so that there are batches of more than one record and more than one batch.
func Records() []Record {
	records := make([]Record, 200)
	for i := range records {
		records[i] = Record{Partition: int32(i % Partitions), Key: key(i), Value: value(i), Time: Time(i)}
		if magic() >= magicHeaders {
			records[i].Headers = headers(i)
		}
	}
	return records
}

// Formats of records that first have something.
const (
	magicTimes   = 1 // KIP-32
	magicHeaders = 2 // KIP-82
)

// magic is the newest format that records can take on their way: 2, unless MAGIC says otherwise, as tools/capture does.
func magic() int {
	if n, err := strconv.Atoi(os.Getenv("MAGIC")); err == nil {
		return n
	}
	return 2
}

func key(i int) []byte {
	switch i % 5 {
	case 0:
		return nil
	case 1:
		return []byte{}
	}
	return fmt.Appendf(nil, "key-%d", i)
}

func value(i int) []byte {
	switch {
	case i%40 == 9:
		return bytes.Repeat(fmt.Appendf(nil, "%07d ", i), largeBytes()/8)
	case i%7 == 0:
		return nil
	case i%7 == 1:
		return []byte{}
	}
	return fmt.Appendf(nil, "value %d, of some length, so that there is something to compress", i)
}

// largeBytes is the size of the largest values: 100 KiB, unless LARGE_BYTES asks for less, as tools/capture does.
func largeBytes() int {
	if n, err := strconv.Atoi(os.Getenv("LARGE_BYTES")); err == nil {
		return n
	}
	return 100 << 10
}

func headers(i int) []Header {
	switch i % 3 {
	case 0:
		return nil
	case 1:
		return []Header{{"trace", fmt.Append(nil, i)}}
	}
	return []Header{{"b", []byte("1")}, {"a", []byte("2")}, {"b", []byte("3")}, {"empty", []byte{}}, {"null", nil}}
}

// EmptyAsNull makes of records what a client reads that does not tell an empty key, value or header from a null one.
func EmptyAsNull(records []Record) []Record {
	null := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		return b
	}
	for i := range records {
		r := &records[i]
		r.Key, r.Value = null(r.Key), null(r.Value)
		for j, h := range r.Headers {
			r.Headers[j].Value = null(h.Value)
		}
	}
	return records
}

// Compare says how the records that were read differ from those that were sent, partition by partition, in order.
func Compare(read, sent []Record) error {
	for p := range int32(Partitions) {
		r, s := ofPartition(p, read), ofPartition(p, sent)
		for i := range min(len(r), len(s)) {
			if got, want := r[i].String(), s[i].String(); got != want {
				return fmt.Errorf("record %d of partition %d: read %s, sent %s", i, p, got, want)
			}
		}
		if len(r) != len(s) {
			return fmt.Errorf("partition %d: %d records read, %d sent", p, len(r), len(s))
		}
	}
	return nil
}

func ofPartition(p int32, records []Record) (some []Record) {
	for _, r := range records {
		if r.Partition == p {
			some = append(some, r)
		}
	}
	return some
}

// String is all of a record but its partition; long values are cut, with their length.
func (r Record) String() string {
	s := fmt.Sprintf("{%s: %s", field(r.Key), field(r.Value))
	if magic() >= magicTimes {
		s += fmt.Sprintf(", at %d", r.Time.UnixMilli())
	}
	for _, h := range r.Headers {
		s += fmt.Sprintf(", %s = %s", h.Name, field(h.Value))
	}
	return s + "}"
}

func field(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case len(b) > 100:
		return fmt.Sprintf("%.20q… of %d bytes", b, len(b))
	}
	return fmt.Sprintf("%q", b)
}
