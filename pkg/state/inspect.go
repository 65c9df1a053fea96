package state

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// Placed is a command as it lies in an entry.
type Placed struct {
	At      int // its first byte in the entry
	Bytes   int // of it, its header included
	Command any // [Produced], or one of the commands of this package
}

// Produced is the command of a produced batch. The batch is borrowed from the entry, and neither its length nor its checksum
// has been looked at.
type Produced struct {
	ID        ID
	Partition int32
	CameMs    int64 // by the server's clock
	Batch     record.Batch
}

// Commands yields the commands of an entry. An error is the last thing yielded: the entry is not one of ours, or of a newer release.
func Commands(entry []byte) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		for at := 0; at < len(entry); {
			c, n, err := next(entry[at:])
			p := Placed{At: at, Bytes: n}
			if err == nil {
				p.Command, err = c.command()
			}
			if err != nil {
				yield(p, fmt.Errorf("command at byte %d: %w", at, err))
				return
			}
			if !yield(p, nil) {
				return
			}
			at += n
		}
	}
}

// command decodes a command.
func (c raw) command() (any, error) {
	switch c.kind {
	case kindProduce:
		return c.produced()
	case kindCreateCluster:
		return decode[CreateCluster](c)
	case kindCreateTopic:
		return decode[CreateTopic](c)
	case kindDeleteTopic:
		return decode[DeleteTopic](c)
	case kindAddPartitions:
		return decode[AddPartitions](c)
	case kindAllocateProducerID:
		return decode[AllocateProducerID](c)
	case kindMoveLogStart:
		return decode[MoveLogStart](c)
	case kindExpireProducers:
		return decode[ExpireProducers](c)
	case kindReplaceSegments:
		return decode[ReplaceSegments](c)
	case kindStoreGroup:
		return decode[StoreGroup](c)
	case kindDeleteGroup:
		return decode[DeleteGroup](c)
	case kindCommitOffsets:
		return decode[CommitOffsets](c)
	case kindDeleteOffsets:
		return decode[DeleteOffsets](c)
	case kindExpireOffsets:
		return decode[ExpireOffsets](c)
	case kindConfigureTopic:
		return decode[ConfigureTopic](c)
	case kindUpsertCredential:
		return decode[UpsertCredential](c)
	case kindDeleteCredential:
		return decode[DeleteCredential](c)
	case kindCreateSecret:
		return decode[CreateSecret](c)
	}
	return nil, c.unknown()
}

func (c raw) unknown() error {
	return fmt.Errorf("unknown command kind %d: written by a newer release?", c.kind)
}

func (c raw) produced() (Produced, error) {
	d := decoder{b: c.body}
	p := Produced{ID: d.id(), Partition: d.int32(), CameMs: d.int64()}
	p.Batch = record.Batch(d.b)
	if d.err != nil || len(p.Batch) < record.HeaderBytes {
		return p, fmt.Errorf("produce command of %d bytes: %w", len(c.body), errShort)
	}
	return p, nil
}

// decode decodes the body of a command of one type.
func decode[C any, P interface {
	*C
	decode(d *decoder)
}](c raw) (C, error) {
	var cmd C
	d := decoder{b: c.body}
	P(&cmd).decode(&d)
	if err := d.end(); err != nil {
		return cmd, fmt.Errorf("%T: %w", cmd, err)
	}
	return cmd, nil
}

// Producer is what a partition remembers of an idempotent producer.
type Producer struct {
	ID           int64
	Epoch        int16
	LastMs       int64 // when it last appended
	LastSequence int32
}

// Producers yields the producers that the partition remembers, by id. It must be ranged over under the owner's lock.
func (p *Partition) Producers() iter.Seq[Producer] {
	return func(yield func(Producer) bool) {
		for _, id := range slices.Sorted(maps.Keys(p.producers)) {
			k := p.producers[id]
			r := Producer{ID: id, Epoch: k.epoch, LastMs: k.lastMs, LastSequence: record.NoSequence}
			if n := len(k.recent); n > 0 {
				r.LastSequence = k.recent[n-1].lastSeq
			}
			if !yield(r) {
				return
			}
		}
	}
}

// NextProducerID is what the next AllocateProducerID hands out.
func (s *State) NextProducerID() int64 { return s.nextProducerID }

// IsSnapshot says whether bytes begin as a snapshot of any version does.
func IsSnapshot(head []byte) bool { return bytes.HasPrefix(head, []byte(snapshotMagic[:4])) }
