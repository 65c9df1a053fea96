package group

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// Corners of the protocol that no ordinary day comes to.

// TestAGroupIsNotForgottenWhileItWrites shows that what a group has decided holds before it is durable.
func TestAGroupIsNotForgottenWhileItWrites(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		a := r.stableGroup(1)[0]
		gate := make(chan struct{})
		r.journal.gate.Store(&gate)
		go r.Leave("g", []Identity{a.who()})
		synctest.Wait()
		done := make(chan kerr.Code, 1)
		go func() { done <- r.Heartbeat("g", a.who(), a.generation) }()
		if got, ok := answered(done); !ok || got != kerr.UnknownMemberID {
			t.Errorf("a member that has left is told %v (%v)", got, ok)
		}
		close(gate)
	})
}

// TestRestoredMembersFallSilent shows that a member that does not come back after a restart is out, though nobody asks.
func TestRestoredMembersFallSilent(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		r.stableGroup(2)
		r.restart()
		time.Sleep(11 * second)
		synctest.Wait()
		r.engine.View(func(s *state.State) {
			if g := s.Group("g"); len(g.Members) != 0 || g.Number != 3 {
				t.Errorf("the state has %+v", g.Generation)
			}
		})
	})
}

func TestStaticMemberComesBackWithAnotherLiking(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		a := r.stableGroup(1, func(_ int, c *client) { c.instance, c.protocols = "i", []string{"range", "sticky"} })[0]
		a.id, a.protocols = "", []string{"sticky", "range"}
		a.join().expectJoined(kerr.None)
		if a.joined.Protocol != "sticky" || a.generation != 2 {
			t.Errorf("it got %+v", a.joined)
		}
	})
}

// TestPlacesAreForThoseWhoJoin shows that members that are to join again have no place before those who have.
func TestPlacesAreForThoseWhoJoin(t *testing.T) {
	bubble(t, Options{MembersMax: 2}, func(r *rig) {
		all := r.stableGroup(2)
		all[0].join().expectWaiting()
		third := r.client("g").join()
		third.expectWaiting()
		all[1].join().expectJoined(kerr.GroupMaxSizeReached)
		all[0].expectJoined(kerr.None)
		third.expectJoined(kerr.None)
		if n := len(all[0].joined.Members); n != 2 {
			t.Errorf("%d members", n)
		}
	})
}

// TestGatheringEnds shows that an empty group waits for more members for as long as they may take to join, and no longer.
func TestGatheringEnds(t *testing.T) {
	bubble(t, Options{InitialRebalanceDelay: 3 * second}, func(r *rig) {
		var all []*client
		for range 5 {
			c := r.client("g")
			c.rebalance = 8 * second
			all = append(all, c.join())
			time.Sleep(1500 * time.Millisecond)
		}
		all[0].expectWaiting()
		time.Sleep(time.Second)
		if all[0].expectJoined(kerr.None); len(all[0].joined.Members) != 5 {
			t.Errorf("%d members", len(all[0].joined.Members))
		}
	})
}

func TestWhoOnceSyncedMustSyncAgain(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(2, func(_ int, c *client) { c.session = 100 * second })
		all[0].join()
		all[1].join().expectJoined(kerr.None)
		all[0].expectJoined(kerr.None).sync().expectSynced(kerr.None)
		r.expectState("g", "Stable", 2)
		time.Sleep(61 * second)
		all[1].beat(kerr.UnknownMemberID)
		all[0].beat(kerr.RebalanceInProgress)
	})
}

// TestTheInvitedAreWaitedFor shows that a generation does not begin while a client is on its way with the member id it was
// given, unless it leaves.
func TestTheInvitedAreWaitedFor(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		bubble(t, Options{}, func(r *rig) {
			a := r.stableGroup(1)[0]
			b := r.client("g")
			invited, _ := answered(r.join(b.request()))
			b.id = invited.MemberID
			a.join().expectWaiting()
			if leaves {
				b.leave(kerr.None)
			} else {
				b.join().expectJoined(kerr.None)
			}
			if a.expectJoined(kerr.None); len(a.joined.Members) != map[bool]int{true: 1, false: 2}[leaves] {
				t.Errorf("leaves %v: %d members", leaves, len(a.joined.Members))
			}
		})
	}
}

// TestACommitIsASignOfLife shows that who commits need not beat.
func TestACommitIsASignOfLife(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		a := r.stableGroup(1)[0]
		for i := range int64(3) {
			time.Sleep(9 * second)
			r.commit(a, 0, i)
		}
		a.beat(kerr.None)
	})
}

// TestGroupsWithMembersDoNotExpire shows that a group needs no offsets to live on.
func TestGroupsWithMembersDoNotExpire(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		a := r.stableGroup(1)[0]
		r.Expire()
		r.restart()
		a.beat(kerr.None)
	})
}

// TestLeaderSyncsTwice shows that a leader that asks again while its assignment is being stored is answered once, and that
// the first assignment holds.
func TestLeaderSyncsTwice(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		a := r.client("g").join().expectJoined(kerr.None)
		gate := make(chan struct{})
		r.journal.gate.Store(&gate)
		answers := make(chan string, 2)
		ask := func(assignment string) {
			s := r.Sync(&SyncRequest{GroupID: "g", MemberID: a.id, Generation: a.generation, Assignments: []Assignment{{a.id, []byte(assignment)}}}, nil)
			answers <- fmt.Sprint(s.Code.Name(), " ", string(s.Assignment))
		}
		go ask("first")
		synctest.Wait()
		go ask("second")
		synctest.Wait()
		close(gate)
		told := []string{<-answers, <-answers}
		if slices.Sort(told); told[0] != "NONE first" || told[1] != "REBALANCE_IN_PROGRESS " {
			t.Errorf("they are told %q", told)
		}
	})
}
