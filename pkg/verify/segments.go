package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/segment"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// held is a segment that the state speaks of.
type held struct {
	state.Segment
	topic     *state.Topic
	partition int32
}

func (h *held) key() string { return h.Key(h.topic.Name, h.partition) }

// segmentsOf returns all segments of a state by the keys of their objects.
func segmentsOf(s *state.State) map[string]held {
	all := map[string]held{}
	for t := range s.Topics() {
		for n, p := range t.Partitions {
			for g := range p.Segments(0) {
				h := held{g, t, int32(n)}
				all[h.key()] = h
			}
		}
	}
	return all
}

// checkSegments checks segments, some at a time, and returns the keys of those that are missing.
func (v *verifier) checkSegments(ctx context.Context, segments map[string]held) (missing []string) {
	queue := make(chan string)
	var mu sync.Mutex
	var done atomic.Int64
	var all sync.WaitGroup
	for range v.Parallel {
		all.Go(func() {
			for key := range queue {
				h := segments[key]
				err := v.checkSegment(ctx, &h)
				switch {
				case ctx.Err() != nil: // it tells nothing of the segment
				case errors.Is(err, objstore.ErrAbsent):
					mu.Lock()
					missing = append(missing, key)
					mu.Unlock()
				case err != nil:
					v.damage(key, "%v", err)
				}
				v.progress("segments", done.Add(1), int64(len(segments)))
			}
		})
	}
	for key := range segments {
		queue <- key
	}
	close(queue)
	all.Wait()
	return missing
}

// checkSegment reads a segment and compares it with what the state says of it.
func (v *verifier) checkSegment(ctx context.Context, h *held) error {
	key := h.key()
	get := func(ctx context.Context, p []byte, off int64) error {
		return v.storage.objects.GetRange(ctx, key, p, off)
	}
	m, err := v.readMeta(ctx, get, h.Bytes)
	if err != nil {
		return err
	}
	v.count(func(s *Summary) { s.Segments, s.Records, s.Bytes = s.Segments+1, s.Records+m.Records, s.Bytes+h.Bytes })
	want := segment.Meta{
		Topic: h.topic.Name, TopicID: h.topic.ID, Partition: h.partition, First: h.Base, Last: h.End - 1,
		Records: h.Records, MaxTimestamp: h.MaxTimestamp, PlainBytes: m.PlainBytes, Bytes: h.Bytes,
	}
	if m != want {
		return fmt.Errorf("it says of itself %+v, the state says %+v", m, want)
	}
	return nil
}

func (v *verifier) readMeta(ctx context.Context, get segment.Get, size int64) (segment.Meta, error) {
	if !v.Fast {
		return segment.Verify(ctx, get, size)
	}
	f, err := segment.ReadFooter(ctx, get, size)
	if err != nil {
		return segment.Meta{}, err
	}
	return f.Meta, nil
}
