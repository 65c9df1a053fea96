// Shown here: a spoiled recording is found to differ, and what the recorded broker made up is put right: without that,
// conversations do not run through.

package replay

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
	"github.com/heraclitus/heraclitus/tools/capture/frames"
	"github.com/heraclitus/heraclitus/tools/internal/run"
	"github.com/heraclitus/heraclitus/tools/interop/differ"
)

// The conversation in which recordings are spoiled.
const spoiledClient, spoiledScenario = "sarama", "group"

func TestSpoiledRecordings(t *testing.T) {
	binary, err := run.Build("../../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := func(name, field string, spoil func(wire.Message) bool) {
		t.Helper()
		c := conversation(t)
		if !spoilOne(t, c.Frames, spoil) {
			t.Fatalf("%s: there is nothing to spoil", name)
		}
		kafka, ours := differ.NewBook(), differ.NewBook()
		if err := Hold(c, start(t, binary, c), kafka, ours); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found, _ := differ.Compare(kafka, ours)
		unexplained, _ := differ.Unexplained(found, exceptions(t))
		if !slices.ContainsFunc(unexplained, func(d differ.Difference) bool { return strings.HasSuffix(d.Field, field) }) {
			t.Errorf("%s: no difference in %s is found: %v", name, field, unexplained)
		}
	}
	f("another error", "ErrorCode", func(m wire.Message) bool {
		r, ok := m.(*wire.SyncGroupResponse)
		if ok {
			r.ErrorCode = 25
		}
		return ok
	})
	f("another offset", "CommittedOffset", func(m wire.Message) bool {
		r, ok := m.(*wire.OffsetFetchResponse)
		if !ok || len(r.Groups) == 0 {
			return false
		}
		r.Groups[0].Topics[0].Partitions[0].CommittedOffset += 7
		return true
	})
	f("a record missing", "Records", func(m wire.Message) bool {
		r, ok := m.(*wire.FetchResponse)
		if !ok || len(r.Responses) == 0 || r.Responses[0].Partitions[0].Records.Len() == 0 {
			return false
		}
		r.Responses[0].Partitions[0].Records = kbin.Records{Bytes: []byte{}}
		return true
	})
}

// conversation reads the one that is spoiled.
func conversation(t *testing.T) frames.Conversation {
	t.Helper()
	all, err := frames.ReadAll(recordings)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c frames.Conversation) bool { return c.Client == spoiledClient && c.Scenario == spoiledScenario })
	if i < 0 {
		t.Fatalf("%s/%s is not recorded", spoiledClient, spoiledScenario)
	}
	return all[i]
}

// spoilOne spoils the first answer that can be.
func spoilOne(t *testing.T, all []frames.Frame, spoil func(wire.Message) bool) bool {
	t.Helper()
	for i, f := range all {
		if !f.Response {
			continue
		}
		header, body, err := f.Decode()
		if err != nil {
			t.Fatal(err)
		}
		if spoil(body) {
			all[i].Payload = f.Encode(header, body)
			return true
		}
	}
	return false
}

// Ids that were made up are learnt and put in the place of the recorded ones, and nothing else is touched.
func TestTranslation(t *testing.T) {
	names := newTranslation()
	names.learn(&wire.JoinGroupResponse{MemberID: "then", GenerationID: 1}, &wire.JoinGroupResponse{MemberID: "now", GenerationID: 5})
	commit := &wire.OffsetCommitRequest{GroupID: "then", MemberID: "then", GenerationIDOrMemberEpoch: 1}
	names.apply(commit)
	if commit.MemberID != "now" || commit.GenerationIDOrMemberEpoch != 5 || commit.GroupID != "then" {
		t.Errorf("commit: %+v", commit)
	}
	then, now, topic := kbin.UUID{1}, kbin.UUID{2}, "t"
	metadata := func(id kbin.UUID) *wire.MetadataResponse {
		return &wire.MetadataResponse{Topics: []wire.MetadataResponseTopic{{Name: &topic, TopicID: id}}}
	}
	names.learn(metadata(then), metadata(now))
	names.learn(&wire.FetchResponse{SessionID: 11}, &wire.FetchResponse{SessionID: 22})
	for epoch := int32(1); epoch < 3; epoch++ {
		fetch := &wire.FetchRequest{SessionID: 11, SessionEpoch: 10 * epoch, Topics: []wire.FetchRequestFetchTopic{{TopicID: then}}}
		names.apply(fetch)
		if fetch.SessionID != 22 || fetch.SessionEpoch != epoch || fetch.Topics[0].TopicID != now {
			t.Errorf("fetch: %+v", fetch)
		}
	}
}

// A fetch that was answered while records came may have shown some partitions of them and not others. Of those, what
// has come since is left out, and nothing else is.
func TestTrimmedSession(t *testing.T) {
	answer := func(ends ...int64) *wire.FetchResponse {
		topic := wire.FetchResponseFetchableTopicResponse{Topic: "t"}
		for i, end := range ends {
			if end >= 0 {
				topic.Partitions = append(topic.Partitions, wire.FetchResponsePartitionData{PartitionIndex: int32(i), HighWatermark: end})
			}
		}
		return &wire.FetchResponse{SessionID: 7, Responses: []wire.FetchResponseFetchableTopicResponse{topic}}
	}
	const absent = -1
	names := newTranslation()
	names.trim(answer(25, 25, 25), answer(25, 25, 25))
	live := answer(50, 50, 25)
	names.trim(answer(50, absent, absent), live)
	if got := names.ends(live); len(got) != 2 || got[place{"t", 0}] != 50 || got[place{"t", 2}] != 25 {
		t.Errorf("what is left of an answer that shows more: %v", got)
	}
	live = answer(absent, 75, absent)
	names.trim(&wire.FetchResponse{SessionID: 7}, live)
	if len(live.Responses) > 0 {
		t.Errorf("what is left of an answer when none was recorded: %+v", live.Responses)
	}
}

func TestProducerInBatch(t *testing.T) {
	names := newTranslation()
	names.learn(&wire.InitProducerIDResponse{ProducerID: 4, ProducerEpoch: 0}, &wire.InitProducerIDResponse{ProducerID: 9, ProducerEpoch: 3})
	b := make([]byte, batchHead)
	b[magicAt] = magic
	binary.BigEndian.PutUint64(b[producerAt:], 4)
	records := kbin.Records{Bytes: b}
	names.records(&records)
	got := records.Bytes
	if id, epoch := binary.BigEndian.Uint64(got[producerAt:]), binary.BigEndian.Uint16(got[epochAt:]); id != 9 || epoch != 3 {
		t.Errorf("producer %d, epoch %d", id, epoch)
	}
	if sum := crc32.Checksum(got[crcAt+4:], crc32.MakeTable(crc32.Castagnoli)); sum != binary.BigEndian.Uint32(got[crcAt:]) {
		t.Error("the checksum is not that of the batch")
	}
}

// The example of RFC 7677, section 3.
func TestProof(t *testing.T) {
	l := login{
		first:     []byte("n=user,r=rOprNGfwEbeRWgbNEkqO"),
		challenge: []byte("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
	}
	got, err := l.proof("SCRAM-SHA-256", "pencil")
	const want = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}
