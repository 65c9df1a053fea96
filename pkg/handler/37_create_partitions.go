package handler

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// CreatePartitions: key 37, versions 0 to 3.
//
//   - v0: the number of partitions that a topic is to have, and where the new ones lie (KIP-195).
//   - v1: clients expect throttling after the response (KIP-219).
//   - v2: flexible (KIP-482).
//   - v3: clients know THROTTLING_QUOTA_EXCEEDED (KIP-599). There are no quotas.
//
// Each topic grows, durably, or is refused by itself. More partitions than the options allow are a POLICY_VIOLATION. The
// timeout plays no part, since the response says what happened.

func (h *Handler) createPartitions(c *Call, q *wire.CreatePartitionsRequest, r *wire.CreatePartitionsResponse) error {
	named := map[string]int{}
	for i := range q.Topics {
		named[q.Topics[i].Name]++
	}
	s := creation{handler: h, call: c}
	for i := range q.Topics {
		in := &q.Topics[i]
		times := named[in.Name]
		if times == 0 {
			continue // answered before
		}
		named[in.Name] = 0
		out := kbin.Add(&r.Results)
		out.Name = in.Name
		err := errDuplicateTopic
		if times == 1 {
			err = s.grow(in, q.ValidateOnly)
		}
		if err != nil {
			out.ErrorCode, out.ErrorMessage = int16(kerr.Of(err)), message(err)
		}
	}
	return nil
}

// grow gives a topic its new partitions, or only says whether it could have them.
func (s *creation) grow(in *wire.CreatePartitionsRequestCreatePartitionsTopic, validateOnly bool) error {
	t, ok := s.handler.engine.Topic(in.Name)
	switch {
	case !ok:
		return errUnknownTopic
	case in.Count <= t.Partitions:
		return fmt.Errorf("the topic has %d partitions, %d are no more: %w", t.Partitions, in.Count, kerr.InvalidPartitions)
	}
	more := in.Count - t.Partitions
	if err := checkAssignments(in.Assignments, more); err != nil {
		return err
	}
	if err := s.checkRoom(t.Partitions, more); err != nil {
		return err
	}
	s.add(in.Name, more)
	if validateOnly {
		return nil
	}
	if _, err := s.handler.engine.Do(state.AddPartitions{ID: t.ID, Count: in.Count}); err != nil {
		return kerr.Of(err)
	}
	s.handler.logChange(s.call, "partitions added", "topic", in.Name, "partitions", in.Count, "before", t.Partitions)
	return nil
}

// checkAssignments says why so many new partitions cannot lie where their client wants them; null leaves it to the server.
func checkAssignments(in []wire.CreatePartitionsRequestCreatePartitionsAssignment, more int32) error {
	if in != nil && len(in) != int(more) {
		return fmt.Errorf("%d more partitions with %d assignments: %w", more, len(in), kerr.InvalidReplicaAssignment)
	}
	for i := range in {
		if err := checkReplicas(in[i].BrokerIDs); err != nil {
			return err
		}
	}
	return nil
}
