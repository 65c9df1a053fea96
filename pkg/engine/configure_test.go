package engine

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// TestConfigure shows that a changed setting is in effect when Configure returns, that retention looks at what is there without
// being asked, and that the setting lasts over a crash and over a restart from a checkpoint.
func TestConfigure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{RetentionCheck: time.Hour, ProducerIDExpiry: 1000 * time.Hour})
		id := r.create("orders", 1)
		r.produce(id, batchAt(time.Now().UnixMilli(), "a"))
		time.Sleep(time.Minute)
		held, _ := r.Topic("orders")
		if err := r.Configure(state.ConfigureTopic{ID: id, Set: []state.ConfigEntry{{Name: "max.message.bytes", Value: "99"}, {Name: "retention.ms", Value: "1000"}}}); err != nil {
			t.Fatal(err)
		}
		f := func(when string) {
			t.Helper()
			if got, _ := r.Topic("orders"); got.Settings.RetentionMs != 1000 || got.Settings.MaxMessageBytes != 99 || len(got.Config) != 2 {
				t.Errorf("%s: %+v", when, got)
			}
		}
		f("at once")
		if held.Settings.RetentionMs != r.Defaults().RetentionMs {
			t.Error("what a reader held has changed")
		}
		synctest.Wait()
		if log, err := r.Offsets(id, 0); err != nil || log.Start != 1 {
			t.Errorf("log start %d, %v; want 1", log.Start, err)
		}
		r.crash()
		f("after a crash")
		r.Close()
		r.open()
		f("after a restart")
		if err := r.Configure(state.ConfigureTopic{ID: state.ID{9}}); !errors.Is(err, kerr.UnknownTopicID) {
			t.Errorf("an unknown topic: %v", err)
		}
	})
}
