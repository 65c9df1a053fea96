package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// deleted writes a response down: name code, with the id's first byte if it has one.
func deleted(r *wire.DeleteTopicsResponse) []string {
	var all []string
	for _, t := range r.Responses {
		s := fmt.Sprintf("%s %v", text(t.Name), kerr.Code(t.ErrorCode))
		if !t.TopicID.IsZero() {
			s += " id"
		}
		all = append(all, s)
	}
	return all
}

func TestDeleteTopicsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyDeleteTopics, 0, func(v int16) {
		w.create("t", 1)
		q := &wire.DeleteTopicsRequest{TopicNames: []string{"nope", "t", "a/b"}}
		for i := range q.TopicNames {
			q.Topics = append(q.Topics, wire.DeleteTopicsRequestDeleteTopicState{Name: &q.TopicNames[i]})
		}
		r := ask[wire.DeleteTopicsResponse](w, wire.KeyDeleteTopics, v, q)
		want := "t NONE"
		if v >= 6 {
			want += " id"
		}
		w.expect(fmt.Sprint("v", v), deleted(r), "nope UNKNOWN_TOPIC_OR_PARTITION", want, "a/b UNKNOWN_TOPIC_OR_PARTITION")
		if v >= 5 && (r.Responses[0].ErrorMessage == nil || r.Responses[1].ErrorMessage != nil) {
			t.Errorf("v%d: %+v", v, r.Responses)
		}
		if len(w.engine.Topics()) != 0 {
			t.Errorf("v%d: the topic is still there", v)
		}
	})
}

func TestDeleteTopicsByNameAndID(t *testing.T) {
	w := newWorld(t, Options{})
	a, b, c := w.create("a", 1), w.create("b", 1), w.create("c", 1)
	type entry = wire.DeleteTopicsRequestDeleteTopicState
	named := func(name string) entry { return entry{Name: &name} }
	f := func(topics []entry, want ...string) {
		t.Helper()
		w.expect(fmt.Sprint(want), deleted(ask[wire.DeleteTopicsResponse](w, wire.KeyDeleteTopics, 6, &wire.DeleteTopicsRequest{Topics: topics})), want...)
	}
	f([]entry{{TopicID: kbin.UUID{9}}, {}}, "null UNKNOWN_TOPIC_ID id", "null INVALID_REQUEST")
	f([]entry{{TopicID: a, Name: pointer("a")}}, "a INVALID_REQUEST id")
	f([]entry{named("a"), named("nope"), named("a")}, "a INVALID_REQUEST", "nope UNKNOWN_TOPIC_OR_PARTITION")
	f([]entry{{TopicID: a}, {TopicID: a}, {TopicID: a}}, "null INVALID_REQUEST id")
	f([]entry{{TopicID: a}, named("a")}, "a INVALID_REQUEST id")
	f([]entry{named("a"), {TopicID: a}}, "a INVALID_REQUEST id")
	f([]entry{named("b"), {TopicID: b}, {TopicID: b}}, "b INVALID_REQUEST id")
	if n := len(w.engine.Topics()); n != 3 {
		t.Fatalf("%d topics are left", n)
	}
	f([]entry{{TopicID: c}, named("a"), named("a"), {TopicID: a}, named("b")}, "c NONE id", "a INVALID_REQUEST", "a NONE id", "b NONE id")
	f(nil)
}
