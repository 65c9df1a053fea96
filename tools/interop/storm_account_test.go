package interop

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// column holds what is at each offset of each partition: numbers, 0 where there is none.
type column map[int32][]int64

func (c column) set(partition int32, offset, number int64) {
	for int64(len(c[partition])) <= offset {
		c[partition] = append(c[partition], 0)
	}
	c[partition][offset] = number
}

func (c column) get(partition int32, offset int64) int64 {
	if offset < int64(len(c[partition])) {
		return c[partition][offset]
	}
	return 0
}

// each calls f for all that is there, in order.
func (c column) each(f func(partition int32, offset, number int64)) {
	for p, numbers := range c {
		for o, number := range numbers {
			if number != 0 {
				f(p, int64(o), number)
			}
		}
	}
}

// account is what the producers of one topic were told, and what its consumers saw. Records are numbers from 1 on, each sent once.
type account struct {
	keys int64 // of a compacted topic, how many keys there are: a number's key is its remainder by them; else 0

	mu      sync.Mutex
	acked   column // by producers' words
	watched column // by a consumer while the storm lasted
	seen    column // by one that read all of it afterwards
	rivals  []string
}

func newAccount(keys int64) *account {
	return &account{keys: keys, acked: column{}, watched: column{}, seen: column{}}
}

// note takes one record into a column of the account.
func (a *account) note(c column, partition int32, offset, number int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if other := c.get(partition, offset); other != 0 && other != number {
		a.rivals = append(a.rivals, fmt.Sprintf("records %d and %d have offset %d of partition %d", other, number, offset, partition))
	}
	c.set(partition, offset, number)
}

// faults names offsets that two records were given, acknowledged records that are not at their offset, values that are in the log twice, and records that a consumer saw
// and another one does not. In a compacted topic a record may be gone if there is a later one with its key.
func (a *account) faults() (faults []string) {
	faults = slices.Clone(a.rivals)
	note := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	last := map[int64]int64{} // by key, offset; a key is in one partition
	twice := map[int64]bool{}
	a.seen.each(func(p int32, o, number int64) {
		if twice[number] {
			note("record %d is there twice, once at offset %d of partition %d", number, o, p)
		}
		twice[number] = true
		if a.keys > 0 {
			last[number%a.keys] = max(last[number%a.keys], o)
		}
	})
	for what, c := range map[string]column{"acknowledged": a.acked, "seen": a.watched} {
		c.each(func(p int32, o, number int64) {
			is := a.seen.get(p, o)
			compacted := a.keys > 0 && is == 0 && last[number%a.keys] > o
			if is != number && !compacted {
				note("record %d was %s at offset %d of partition %d, where %d is", number, what, o, p, is)
			}
		})
	}
	return faults
}

// TestAccountFindsFaults shows that the account finds a record that is lost, moved, doubled or not there for all, and nothing else.
func TestAccountFindsFaults(t *testing.T) {
	f := func(what string, keys int64, faults int, acked, watched, seen []int64) {
		t.Helper()
		a := newAccount(keys)
		a.acked[0], a.watched[0], a.seen[0] = acked, watched, seen
		if got := a.faults(); len(got) != faults {
			t.Errorf("%s: %d faults, want %d: %v", what, len(got), faults, got)
		}
	}
	type log = []int64
	a := newAccount(0)
	a.note(a.acked, 0, 0, 1)
	a.note(a.acked, 0, 0, 2)
	a.note(a.seen, 0, 0, 2)
	if got := a.faults(); len(got) != 1 {
		t.Errorf("one offset given to two records: %v", got)
	}
	f("all is well", 0, 0, log{1, 2}, log{1}, log{1, 2})
	f("there, though nobody was told", 0, 0, log{1}, nil, log{1, 2})
	f("lost", 0, 1, log{1, 2}, nil, log{1})
	f("replaced", 0, 1, log{1, 2}, nil, log{1, 3})
	f("moved", 0, 2, log{1, 2}, nil, log{2, 1})
	f("doubled", 0, 1, log{1}, nil, log{1, 1})
	f("seen, and gone", 0, 1, nil, log{1}, nil)

	f("compacted", 2, 0, log{1, 2, 3}, log{1}, log{0, 2, 3})
	f("compacted, and nothing later", 2, 1, log{1, 2, 3}, nil, log{0, 0, 3})
	f("compacted, though it is the last", 2, 1, log{1, 2, 3}, nil, log{1, 2})
}
