package s3

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/heraclitus/heraclitus/pkg/journal"
	"github.com/heraclitus/heraclitus/pkg/objstore/mem"
	"github.com/heraclitus/heraclitus/pkg/objstore/objstoretest"
)

// An entry that waits for a place while as many as may be are under way is not begun when the first of those fails:
// its object would lie so far beyond the end that whoever opens the journal next takes it for damage.
func TestNoEntryBeginsInThePlaceOfOneThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.Open()
		faulty := objstoretest.NewFaulty(store)
		j := mustOpen(t, faulty, small)
		mustAppend(t, j, "zero")
		fail := make(chan struct{})
		faulty.On(func(o objstoretest.Operation) objstoretest.Fault {
			if o.Key == slotKey(1) && o.Writes() {
				<-fail
				return objstoretest.Cut
			}
			return objstoretest.None
		})
		var waits []func() error
		begin := func(slot uint64) {
			wait, err := j.Begin(slot, []byte(strconv.FormatUint(slot, 10)))
			if err != nil {
				wait = func() error { return err }
			}
			waits = append(waits, wait)
		}
		for slot := range uint64(pipelineMax) {
			begin(1 + slot)
		}
		begun := make(chan struct{})
		go func() {
			begin(1 + pipelineMax)
			close(begun)
		}()
		synctest.Wait() // until it waits for a place
		close(fail)
		<-begun
		for i, wait := range waits {
			if err := wait(); !errors.Is(err, journal.ErrUnknown) {
				t.Errorf("the entry of slot %d ended in %v", 1+i, err)
			}
		}
		mustHold(t, mustOpen(t, store, small), "zero")
	})
}
