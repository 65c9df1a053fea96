package handler

import (
	"fmt"
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// What is shown here: settings are set, taken off, added to and taken from as Kafka does it, all of one topic or none;
// what is refused, with Kafka's codes, changes nothing; and a change is in effect with the answer.

// op is what is to be done to a setting; "" as value is null.
type op struct {
	name  string
	kind  int8
	value string
}

// altered is what a request has for one resource.
func altered(kind int8, name string, ops ...op) wire.IncrementalAlterConfigsRequestAlterConfigsResource {
	r := wire.IncrementalAlterConfigsRequestAlterConfigsResource{ResourceType: kind, ResourceName: name}
	for _, o := range ops {
		c := wire.IncrementalAlterConfigsRequestAlterableConfig{Name: o.name, ConfigOperation: o.kind, Value: &o.value}
		if o.value == "" {
			c.Value = nil
		}
		r.Configs = append(r.Configs, c)
	}
	return r
}

func (w *world) alterConfigs(version int16, validateOnly bool, resources ...wire.IncrementalAlterConfigsRequestAlterConfigsResource) []string {
	w.Helper()
	var all []string
	q := &wire.IncrementalAlterConfigsRequest{Resources: resources, ValidateOnly: validateOnly}
	for _, r := range ask[wire.IncrementalAlterConfigsResponse](w, wire.KeyIncrementalAlterConfigs, version, q).Responses {
		all = append(all, fmt.Sprintf("%d %s %v", r.ResourceType, r.ResourceName, kerr.Code(r.ErrorCode)))
		if (r.ErrorMessage == nil) != (r.ErrorCode == 0) {
			w.Errorf("%s: %v with %s", r.ResourceName, kerr.Code(r.ErrorCode), text(r.ErrorMessage))
		}
	}
	return all
}

// expectConfig checks what is set on topic t: names and values in turn.
func (w *world) expectConfig(what string, pairs ...string) {
	w.Helper()
	var want []state.ConfigEntry
	for pair := range slices.Chunk(pairs, 2) {
		want = append(want, state.ConfigEntry{Name: pair[0], Value: pair[1]})
	}
	if t, _ := w.engine.Topic("t"); !slices.Equal(t.Config, want) {
		w.Errorf("%s: %v, want %v", what, t.Config, want)
	}
}

func TestIncrementalAlterConfigsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	eachVersion(wire.KeyIncrementalAlterConfigs, 0, func(v int16) {
		w.expect("alter", w.alterConfigs(v, false, altered(2, "t", op{"retention.ms", opSet, fmt.Sprint(v + 5)}), altered(2, "nope")),
			"2 t NONE", "2 nope UNKNOWN_TOPIC_OR_PARTITION")
		if got, _ := w.engine.Topic("t"); got.Settings.RetentionMs != int64(v)+5 {
			t.Errorf("v%d: retention.ms is %d", v, got.Settings.RetentionMs)
		}
	})
}

func TestIncrementalAlterConfigs(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	f := func(ops []op, pairs ...string) {
		t.Helper()
		w.expect(fmt.Sprint(ops), w.alterConfigs(1, false, altered(2, "t", ops...)), "2 t NONE")
		w.expectConfig(fmt.Sprint(ops), pairs...)
	}
	f([]op{{"retention.ms", opSet, "1"}, {"max.message.bytes", opSet, "99"}}, "max.message.bytes", "99", "retention.ms", "1")
	f([]op{{"max.message.bytes", opRemove, ""}, {"flush.ms", opRemove, ""}, {"unknown", opRemove, ""}}, "retention.ms", "1")
	f([]op{{"retention.ms", opRemove, "1"}, {"cleanup.policy", opAppend, "compact"}}, "cleanup.policy", "delete,compact")
	f([]op{{"cleanup.policy", opSubtract, " delete , nothing"}}, "cleanup.policy", "compact")
	f([]op{{"cleanup.policy", opAppend, "compact"}}, "cleanup.policy", "compact")
	f([]op{{"cleanup.policy", opAppend, "delete"}}, "cleanup.policy", "compact,delete")
	f([]op{{"cleanup.policy", opAppend, "compact"}}, "cleanup.policy", "compact,delete")
	f([]op{{"cleanup.policy", opSet, "delete, compact"}}, "cleanup.policy", "delete, compact")
	f([]op{{"cleanup.policy", opAppend, "delete"}}, "cleanup.policy", "delete,compact")
	f(nil, "cleanup.policy", "delete,compact")
}

