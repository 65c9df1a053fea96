// Package state is what the server knows, as a pure fold over the journal: [State.Apply] takes the entries in slot
// order and nothing else changes a State. It has no clock, no randomness and no I/O, and no result depends on the order of
// a map; times and ids come inside the commands. So every server that folds the same journal has the same State, a
// restart is a snapshot and the entries after it, and no other place ever assigns an offset.
//
// A produced batch becomes an [Extent] of its partition: which entry holds it, and where. The bytes stay in the journal.
// A batch that Apply refuses (a repeated or missing sequence, a fenced producer, a deleted topic) stays there as dead
// bytes: no extent points to it.
//
// A State has no lock. Its owner, the engine, applies under a write lock and reads under a read lock.
// FORMAT.md describes the bytes of commands and snapshots.
package state

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// ID names a topic for good: a topic deleted and created again under its old name has another one (KIP-516).
type ID = kbin.UUID

// State is the fold. The zero value is not ready: use [New].
type State struct {
	clusterID      string
	next           uint64 // the slot that Apply expects
	topics         map[ID]*Topic
	names          map[string]*Topic
	nextProducerID int64
	groups         map[string]*Group
	users          map[string][]Credential // by name; a slice, once here, never changes
	secret         []byte
	hashings       map[hashing]int // how many credentials there are of each; follows from users
}

// Result is the outcome of a command.
type Result struct {
	Code       kerr.Code // None when the command took effect or had taken effect before
	Offset     int64     // produced: offset of the first record; -1 when refused
	LogStart   int64     // produced: the partition's log start offset
	AppendMs   int64     // produced to a LogAppendTime batch: its timestamp; else -1
	Duplicate  bool      // produced: the batch had been appended before, at Offset
	ProducerID int64     // of an AllocateProducerID
	TopicID    ID        // of a CreateTopic refused with TopicAlreadyExists: the topic that has the name or the id
}

// New returns the state before the first entry.
func New() *State {
	return &State{topics: map[ID]*Topic{}, names: map[string]*Topic{}, groups: map[string]*Group{}, users: map[string][]Credential{}, hashings: map[hashing]int{}}
}

// ClusterID is Kafka's cluster id: 22 characters of base64url, given by the first CreateCluster command; empty before.
func (s *State) ClusterID() string { return s.clusterID }

// Next is the slot of the entry that Apply expects.
func (s *State) Next() uint64 { return s.next }

// Apply folds one entry into the state and appends one result per command to results. Entries come in slot order, each
// once. An error means that the entry is not one of ours, or that it is out of order: the journal is damaged or of a
// newer release, and the state must not be used any further.
func (s *State) Apply(slot uint64, entry []byte, results []Result) ([]Result, error) {
	if slot != s.next {
		return results, fmt.Errorf("apply entry %d: expected entry %d", slot, s.next)
	}
	for pos := 0; pos < len(entry); {
		c, n, err := next(entry[pos:])
		if err != nil {
			return results, fmt.Errorf("apply entry %d at byte %d: %w", slot, pos, err)
		}
		r, err := s.apply(c, place{slot, uint32(pos)})
		if err != nil {
			return results, fmt.Errorf("apply entry %d at byte %d: %w", slot, pos, err)
		}
		results = append(results, r)
		pos += n
	}
	s.next++
	return results, nil
}

// place is where a command lies in the journal: its entry, and the position of its first byte there.
type place struct {
	slot uint64
	pos  uint32
}

func (s *State) apply(c raw, at place) (Result, error) {
	r := Result{Offset: -1, AppendMs: -1}
	switch c.kind {
	case kindProduce:
		return s.produce(c, at)
	case kindCreateCluster:
		return apply(c, r, s.createCluster)
	case kindCreateTopic:
		return apply(c, r, s.createTopic)
	case kindDeleteTopic:
		return apply(c, r, s.deleteTopic)
	case kindAddPartitions:
		return apply(c, r, s.addPartitions)
	case kindAllocateProducerID:
		return apply(c, r, s.allocateProducerID)
	case kindMoveLogStart:
		return apply(c, r, s.moveLogStart)
	case kindExpireProducers:
		return apply(c, r, s.expireProducers)
	case kindReplaceSegments:
		return apply(c, r, s.replaceSegments)
	case kindStoreGroup:
		return apply(c, r, s.storeGroup)
	case kindDeleteGroup:
		return apply(c, r, s.deleteGroup)
	case kindCommitOffsets:
		return apply(c, r, s.commitOffsets)
	case kindDeleteOffsets:
		return apply(c, r, s.deleteOffsets)
	case kindExpireOffsets:
		return apply(c, r, s.expireOffsets)
	case kindConfigureTopic:
		return apply(c, r, s.configureTopic)
	case kindUpsertCredential:
		return apply(c, r, s.upsertCredential)
	case kindDeleteCredential:
		return apply(c, r, s.deleteCredential)
	case kindCreateSecret:
		return apply(c, r, s.createSecret)
	}
	return r, c.unknown()
}

// apply decodes a command and hands it to the method that folds it in.
func apply[C any, P interface {
	*C
	decode(d *decoder)
}](c raw, r Result, fold func(*C, *Result)) (Result, error) {
	cmd, err := decode[C, P](c)
	if err != nil {
		return r, err
	}
	fold(&cmd, &r)
	return r, nil
}

func (s *State) createCluster(c *CreateCluster, _ *Result) {
	if s.clusterID == "" {
		s.clusterID = c.ClusterID
	}
}
