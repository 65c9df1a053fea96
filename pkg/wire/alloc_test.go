// Shown here: a request decoded into one that was used before allocates nothing, and one that claims much is refused before
// it takes memory.

package wire

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kbin"
)

// allocating are the requests that may allocate, for what Reset lets go of: slices that are null by default, and structs
// behind pointers.
var allocating = map[string]bool{
	"ConsumerGroupHeartbeatRequest":  true,
	"DescribeTopicPartitionsRequest": true,
	"StreamsGroupHeartbeatRequest":   true,
}

func TestReusedRequestDoesNotAllocate(t *testing.T) {
	allocates := map[string]bool{}
	eachVersion(t, func(t *testing.T, s subject, version int16, random *rand.Rand) {
		for n := 0; n < 5 && strings.HasSuffix(s.name, "Request"); n++ {
			allocs := allocations(t, s, version, random)
			allocates[s.name] = allocates[s.name] || allocs > 0
			if allocs > 0 && !allocating[s.name] {
				t.Fatalf("%v allocations", allocs)
			}
		}
	})
	for name := range allocating {
		if !allocates[name] {
			t.Errorf("%s allocates no longer", name)
		}
	}
}

// allocations is how often the second decode of a random message allocates.
func allocations(t *testing.T, s subject, version int16, random *rand.Rand) float64 {
	t.Helper()
	r := kbin.Reader{Intern: new(kbin.Interner)}
	reused, sent := s.fresh(), s.fresh()
	fill(reflect.ValueOf(sent).Elem(), random)
	b := sent.Append(nil, version)
	allocs := testing.AllocsPerRun(5, func() {
		r.Reset(b, budget)
		reused.Decode(&r, version)
	})
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return allocs
}

func TestBudget(t *testing.T) {
	// A MiB of produce topics without name or partitions: three bytes each on the wire, 56 in memory.
	const topics, frameBytes, budgetBytes = 1 << 20 / 3, 1 << 20, 1 << 20
	b := binary.AppendUvarint(make([]byte, 7), topics+1) // no transactional id, acks, timeout
	for range topics {
		b = append(b, 1, 1, 0)
	}
	b = append(b, 0)
	f := func(budget int) (allocated uint64, err error) {
		var before, after runtime.MemStats
		var r kbin.Reader
		r.Reset(b, budget)
		runtime.ReadMemStats(&before)
		new(ProduceRequest).Decode(&r, 9)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc, r.Err()
	}
	if allocated, err := f(budgetBytes); !errors.Is(err, kbin.ErrBudget) || allocated > budgetBytes {
		t.Errorf("%d bytes allocated, error %v", allocated, err)
	}
	// The broken twin: without the budget the same frame takes eighteen times its size.
	if allocated, err := f(1 << 30); err != nil || allocated < 16*frameBytes {
		t.Errorf("without a budget %d bytes allocated, error %v", allocated, err)
	}
}