func TestIncrementalAlterConfigsRefusals(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("t", 1)
	good := op{"retention.ms", opSet, "1"}
	f := func(want string, resources ...wire.IncrementalAlterConfigsRequestAlterConfigsResource) {
		t.Helper()
		w.expect(want, w.alterConfigs(1, false, resources...), want)
		w.expectConfig(want)
	}
	f("2 t INVALID_CONFIG", altered(2, "t", good, op{"retention.bytes", opSet, "x"}))
	f("2 t INVALID_CONFIG", altered(2, "t", good, op{"unknown", opSet, "x"}))
	f("2 t INVALID_CONFIG", altered(2, "t", good, op{"unknown", opAppend, "x"}))
	f("2 t INVALID_CONFIG", altered(2, "t", good, op{"retention.bytes", opAppend, "1"}))
	f("2 t INVALID_CONFIG", altered(2, "t", good, op{"min.compaction.lag.ms", opSet, "9"}, op{"max.compaction.lag.ms", opSet, "8"}))
	f("2 t INVALID_REQUEST", altered(2, "t", good, op{"retention.bytes", opSet, ""}))
	f("2 t INVALID_REQUEST", altered(2, "t", good, op{"cleanup.policy", opAppend, ""}))
	f("2 t INVALID_REQUEST", altered(2, "t", good, op{"retention.bytes", 4, "1"}))
	f("2 t INVALID_REQUEST", altered(2, "t", good, good))
	f("2 t INVALID_REQUEST", altered(2, "t", good), altered(2, "t"))
	f("2 a/b INVALID_TOPIC_EXCEPTION", altered(2, "a/b", good))
	f("4 1 INVALID_REQUEST", altered(4, "1", good))
	f("16 t INVALID_REQUEST", altered(16, "t", good))
	w.expect("validate", w.alterConfigs(1, true, altered(2, "t", good)), "2 t NONE")
	w.expectConfig("validate")
}

func TestAlterConfigsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyAlterConfigs, 0, func(v int16) {
		name := fmt.Sprint("t", v)
		w.create(name, 1)
		alter := func(validateOnly bool, pairs ...string) (codes []string) {
			q := &wire.AlterConfigsRequest{ValidateOnly: validateOnly, Resources: []wire.AlterConfigsRequestAlterConfigsResource{{ResourceType: 2, ResourceName: name}, {ResourceType: 4, ResourceName: "1"}}}
			for pair := range slices.Chunk(pairs, 2) {
				q.Resources[0].Configs = append(q.Resources[0].Configs, wire.AlterConfigsRequestAlterableConfig{Name: pair[0], Value: &pair[1]})
			}
			for _, r := range ask[wire.AlterConfigsResponse](w, wire.KeyAlterConfigs, v, q).Responses {
				codes = append(codes, kerr.Code(r.ErrorCode).Name())
			}
			return codes
		}
		has := func(want ...state.ConfigEntry) {
			t.Helper()
			if got, _ := w.engine.Topic(name); !slices.Equal(got.Config, want) {
				t.Errorf("v%d: %v, want %v", v, got.Config, want)
			}
		}
		w.expect("set", alter(false, "retention.ms", "1", "flush.ms", "2"), "NONE", "INVALID_REQUEST")
		has(state.ConfigEntry{Name: "flush.ms", Value: "2"}, state.ConfigEntry{Name: "retention.ms", Value: "1"})
		w.expect("bad", alter(false, "retention.ms", "x"), "INVALID_CONFIG", "INVALID_REQUEST")
		w.expect("twice", alter(false, "retention.ms", "3", "retention.ms", "3"), "INVALID_REQUEST", "INVALID_REQUEST")
		w.expect("validate", alter(true, "retention.ms", "3"), "NONE", "INVALID_REQUEST")
		w.expect("replace", alter(false, "retention.ms", "3"), "NONE", "INVALID_REQUEST")
		has(state.ConfigEntry{Name: "retention.ms", Value: "3"})
		w.expect("none", alter(false), "NONE", "INVALID_REQUEST")
		has()
	})
}
