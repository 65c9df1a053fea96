package differ

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// conversation is one with nobody, for what needs no server.
func conversation() *Conversation {
	t := &Target{host: "127.0.0.1", port: 9092, node: 7}
	t.base = time.Now().Add(-2 * time.Hour).UnixMilli()
	return t.converse(0)
}

// lines writes fields as a golden file does, a line for each struct.
func lines(fields []Field) string {
	var s step
	s.add(0, Answer{Fields: fields})
	var text strings.Builder
	for _, o := range s.objects {
		text.WriteString(o.at + ":")
		for _, v := range o.values {
			fmt.Fprintf(&text, " %s=%s", v.name, v.value)
		}
		text.WriteString("\n")
	}
	return text.String()
}

func expect(t *testing.T, fields []Field, want string) {
	t.Helper()
	if got := lines(fields); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// What servers choose as they like is given names; a field is written in the versions that have it; topics are told
// apart by name, and those of other conversations left out.
func TestRender(t *testing.T) {
	c := conversation()
	name, other, cluster := c.Topic("t"), "t-r9999", "xyz"
	m := &wire.MetadataResponse{
		ThrottleTimeMs: 3, ClusterID: &cluster, ControllerID: 7, ClusterAuthorizedOperations: -1 << 31,
		Brokers: []wire.MetadataResponseBroker{{NodeID: 7, Host: "127.0.0.1", Port: 9092}, {NodeID: 8, Host: "elsewhere", Port: 1}},
		Topics: []wire.MetadataResponseTopic{
			{Name: &other},
			{TopicID: kbin.UUID{5}, ErrorCode: int16(kerr.UnknownTopicID)},
			{Name: &name, TopicID: kbin.UUID{1}, Partitions: []wire.MetadataResponsePartition{{PartitionIndex: 0, LeaderID: 7, ReplicaNodes: []int32{7, 8}}}},
		},
	}
	expect(t, c.render(m, 0), `Brokers[8]: Host="elsewhere" Port=1
Brokers[me]: Host=host Port=port
Topics[0]: ErrorCode=UNKNOWN_TOPIC_ID Name=null
Topics[t]: ErrorCode=NONE
Topics[t].Partitions[0]: ErrorCode=NONE LeaderID=me ReplicaNodes=[me,8]
`)
	expect(t, c.render(m, 13), `.: ClusterID=cluster ControllerID=me ErrorCode=NONE
Brokers[8]: Host="elsewhere" Port=1 Rack=null
Brokers[me]: Host=host Port=port Rack=null
Topics[id-1]: ErrorCode=UNKNOWN_TOPIC_ID Name=null IsInternal=no TopicAuthorizedOperations=0
Topics[t]: ErrorCode=NONE TopicID=id-of-t IsInternal=no TopicAuthorizedOperations=0
Topics[t].Partitions[0]: ErrorCode=NONE LeaderID=me LeaderEpoch=0 ReplicaNodes=[me,8]
`)
}

// Partitions that are answered twice are numbered, wherever they stand; topics that only hold them are not.
func TestRenderTwins(t *testing.T) {
	c := conversation()
	part := func(index int32, code kerr.Code) wire.ProduceResponsePartitionProduceResponse {
		return wire.ProduceResponsePartitionProduceResponse{Index: index, ErrorCode: int16(code)}
	}
	m := &wire.ProduceResponse{Responses: []wire.ProduceResponseTopicProduceResponse{
		{Name: c.Topic("t"), PartitionResponses: []wire.ProduceResponsePartitionProduceResponse{part(1, kerr.None), part(0, kerr.InvalidRecord)}},
		{Name: c.Topic("t"), PartitionResponses: []wire.ProduceResponsePartitionProduceResponse{part(1, kerr.CorruptMessage)}},
	}}
	expect(t, c.render(m, 0), `Responses[t].PartitionResponses[0]: ErrorCode=INVALID_RECORD BaseOffset=0
Responses[t].PartitionResponses[1]: ErrorCode=NONE BaseOffset=0
Responses[t].PartitionResponses[1#2]: ErrorCode=CORRUPT_MESSAGE BaseOffset=0
`)
}

// Messages to people are there or not; their words are kept apart, without what is only this conversation's.
func TestRenderMessages(t *testing.T) {
	c := conversation()
	text := "no topic " + c.Topic("t")
	fields := c.render(&wire.DescribeClusterResponse{ErrorMessage: &text}, 0)
	for _, f := range fields {
		if f.Name == "ErrorMessage" && (f.Value != "some" || f.Words != "no topic t") {
			t.Errorf("value %q, words %q", f.Value, f.Words)
		}
	}
	expect(t, fields, `.: ErrorCode=NONE ErrorMessage=some ClusterID="" ControllerID=0 ClusterAuthorizedOperations=0
`)
}

// Times are the clock's, or count from the base, or are neither.
func TestRenderTimes(t *testing.T) {
	c := conversation()
	r := renderer{c: c}
	for ms, want := range map[int64]string{
		time.Now().UnixMilli(): "now", c.Base(): "base+0", c.Base() - 5: "base-5", c.Base() + 1000: "base+1000", -1: "-1", 0: "0", 4_102_444_800_000: "4102444800000",
	} {
		if got := r.time(ms); got != want {
			t.Errorf("%d is written %s, want %s", ms, got, want)
		}
	}
}

func fetchOf(records []byte) *wire.FetchResponse {
	m := &wire.FetchResponse{Responses: []wire.FetchResponseFetchableTopicResponse{{Topic: "t", Partitions: []wire.FetchResponsePartitionData{{}}}}}
	m.Responses[0].Partitions[0].Records.Bytes = records
	return m
}

// Records are written whatever format and codec they are in, and what is damaged is said to be.
func TestRenderRecords(t *testing.T) {
	c := conversation()
	f := func(records []byte, want string) {
		t.Helper()
		const partition = "Responses[t].Partitions[0]"
		want = strings.ReplaceAll(partition+": ErrorCode=NONE HighWatermark=0 "+want, "\n[", "\n"+partition+".Records[")
		expect(t, c.render(fetchOf(records), 0), want)
	}
	f(nil, "Records=null\n")
	f([]byte{}, "Records=0\n")
	b := newBatch(c.Base(), "a", "b").by(-1, -1, -1)
	b.recs[1].Key, b.recs[1].Headers = nil, []kmsg.Header{headerOf("h", "x y"), {Key: "n"}}
	const head = `Magic=2 CRC=%s Attributes=%s BaseOffset=0 LeaderEpoch=-1 LastOffsetDelta=1 ProducerID=-1 ProducerEpoch=-1 BaseSequence=-1 Count=2 BaseTimestamp=base+0 MaxTimestamp=base+1`
	const both = `
[0].Record[0]: Timestamp=base+0 Key="key of a" Value="a"
[0].Record[1]: Timestamp=base+1 Key=null Value="b" Headers=["h":"x y","n":null]
`
	for codec, name := range codecNames {
		b.Attributes = int16(codec)
		f(b.bytes(), "Records=1\n[0]: "+fmt.Sprintf(head, "good", name)+both)
	}
	b.Attributes = 8 + 16
	cut := append(b.bytes(), b.bytes()[:50]...)
	f(cut, "Records=1+part\n[0]: "+fmt.Sprintf(head, "good", "none+append-time+transactional")+both)
	b.Attributes = gzip
	spoiltHead := b.bytes()
	spoiltHead[batchHeadEnd] ^= 1
	f(spoiltHead, "Records=1\n[0]: "+fmt.Sprintf(head, "bad", "gzip")+" damage=\"gzip: invalid header\"\n")
	f(messageSet(0, 0, "a"), "Records=1\n[0]: Magic=0 CRC=good Attributes=none Offset=0 Key=\"key of a\" Value=\"a\"\n")
	f(wrapped(1, gzip, c.Base(), 1, messageSet(1, c.Base(), "a")), `Records=1
[0]: Magic=1 CRC=good Attributes=gzip Offset=0 Timestamp=base+0 Key=null Inner=1
[0].Inner[0]: Magic=1 CRC=good Attributes=none Offset=0 Timestamp=base+0 Key="key of a" Value="a"
`)
}
