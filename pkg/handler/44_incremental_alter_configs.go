package handler

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// IncrementalAlterConfigs: key 44, versions 0 to 1.
//
//   - v0: settings of topics are set, taken off, or, where they are lists, added to and taken from (KIP-339).
//   - v1: flexible (KIP-482).
//
// The settings of one topic change together, durably, or not at all; each topic is answered by itself. They take effect
// at once, for retention also on records that are already there. As in Kafka, a setting that is taken off need not have
// been set, nor even exist.
//
// Different from Kafka: the broker's own settings are those of its configuration file, and are refused here; groups,
// client metrics and loggers have none.

// What is to be done to a setting; Kafka's AlterConfigOp.OpType.
const (
	opSet      int8 = 0
	opRemove   int8 = 1
	opAppend   int8 = 2
	opSubtract int8 = 3
)

var errDuplicateResource = fmt.Errorf("each resource must appear at most once: %w", kerr.InvalidRequest)

func (h *Handler) incrementalAlterConfigs(c *Call, q *wire.IncrementalAlterConfigsRequest, r *wire.IncrementalAlterConfigsResponse) error {
	var named []resource
	for i := range q.Resources {
		named = append(named, resource{q.Resources[i].ResourceType, q.Resources[i].ResourceName})
	}
	alter := func(i int) error { return h.alterConfig(c, &q.Resources[i], q.ValidateOnly) }
	return h.alterEach(named, alter, func(what resource, code int16, message *string) {
		out := kbin.Add(&r.Responses)
		out.ResourceType, out.ResourceName, out.ErrorCode, out.ErrorMessage = what.kind, what.name, code, message
	})
}

// alterEach alters the settings of each thing that a request names, and answers for it once. What is named twice is not
// altered.
func (h *Handler) alterEach(named []resource, alter func(i int) error, answer func(what resource, code int16, message *string)) error {
	if err := h.checkCount(len(named), "resources"); err != nil {
		return err
	}
	times := map[resource]int{}
	for _, what := range named {
		times[what]++
	}
	for i, what := range named {
		var err error
		switch times[what] {
		case 0:
			continue // answered before
		case 1:
			err = alter(i)
		default:
			err = errDuplicateResource
		}
		times[what] = 0
		if err == nil {
			answer(what, 0, nil)
		} else {
			answer(what, int16(kerr.Of(err)), message(err))
		}
	}
	return nil
}

// alterConfig changes settings of one topic.
func (h *Handler) alterConfig(call *Call, in *wire.IncrementalAlterConfigsRequestAlterConfigsResource, validateOnly bool) error {
	a, err := h.configure(call, in.ResourceType, in.ResourceName)
	if err != nil {
		return err
	}
	for i := range in.Configs {
		c := &in.Configs[i]
		if err := a.once(c.Name); err != nil {
			return err
		}
		switch c.ConfigOperation {
		case opSet:
			err = a.set(c.Name, c.Value)
		case opRemove:
			a.remove(c.Name)
		case opAppend, opSubtract:
			err = a.edit(c.Name, c.Value, c.ConfigOperation == opAppend)
		default:
			err = fmt.Errorf("unknown operation %d on config %s: %w", c.ConfigOperation, c.Name, kerr.InvalidRequest)
		}
		if err != nil {
			return err
		}
	}
	return a.finish(validateOnly)
}

// configuring is a change of a topic's settings that is being put together.
type configuring struct {
	handler *Handler
	call    *Call
	topic   engine.Topic
	seen    map[string]bool   // names that the request has had
	values  map[string]string // what is to be set
	unset   []string          // what is to be taken off
}

