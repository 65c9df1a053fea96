package handler

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DeleteTopics: key 20, versions 0 to 6.
//
//   - v0: topics by name (KIP-4).
//   - v1: throttle time (KIP-124).
//   - v2: clients expect throttling after the response (KIP-219).
//   - v3: clients know TOPIC_DELETION_DISABLED (KIP-322). Here topics can always be deleted.
//   - v4: flexible (KIP-482).
//   - v5: a message beside each error (KIP-599).
//   - v6: topics by name or by id (KIP-516).
//
// Each topic is deleted, durably, or refused by itself. One that is named more than once, by name, by id or by both, is
// refused once and not deleted. The timeout plays no part, since the response says what happened.

var (
	errNoTopicNamed   = fmt.Errorf("neither the name nor the id of a topic: %w", kerr.InvalidRequest)
	errNameAndID      = fmt.Errorf("both the name and the id of a topic: %w", kerr.InvalidRequest)
	errNamedTwice     = fmt.Errorf("the topic is named both by name and by id: %w", kerr.InvalidRequest)
	errUnknownTopic   = fmt.Errorf("there is no such topic: %w", kerr.UnknownTopicOrPartition)
	errUnknownTopicID = fmt.Errorf("there is no topic with this id: %w", kerr.UnknownTopicID)
)

func (h *Handler) deleteTopics(c *Call, q *wire.DeleteTopicsRequest, r *wire.DeleteTopicsResponse) error {
	topics := q.Topics
	if c.Version < 6 { // KIP-516
		topics = nil
		for i := range q.TopicNames {
			topics = append(topics, wire.DeleteTopicsRequestDeleteTopicState{Name: &q.TopicNames[i]})
		}
	}
	d := deletion{handler: h, call: c, names: map[string]int{}, ids: map[kbin.UUID]int{}}
	for i := range topics {
		d.count(&topics[i])
	}
	for i := range topics {
		t := &topics[i]
		if d.answered(t) {
			continue
		}
		out := kbin.Add(&r.Responses)
		out.Name, out.TopicID = t.Name, t.TopicID
		if err := d.delete(t, out); err != nil {
			out.ErrorCode, out.ErrorMessage = int16(kerr.Of(err)), message(err)
		}
	}
	return nil
}

// deletion is the topics of one request.
type deletion struct {
	handler *Handler
	call    *Call
	names   map[string]int // how often a topic is named; -1 once a repeated one has been answered
	ids     map[kbin.UUID]int
}

func (d *deletion) count(t *wire.DeleteTopicsRequestDeleteTopicState) {
	switch {
	case t.Name == nil:
		d.ids[t.TopicID]++
	case t.TopicID.IsZero():
		d.names[*t.Name]++
	}
}

// answered says whether an entry is answered with another one.
func (d *deletion) answered(t *wire.DeleteTopicsRequestDeleteTopicState) bool {
	if t.Name != nil {
		return t.TopicID.IsZero() && d.names[*t.Name] < 0
	}
	found, ok := d.handler.engine.TopicByID(t.TopicID)
	return d.ids[t.TopicID] < 0 || ok && d.names[found.Name] == 1
}

// delete deletes one topic and fills in what the response says of it beside the error.
func (d *deletion) delete(t *wire.DeleteTopicsRequestDeleteTopicState, out *wire.DeleteTopicsResponseDeletableTopicResult) error {
	var found engine.Topic
	var err error
	switch {
	case t.Name == nil && t.TopicID.IsZero():
		return errNoTopicNamed
	case t.Name == nil:
		found, err = d.byID(t.TopicID)
	case t.TopicID.IsZero():
		found, err = d.byName(*t.Name)
	default:
		return errNameAndID
	}
	if !found.ID.IsZero() {
		out.Name, out.TopicID = &found.Name, found.ID
	}
	if err != nil {
		return err
	}
	if _, err := d.handler.engine.Do(state.DeleteTopic{ID: found.ID}); err != nil {
		return kerr.Of(err)
	}
	d.handler.logChange(d.call, "topic deleted", "topic", found.Name, "partitions", found.Partitions)
	return nil
}

func (d *deletion) byID(id kbin.UUID) (engine.Topic, error) {
	if d.ids[id] > 1 {
		d.ids[id] = -1
		return engine.Topic{}, errDuplicateTopic
	}
	t, ok := d.handler.engine.TopicByID(id)
	if !ok {
		return t, errUnknownTopicID
	}
	return t, nil
}

func (d *deletion) byName(name string) (engine.Topic, error) {
	if d.names[name] > 1 {
		d.names[name] = -1
		return engine.Topic{}, errDuplicateTopic
	}
	t, ok := d.handler.engine.Topic(name)
	switch {
	case !ok:
		return t, errUnknownTopic
	case d.ids[t.ID] != 0:
		return t, errNamedTwice
	}
	return t, nil
}
