package record

import (
	"iter"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Run is batches of magic 2 behind each other, as in the records of a fetch response. Bytes that are not a whole batch are
// an error wherever they are: what a server holds it has checked.
type Run []byte

// Batches yields the batches in order. An error, which wraps CorruptMessage, is the last thing yielded.
func (r Run) Batches() iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for at := 0; at < len(r); {
			b, err := r.batchAt(at)
			if !yield(b, err) || err != nil {
				return
			}
			at += len(b)
		}
	}
}

func (r Run) batchAt(at int) (Batch, error) {
	left := Batch(r[at:])
	if len(left) < HeaderBytes {
		return nil, refuse(kerr.CorruptMessage, "batch at byte %d of %d: %d bytes left", at, len(r), len(left))
	}
	size := left.Size()
	if left.Magic() != Magic || size < HeaderBytes || size > len(left) || left.LastOffsetDelta() < 0 {
		return nil, refuse(kerr.CorruptMessage, "batch at byte %d of %d: magic %d, %d bytes, last offset delta %d",
			at, len(r), left.Magic(), size, left.LastOffsetDelta())
	}
	return left[:size:size], nil
}

// Number gives the batches consecutive offsets from base on, and a leader epoch. It returns the offset behind them.
func (r Run) Number(base int64, leaderEpoch int32) (next int64, err error) {
	for b, err := range r.Batches() {
		if err != nil {
			return base, err
		}
		b.SetBaseOffset(base)
		b.SetLeaderEpoch(leaderEpoch)
		base += int64(b.LastOffsetDelta()) + 1
	}
	return base, nil
}

// From returns the part of the run that begins with the first batch that ends at or after offset: the one that holds it,
// or the next. It is empty when all batches end before.
func (r Run) From(offset int64) (Run, error) {
	at := 0
	for b, err := range r.Batches() {
		if err != nil {
			return nil, err
		}
		if b.LastOffset() >= offset {
			break
		}
		at += len(b)
	}
	return r[at:], nil
}

// Limit returns as many whole batches from the start of the run as fit into so many bytes, and one at least (KIP-74).
func (r Run) Limit(bytes int) (Run, error) {
	at := 0
	for b, err := range r.Batches() {
		if err != nil {
			return nil, err
		}
		if at > 0 && at+len(b) > bytes {
			break
		}
		at += len(b)
	}
	return r[:at:at], nil
}