// configure begins a change of a topic's settings: nothing else has settings that can be changed.
func (h *Handler) configure(c *Call, kind int8, name string) (*configuring, error) {
	switch kind {
	case resourceTopic:
	case resourceBroker:
		return nil, fmt.Errorf("the broker's settings cannot be altered by clients: they stand in its configuration file: %w", kerr.InvalidRequest)
	default:
		return nil, fmt.Errorf("nothing of type %d has settings here: %w", kind, kerr.InvalidRequest)
	}
	if err := topic.CheckName(name); err != nil {
		return nil, err
	}
	t, ok := h.engine.Topic(name)
	if !ok {
		return nil, errUnknownTopic
	}
	return &configuring{handler: h, call: c, topic: t, seen: map[string]bool{}, values: map[string]string{}}, nil
}

// once refuses a name that the request has had before.
func (a *configuring) once(name string) error {
	if a.seen[name] {
		return fmt.Errorf("config %s is named more than once: %w", name, kerr.InvalidRequest)
	}
	a.seen[name] = true
	return nil
}

func (a *configuring) set(name string, value *string) error {
	if value == nil {
		return fmt.Errorf("config %s has no value: %w", name, kerr.InvalidRequest)
	}
	a.values[name] = *value
	return nil
}

func (a *configuring) remove(name string) { a.unset = append(a.unset, name) }

// edit adds the words of a value to a list, or takes them from it.
func (a *configuring) edit(name string, value *string, add bool) error {
	if value == nil {
		return fmt.Errorf("config %s has no value: %w", name, kerr.InvalidRequest)
	}
	d := topic.Named(name)
	if d == nil {
		return fmt.Errorf("unknown topic config %q: %w", name, kerr.InvalidConfig)
	}
	if d.Kind != topic.List {
		return fmt.Errorf("config %s is not a list, so nothing can be added to it or taken from it: %w", name, kerr.InvalidConfig)
	}
	had, set := setOn(a.topic.Config, name)
	if !set {
		had = d.Value(a.topic.Settings)
	}
	list := words(had)
	for _, w := range words(*value) {
		switch {
		case !add:
			list = slices.DeleteFunc(list, func(other string) bool { return other == w })
		case !slices.Contains(list, w):
			list = append(list, w)
		}
	}
	a.values[name] = strings.Join(list, ",")
	return nil
}

// words are the parts of a list, without blanks around them.
func words(list string) (all []string) {
	for w := range strings.SplitSeq(list, ",") {
		if w = strings.TrimSpace(w); w != "" {
			all = append(all, w)
		}
	}
	return all
}

// finish checks the settings as they would be, and makes the change unless it is only to be checked.
func (a *configuring) finish(validateOnly bool) error {
	settings := a.handler.engine.Defaults()
	for _, c := range a.topic.Config {
		if _, replaced := a.values[c.Name]; replaced || slices.Contains(a.unset, c.Name) {
			continue
		}
		if err := settings.Set(c.Name, c.Value); err != nil {
			return err
		}
	}
	cmd := state.ConfigureTopic{ID: a.topic.ID, Unset: known(a.unset)}
	for _, name := range slices.Sorted(maps.Keys(a.values)) {
		if err := settings.Set(name, a.values[name]); err != nil {
			return err
		}
		cmd.Set = append(cmd.Set, state.ConfigEntry{Name: name, Value: a.values[name]})
	}
	if err := settings.Check(); err != nil || validateOnly {
		return err
	}
	if err := a.handler.engine.Configure(cmd); err != nil {
		return err
	}
	a.handler.logChange(a.call, "topic configured", "topic", a.topic.Name, "set", written(cmd.Set), "unset", strings.Join(cmd.Unset, " "))
	return nil
}

// writtenBytesMax bounds how much of the settings of a topic a line of the log shows.
const writtenBytesMax = 1 << 10

// written are settings as the log shows them.
func written(all []state.ConfigEntry) string {
	var b strings.Builder
	for i, c := range all {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(c.Name + "=" + c.Value)
	}
	return b.String()[:min(b.Len(), writtenBytesMax)]
}

// known are those of the names that a topic can have set.
func known(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return topic.Named(name) == nil })
}
