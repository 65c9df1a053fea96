package contract

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// GroupPartitions is how many the topics of Rebalance and Static have.
const GroupPartitions = 4

// Member is what a member of a group has come to hold and to read. Its client tells it so, from any goroutine.
type Member struct {
	mu struct {
		sync.Mutex
		held    map[int32]bool
		changes int
		read    map[int]bool
	}
}

// Assigned tells of partitions that the member now holds beside those it held.
func (m *Member) Assigned(partitions ...int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.held == nil {
		m.mu.held = map[int32]bool{}
	}
	for _, p := range partitions {
		m.mu.held[p] = true
	}
	m.mu.changes++
}

// Revoked tells of partitions that the member no longer holds.
func (m *Member) Revoked(partitions ...int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range partitions {
		delete(m.mu.held, p)
	}
	m.mu.changes++
}

// RevokedAll tells that the member no longer holds anything.
func (m *Member) RevokedAll() { m.Revoked(0, 1, 2, 3) }

// Read tells of a record's value.
func (m *Member) Read(value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.read == nil {
		m.mu.read = map[int]bool{}
	}
	if n, err := strconv.Atoi(string(value)); err == nil {
		m.mu.read[n] = true
	}
}

func (m *Member) held() []int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.mu.held))
}

func (m *Member) changes() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.changes
}

// has counts those of the values from..to-1 that at least one of the members has read.
func has(from, to int, members ...*Member) int {
	n := 0
	for v := from; v < to; v++ {
		if slices.ContainsFunc(members, func(m *Member) bool { m.mu.Lock(); defer m.mu.Unlock(); return m.mu.read[v] }) {
			n++
		}
	}
	return n
}

// Produce sends the decimal numbers from..to-1, number i to partition i modulo GroupPartitions.
type Produce func(ctx context.Context, from, to int) error

// Join has a client join the group as m and go on reading until leave is called, which returns once the client is closed.
type Join func(ctx context.Context, m *Member) (leave func() error, err error)

// Rebalance is the check "group": partitions are shared when a second member joins, and taken over when it leaves;
// every record is read by one of them.
func Rebalance(ctx context.Context, produce Produce, join Join) error {
	var a, b Member
	if err := produce(ctx, 0, 100); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	leaveA, err := join(ctx, &a)
	if err != nil {
		return fmt.Errorf("the first member joins: %w", err)
	}
	if err := await(ctx, "the first member reads all", &a, &b, func() bool { return has(0, 100, &a) == 100 }); err != nil {
		return err
	}
	leaveB, err := join(ctx, &b)
	if err != nil {
		return fmt.Errorf("the second member joins: %w", err)
	}
	if err := await(ctx, "both share the partitions", &a, &b, func() bool { return shared(&a, &b) }); err != nil {
		return err
	}
	if err := produce(ctx, 100, 200); err != nil {
		return fmt.Errorf("produce more: %w", err)
	}
	if err := await(ctx, "each reads of the second hundred, and both all", &a, &b, func() bool {
		return has(100, 200, &a, &b) == 100 && has(100, 200, &a) > 0 && has(100, 200, &b) > 0
	}); err != nil {
		return err
	}
	if err := leaveB(); err != nil {
		return fmt.Errorf("the second member leaves: %w", err)
	}
	if err := await(ctx, "the first takes over", &a, &b, func() bool { return len(a.held()) == GroupPartitions }); err != nil {
		return err
	}
	if err := produce(ctx, 200, 220); err != nil {
		return fmt.Errorf("produce for the one left: %w", err)
	}
	if err := await(ctx, "the one left reads all", &a, &b, func() bool { return has(200, 220, &a) == 20 }); err != nil {
		return err
	}
	return leaveA()
}

// shared says whether every partition is held by one of two members, and each of them holds some.
func shared(a, b *Member) bool {
	x, y := a.held(), b.held()
	both := slices.Concat(x, y)
	slices.Sort(both)
	return len(x) > 0 && len(y) > 0 && slices.Equal(both, []int32{0, 1, 2, 3})
}

// JoinAs is Join with a group.instance.id. What it returns closes the client as a crash would, without leaving the group.
type JoinAs func(ctx context.Context, instance string, m *Member) (vanish func() error, err error)

// Static is the check "static": a static member that comes back within its session gets the partitions it had, and the other
// does not notice.
func Static(ctx context.Context, join JoinAs) error {
	var a, b, back Member
	vanishA, err := join(ctx, "a", &a)
	if err != nil {
		return fmt.Errorf("member a joins: %w", err)
	}
	if err := await(ctx, "the first member holds all partitions", &a, &b, func() bool { return len(a.held()) == GroupPartitions }); err != nil {
		return err
	}
	vanishB, err := join(ctx, "b", &b)
	if err != nil {
		return fmt.Errorf("member b joins: %w", err)
	}
	if err := await(ctx, "both share the partitions", &a, &b, func() bool { return shared(&a, &b) }); err != nil {
		return err
	}
	had, noticed := b.held(), a.changes()
	if err := vanishB(); err != nil {
		return fmt.Errorf("member b vanishes: %w", err)
	}
	vanishB, err = join(ctx, "b", &back)
	if err != nil {
		return fmt.Errorf("member b comes back: %w", err)
	}
	if err := await(ctx, "member b has partitions again", &a, &back, func() bool { return len(back.held()) > 0 }); err != nil {
		return err
	}
	if has := back.held(); !slices.Equal(had, has) {
		return fmt.Errorf("member b had partitions %v before it vanished, and has %v now", had, has)
	}
	if n := a.changes() - noticed; n > 0 {
		return fmt.Errorf("member a was told %d times of changes while b was away and came back", n)
	}
	if err := vanishB(); err != nil {
		return err
	}
	return vanishA()
}

// await polls until a condition of two members holds, or the check's time is up.
func await(ctx context.Context, what string, a, b *Member, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not in time: one holds %v and has read %d records, the other holds %v and has read %d",
				what, a.held(), has(0, 1000, a), b.held(), has(0, 1000, b))
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}
