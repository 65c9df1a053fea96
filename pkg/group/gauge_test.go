package group

import (
	"bytes"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// TestMetrics shows that groups are counted by their state, in memory or not, with their members, rebalances and commits.
func TestMetrics(t *testing.T) {
	m := metrics.New("px")
	bubble(t, Options{Metrics: m}, func(r *rig) {
		f := func(lines ...string) {
			t.Helper()
			var b bytes.Buffer
			m.Write(&b)
			for _, line := range lines {
				if !strings.Contains(b.String(), "\npx_group"+line+"\n") {
					t.Errorf("no px_group%s", line)
				}
			}
		}
		f(`s{state="Empty"} 0`, `s{state="Stable"} 0`, `_members 0`, `_rebalances_total 0`, `_offsets_committed_total 0`)
		r.commit(r.simple("keeper"), 0, 5) // which memory need not hold
		f(`s{state="Empty"} 1`, `_offsets_committed_total 1`)
		all := r.stableGroup(3)
		f(`s{state="Empty"} 1`, `s{state="Stable"} 1`, `s{state="PreparingRebalance"} 0`, `_members 3`)
		begun := m.GroupRebalances.Get()
		all[0].leave(kerr.None)
		all[1].join()
		f(`s{state="Stable"} 0`, `s{state="PreparingRebalance"} 1`, `_members 2`)
		if n := m.GroupRebalances.Get(); n != begun+1 {
			t.Errorf("%d rebalances are counted of one", n-begun)
		}
		for _, c := range all[1:] {
			c.leave(kerr.None)
		}
		f(`s{state="Empty"} 2`, `s{state="PreparingRebalance"} 0`, `_members 0`)
	})
}
