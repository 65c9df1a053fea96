// Shown here: a quantile is within two per cent of the exact one, at any scale, and merging equals adding.
package hist

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQuantileIsCloseToTheExactOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for scale := time.Nanosecond * 10; scale < time.Hour; scale *= 10 {
		var a, b Hist
		var all []time.Duration
		for i := range 2000 {
			d := time.Duration(rng.ExpFloat64() * float64(scale))
			all = append(all, d)
			if i%2 == 0 {
				a.Add(d)
			} else {
				b.Add(d)
			}
		}
		a.Merge(&b)
		slices.Sort(all)
		for _, q := range []float64{0, 0.5, 0.99, 0.999, 1} {
			want, got := all[int(q*float64(len(all)-1))], a.Quantile(q)
			if diff := (got - want).Abs(); diff > want/50 {
				t.Errorf("scale %v: quantile %v is %v, want %v", scale, q, got, want)
			}
		}
	}
}

func TestEveryBucketHoldsItsMiddle(t *testing.T) {
	for i := range (&Hist{}).counts {
		if got := bucket(middle(i)); got != i {
			t.Fatalf("the middle of bucket %d falls into bucket %d", i, got)
		}
	}
}

func TestEmpty(t *testing.T) {
	var h Hist
	if h.Quantile(0.5) != 0 || h.N() != 0 {
		t.Error("an empty histogram has a median")
	}
}
