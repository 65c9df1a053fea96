package replay

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// translation is how what the recorded broker made up is called by the one that answers now. It is learnt from
// answers, and put into the requests that follow.
type translation struct {
	members     map[string]string
	generations map[int32]int32
	topics      map[kbin.UUID]kbin.UUID
	named       map[kbin.UUID]string // topics, then and now
	producers   map[int64]producer
	sessions    map[int32]int32     // of fetches
	shown       map[inSession]int64 // ends, in the last recorded answer that shows them
	epochs      map[int32]int32     // next, of a session that answers now: requests that were left out of the recording are not counted
}

type producer struct {
	id    int64
	epoch int16
}

func newTranslation() *translation {
	return &translation{
		members: map[string]string{}, generations: map[int32]int32{}, topics: map[kbin.UUID]kbin.UUID{}, named: map[kbin.UUID]string{},
		producers: map[int64]producer{}, sessions: map[int32]int32{}, epochs: map[int32]int32{}, shown: map[inSession]int64{},
	}
}

// learn compares an answer with the one that was recorded.
func (t *translation) learn(recorded, live wire.Message) {
	switch r := recorded.(type) {
	case *wire.JoinGroupResponse:
		l := live.(*wire.JoinGroupResponse)
		if r.MemberID != "" {
			t.members[r.MemberID] = l.MemberID
		}
		if r.GenerationID >= 0 {
			t.generations[r.GenerationID] = l.GenerationID
		}
	case *wire.InitProducerIDResponse:
		l := live.(*wire.InitProducerIDResponse)
		t.producers[r.ProducerID] = producer{l.ProducerID, l.ProducerEpoch}
	case *wire.FetchResponse:
		l := live.(*wire.FetchResponse)
		if _, known := t.sessions[r.SessionID]; !known && r.SessionID != 0 {
			t.sessions[r.SessionID], t.epochs[l.SessionID] = l.SessionID, 1
		}
	}
	then := topicIDs(reflect.ValueOf(recorded))
	for name, now := range topicIDs(reflect.ValueOf(live)) {
		t.named[then[name]], t.named[now] = name, name
		t.topics[then[name]] = now
	}
}

// topicIDs are the ids in an answer that stand beside the topics' names.
func topicIDs(v reflect.Value) map[string]kbin.UUID {
	ids := map[string]kbin.UUID{}
	each(v, func(v reflect.Value) {
		if v.Kind() != reflect.Struct {
			return
		}
		id, name := v.FieldByName("TopicID"), v.FieldByName("Name")
		if id.IsValid() && name.IsValid() && text(name) != "" {
			ids[text(name)] = id.Interface().(kbin.UUID)
		}
	})
	return ids
}

// each calls f for v and all that is in it but single bytes.
func each(v reflect.Value, f func(reflect.Value)) {
	f(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			each(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			each(v.Field(i), f)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			each(v.Index(i), f)
		}
	}
}

// apply makes a recorded request one to the server that answers now.
func (t *translation) apply(q wire.Message) {
	each(reflect.ValueOf(q), t.fields)
	switch q := q.(type) {
	case *wire.FetchRequest:
		t.fetch(q)
	case *wire.ProduceRequest:
		q.EachRecords(t.records)
	case *wire.CreateTopicsRequest:
		ageless(q)
	}
}

// fields translates the ids that a struct has, by the names of its fields.
func (t *translation) fields(v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		switch f := v.Field(i); v.Type().Field(i).Name {
		case "TopicID":
			if now, ok := t.topics[f.Interface().(kbin.UUID)]; ok {
				f.Set(reflect.ValueOf(now))
			}
		case "MemberID":
			if now, ok := t.members[text(f)]; ok {
				setText(f, now)
			}
		case "GenerationID", "GenerationIDOrMemberEpoch":
			if now, ok := t.generations[int32(f.Int())]; ok {
				f.SetInt(int64(now))
			}
		}
	}
}

