package engine

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/journal/mem"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	memstore "github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// TestTopics shows what is told of topics, and that their settings are those set on them over the server's.
func TestTopics(t *testing.T) {
	r := newRig(t, Options{})
	if r.ClusterID() == "" || r.Defaults().RetentionMs != r.options.Topics.RetentionMs {
		t.Errorf("cluster %q, defaults %+v", r.ClusterID(), r.Defaults())
	}
	id := r.create("orders", 3, state.ConfigEntry{Name: "no.such.setting", Value: "1"}, state.ConfigEntry{Name: "retention.ms", Value: "5"})
	other := r.create("again", 1)
	f := func(got Topic, ok bool) {
		t.Helper()
		if !ok || got.ID != id || got.Name != "orders" || got.Partitions != 3 || got.Settings.RetentionMs != 5 || !got.Settings.Delete || len(got.Config) != 2 {
			t.Errorf("%+v, %v", got, ok)
		}
	}
	f(r.Topic("orders"))
	f(r.TopicByID(id))
	all := r.Topics()
	f(all[1], len(all) == 2 && all[0].ID == other)
	if _, err := r.Do(state.DeleteTopic{ID: id}); err != nil {
		t.Fatal(err)
	}
	if got, ok := r.Topic("orders"); ok {
		t.Errorf("%+v after it was deleted", got)
	}
	if got, ok := r.TopicByID(id); ok {
		t.Errorf("%+v after it was deleted", got)
	}
	if err := r.Maintain(); err != nil {
		t.Fatal(err)
	}
	kept := 0
	r.settings.Range(func(any, any) bool { kept++; return true })
	if kept != 1 {
		t.Errorf("settings of %d topics are kept, want 1", kept)
	}
	unknown := Key{ID: id}
	if log, err := r.Offsets(unknown.ID, 0); !errors.Is(err, kerr.UnknownTopicOrPartition) || log.Start != -1 || log.HighWatermark != -1 {
		t.Errorf("offsets of a deleted topic: %+v, %v", log, err)
	}
	if _, _, err := r.OffsetForTime(unknown.ID, 0, 1); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("search of a deleted topic: %v", err)
	}
}

// TestGauges shows that what is only looked at is right whenever it is asked for.
func TestGauges(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 3)
	r.create("other", 2)
	r.produce(id, batchOfBytes(100<<10))
	r.metrics.Write(io.Discard)
	f := func(what string, got, low, high float64) {
		t.Helper()
		if got < low || got > high {
			t.Errorf("%s: %v", what, got)
		}
	}
	f("topics", r.metrics.Topics.Get(), 2, 2)
	f("partitions", r.metrics.Partitions.Get(), 5, 5)
	f("journal", r.metrics.JournalBytes.Get(), 100<<10, 101<<10)
	f("room", r.metrics.JournalRoomBytes.Get(), mem.DefaultBytesMax-101<<10, mem.DefaultBytesMax-100<<10)
	f("cache", r.metrics.CacheBytes.Get(), chunkBytes, chunkBytes)
	f("writable", r.metrics.Writable.Get(), 1, 1)
}

// TestSilentProducersAreForgotten shows that a producer is forgotten once it has been silent for as long as the options say, and
// not before.
func TestSilentProducersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{ProducerIDExpiry: time.Hour})
		id := r.create("orders", 1, forEver)
		send := func(sequence int32) kerr.Code {
			b, err := record.Build(record.Options{Producer: &record.Producer{ID: 7, Sequence: sequence}}, record.Record{Timestamp: 1000, Value: []byte("a")})
			if err != nil {
				t.Fatal(err)
			}
			return r.produce(id, b)[0].Code
		}
		send(0)
		time.Sleep(59 * time.Minute)
		if got := send(9); got != kerr.OutOfOrderSequenceNumber {
			t.Errorf("a gap: %v", got)
		}
		time.Sleep(2 * time.Minute)
		if got := send(9); got != kerr.None {
			t.Errorf("after it was forgotten: %v", got)
		}
	})
}

// TestOpenWithoutRoom shows that an engine which cannot write its first entry does not open, and leaves nobody behind.
func TestOpenWithoutRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		full := mem.Open(mem.Options{BytesMax: 10})
		if _, err := Open(full, memstore.Open(), r.options); !errors.Is(err, kerr.KafkaStorageError) {
			t.Errorf("opened without room: %v", err)
		}
	})
}

// TestEntryThatDoesNotApply appends what AppendBatch must not be given, so that the entry does not apply: it is not
// acknowledged, nothing is written after it, and reads go on. (The server would not start on it again, as on anything that it
// does not know.)
func TestEntryThatDoesNotApply(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver)
	r.produce(id, batchOf("good"))
	bad := record.Batch(batchOf("bad"))
	bad[23] = 0xff // the last offset delta
	for _, b := range []record.Batch{bad, batchOf("good too")} {
		if got := r.produce(id, b)[0]; got.Code != kerr.KafkaStorageError {
			t.Errorf("%+v", got)
		}
	}
	if r.Err() == nil || r.Ready() == nil {
		t.Error("the engine goes on")
	}
	if got := fmt.Sprint(r.values(id, 0)); got != "[0:good]" {
		t.Errorf("read %s", got)
	}
}

// TestNoCheckpointOfHalfAnEntry has an entry of which the first batch applies and the second does not. The state is no longer
// what the journal says, and maintenance must not keep it; it did once, and after a restart the first batch would have been
// there twice.
func TestNoCheckpointOfHalfAnEntry(t *testing.T) {
	r := newRig(t, Options{})
	id := r.create("orders", 1, forEver)
	bad := record.Batch(batchOf("bad"))
	bad[23] = 0xff // the last offset delta
	r.together(id, batchOf("good"), bad)
	if r.Err() == nil {
		t.Fatal("the entry applies")
	}
	if err := r.checkpoint(); err == nil || len(r.checkpointKeys()) > 0 {
		t.Errorf("a checkpoint ends in %v, and there is %v", err, r.checkpointKeys())
	}
}

func (r *rig) checkpointKeys() (keys []string) {
	r.t.Helper()
	objects, err := r.store.List(r.t.Context(), CheckpointsPrefix)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}
