package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// TestRetentionWithoutTimestamps shows that records without timestamps are kept for as long as others, from when they came, and
// do not keep those behind them. They were kept for ever once, with all that follows. Over a restart and a checkpoint it is the
// same.
func TestRetentionWithoutTimestamps(t *testing.T) {
	for _, restart := range []func(r *rig){func(*rig) {}, (*rig).crash, func(r *rig) { r.Close(); r.open() }} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, Options{ProducerIDExpiry: 1000 * time.Hour})
			id := r.create("orders", 1, state.ConfigEntry{Name: "retention.ms", Value: "3600000"})
			produce := func(ms int64) { r.produce(id, batchAt(ms, "a")) }
			produce(record.NoTimestamp)
			time.Sleep(30 * time.Minute)
			produce(time.Now().UnixMilli())
			produce(record.NoTimestamp)
			restart(r)
			f := func(want int64) {
				t.Helper()
				if err := r.Maintain(); err != nil {
					t.Fatal(err)
				}
				if log, err := r.Offsets(id, 0); err != nil || log.Start != want {
					t.Errorf("log start %d, %v; want %d", log.Start, err, want)
				}
			}
			f(0)
			time.Sleep(30*time.Minute + time.Second)
			f(1)
			time.Sleep(30 * time.Minute)
			f(3)
		})
	}
}