// uuids finds what servers make up in the ids of members, behind what their clients are called.
var uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// memberNames are what members are called in reports, by their ids then and now: numbered, in the place of what
// servers made up, in the order of the requests by which they joined. Servers list members in orders that say
// nothing, so that the lists do not tell who is who.
func (t *translation) memberNames(all []*exchange) map[string]string {
	names, n := map[string]string{}, 0
	for _, x := range all {
		r, ok := x.recorded.(*wire.JoinGroupResponse)
		if !ok || r.MemberID == "" || names[r.MemberID] != "" {
			continue
		}
		n++
		for _, id := range []string{r.MemberID, t.members[r.MemberID]} {
			names[id] = uuids.ReplaceAllLiteralString(id, "member-"+strconv.Itoa(n))
		}
	}
	return names
}

// nameMembers puts members' names in the place of their ids.
func nameMembers(m wire.Message, names map[string]string) {
	each(reflect.ValueOf(m), func(v reflect.Value) {
		if v.Kind() != reflect.Struct {
			return
		}
		for _, field := range []string{"MemberID", "Leader"} {
			if f := v.FieldByName(field); f.IsValid() && names[text(f)] != "" {
				setText(f, names[text(f)])
			}
		}
	})
}

// text is a string, or what a pointer points to; empty for null.
func text(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.IsValid() {
		return ""
	}
	return v.String()
}

// setText sets a string, or a pointer to another one: strings behind pointers may be shared.
func setText(v reflect.Value, s string) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.ValueOf(&s))
		return
	}
	v.SetString(s)
}

// fetch translates a session and its epoch.
func (t *translation) fetch(q *wire.FetchRequest) {
	if q.SessionID == 0 {
		return
	}
	q.SessionID = t.sessions[q.SessionID]
	if q.SessionEpoch > 0 {
		q.SessionEpoch = t.epochs[q.SessionID]
		t.epochs[q.SessionID]++
	}
}

// Where fields of a record batch of magic 2 lie.
const (
	magicAt    = 16
	crcAt      = 17
	producerAt = 43
	epochAt    = 51
	batchHead  = 61
	magic      = 2
)

// records translates the producer in a batch, which its checksum covers.
func (t *translation) records(r *kbin.Records) {
	if len(r.Bytes) < batchHead || r.Bytes[magicAt] != magic {
		return
	}
	now, ok := t.producers[int64(binary.BigEndian.Uint64(r.Bytes[producerAt:]))]
	if !ok {
		return
	}
	b := slices.Clone(r.Bytes)
	binary.BigEndian.PutUint64(b[producerAt:], uint64(now.id))
	binary.BigEndian.PutUint16(b[epochAt:], uint16(now.epoch))
	binary.BigEndian.PutUint32(b[crcAt:], crc32.Checksum(b[crcAt+4:], crc32.MakeTable(crc32.Castagnoli)))
	r.Bytes = b
}

// afterMax is the setting of a topic that says how far ahead of the server's clock a record may be. Recorded records
// may be far ahead of the clock of a machine that is behind, so here every topic lets all of them in.
const afterMax = "message.timestamp.after.max.ms"

func ageless(q *wire.CreateTopicsRequest) {
	forever := strconv.FormatInt(math.MaxInt64, 10)
	for i := range q.Topics {
		q.Topics[i].Configs = append(q.Topics[i].Configs, wire.CreateTopicsRequestCreatableTopicConfig{Name: afterMax, Value: &forever})
	}
}

// withoutAgeless takes the setting out of an answer.
func withoutAgeless(m wire.Message) {
	switch a := m.(type) {
	case *wire.CreateTopicsResponse:
		for i := range a.Topics {
			a.Topics[i].Configs = slices.DeleteFunc(a.Topics[i].Configs, func(c wire.CreateTopicsResponseCreatableTopicConfigs) bool { return c.Name == afterMax })
		}
	case *wire.DescribeConfigsResponse:
		for i := range a.Results {
			a.Results[i].Configs = slices.DeleteFunc(a.Results[i].Configs, func(c wire.DescribeConfigsResponseDescribeConfigsResourceResult) bool { return c.Name == afterMax })
		}
	}
}
