package state

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/heraclitus/heraclitus/pkg/record"
)

// Placed is a command as it lies in an entry.
type Placed struct {
	At      int // its first byte in the entry
	Bytes   int // of it, its header included
	Command any // [Produced], or one of the commands of this package
}

// Produced is the command of a produced batch. The batch is borrowed from the entry; neither its length nor its checksum has
// been checked.
type Produced struct {
	ID        ID
	Partition int32
	CameMs    int64 // by the server's clock
	Batch     record.Batch
}

// Commands yields the commands of an entry. An error comes last: the entry is not one of ours, or of a newer release.
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

// raw is one command as it lies in an entry.
type raw struct {
	kind byte
	body []byte // borrowed from the entry
}

// next cuts the first command off b and returns how many bytes it takes.
func next(b []byte) (raw, int, error) {
	if len(b) < commandHeaderBytes {
		return raw{}, 0, errShort
	}
	n := 4 + int64(binary.BigEndian.Uint32(b))
	if n < commandHeaderBytes || n > int64(len(b)) {
		return raw{}, 0, fmt.Errorf("command of %d bytes where %d are left", n, len(b))
	}
	return raw{b[4], b[commandHeaderBytes:n:n]}, int(n), nil
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
