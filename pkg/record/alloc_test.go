//go:build !race

package record

import "testing"

// Shown here: in the steady state, checking and walking allocate nothing, whatever the codec. (Not with -race, under
// which the counts differ.)

func TestAllocations(t *testing.T) {
	records := benchRecords(100, 1024)
	for _, c := range codecs {
		b := mustBuild(t, Options{Codec: c}, records...)
		rules := anyRules()
		check := testing.AllocsPerRun(100, func() {
			if _, err := Check(b, rules); err != nil {
				t.Fatal(err)
			}
		})
		n := 0
		walk := testing.AllocsPerRun(100, func() {
			for r := range b.Records() {
				n += len(r.Value)
			}
		})
		if check > 0 || walk > 0 {
			t.Errorf("%v: %v allocations to check, %v to walk", c, check, walk)
		}
	}
}
