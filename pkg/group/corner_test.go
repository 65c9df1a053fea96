package group

import (
	"fmt"
	"slices"
	"strings"
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

// TestWhoFindsNoPlaceIsNotWaitedFor shows that a client that was given a member id, and then finds the group full, holds up
// nobody.
func TestWhoFindsNoPlaceIsNotWaitedFor(t *testing.T) {
	bubble(t, Options{MembersMax: 2}, func(r *rig) {
		a := r.stableGroup(1)[0]
		b, c := r.client("g"), r.client("g")
		for _, invited := range []*client{b, c} {
			answer, _ := answered(r.join(invited.request()))
			invited.id = answer.MemberID
		}
		b.join().expectWaiting()
		a.join().expectWaiting()
		c.join().expectJoined(kerr.GroupMaxSizeReached)
		a.expectJoined(kerr.None)
		b.expectJoined(kerr.None)
		if r.bytes.Load() != int64(a.held()+b.held()) {
			t.Errorf("%d bytes are in the group's name, and not %d and %d", r.bytes.Load(), a.held(), b.held())
		}
	})
}

// held is how many bytes are in the name of a member.
func (c *client) held() int {
	g, _ := c.r.find(c.group, false)
	defer g.unlock()
	return g.members[c.id].size()
}

// TestMemberIDsTakePlace shows that member ids that were given out count among the bytes of a group, for as long as they may be used.
func TestMemberIDsTakePlace(t *testing.T) {
	bubble(t, Options{GroupBytesMax: 100_000}, func(r *rig) {
		q := r.client("g").request()
		q.ClientID = strings.Repeat("c", 20_000)
		given := 0
		for range 10 {
			if answer, _ := answered(r.join(q)); answer.Code == kerr.MemberIDRequired {
				given++
			} else if answer.Code != kerr.GroupMaxSizeReached {
				t.Fatalf("answered %v", answer.Code)
			}
		}
		if given != 3 {
			t.Errorf("%d member ids of 20 kB were given out", given)
		}
		time.Sleep(11 * second)
		if n := r.bytes.Load(); n != 0 {
			t.Errorf("%d bytes are in nobody's name", n)
		}
	})
}

// TestStaticMembersKeepTheirPlace shows that a static member that comes back needs no place beside its own.
func TestStaticMembersKeepTheirPlace(t *testing.T) {
	size := 0
	bubble(t, Options{}, func(r *rig) {
		r.stableGroup(2, func(i int, c *client) { c.instance = fmt.Sprint("instance-", i) })
		size = int(r.bytes.Load())
	})
	bubble(t, Options{MembersMax: 2, GroupBytesMax: size + size/4}, func(r *rig) {
		all := r.stableGroup(2, func(i int, c *client) { c.instance = fmt.Sprint("instance-", i) })
		all[0].id = ""
		all[0].join().expectJoined(kerr.None)
	})
	bubble(t, Options{MembersMax: 2}, func(r *rig) {
		all := r.stableGroup(2, func(i int, c *client) { c.instance = fmt.Sprint("instance-", i) })
		all[1].topics = []string{"clicks"}
		all[1].join().expectWaiting()
		third := r.client("g").join()
		third.expectWaiting()
		before := *all[1]
		all[1].id = ""
		all[1].join().expectWaiting()
		before.expectJoined(kerr.FencedInstanceID)
		all[0].join().expectJoined(kerr.GroupMaxSizeReached)
		all[1].expectJoined(kerr.None)
		third.expectJoined(kerr.None)
	})
}

// TestSeveralLeaveAtOnce shows that members that leave together are not in the generation that follows.
func TestSeveralLeaveAtOnce(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(3)
		all[1].topics = []string{"clicks"}
		all[1].join().expectWaiting()
		all[2].join().expectWaiting()
		codes, _ := r.Leave("g", []Identity{all[0].who(), {MemberID: "nobody"}, all[1].who()})
		if !slices.Equal(codes, []kerr.Code{kerr.None, kerr.UnknownMemberID, kerr.None}) {
			t.Errorf("they are told %v", codes)
		}
		all[1].expectJoined(kerr.UnknownMemberID)
		if id := all[1].joined.MemberID; id != "" {
			t.Errorf("who has left is to join again as %q", id)
		}
		if all[2].expectJoined(kerr.None); len(all[2].joined.Members) != 1 || all[2].joined.Leader != all[2].id {
			t.Errorf("who stays got %+v", all[2].joined)
		}
	})
}

// TestNobodyToLead shows that a group whose members are all away waits for them, however little time they allow themselves.
func TestNobodyToLead(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		all := r.stableGroup(2, func(i int, c *client) {
			c.instance, c.session, c.rebalance = fmt.Sprint("instance-", i), 100*second, time.Duration(1-i)*60*second
		})
		all[0].leave(kerr.None)
		time.Sleep(10 * second)
		r.expectState("g", "PreparingRebalance", 1)
		all[1].join().expectJoined(kerr.None)
		if all[1].joined.Leader != all[1].id {
			t.Errorf("%s leads", all[1].joined.Leader)
		}
	})
}

// TestALateAssignmentIsNotThatOfTheNextGeneration shows that an assignment that becomes durable only when its generation is over is
// nobody's.
func TestALateAssignmentIsNotThatOfTheNextGeneration(t *testing.T) {
	bubble(t, Options{}, func(r *rig) {
		a := r.client("g").join().expectJoined(kerr.None)
		gate := make(chan struct{})
		r.journal.gate.Store(&gate)
		late := make(chan Synced, 1)
		go func() {
			late <- r.Sync(&SyncRequest{GroupID: "g", MemberID: a.id, Generation: a.generation, Assignments: []Assignment{{a.id, []byte("all")}}}, nil)
		}()
		synctest.Wait()
		b := r.client("g").join()
		a.join().expectJoined(kerr.None)
		b.expectJoined(kerr.None)
		close(gate)
		if got := <-late; got.Code != kerr.RebalanceInProgress {
			t.Errorf("it is answered %v", got.Code)
		}
		r.expectState("g", "CompletingRebalance", 2)
		r.restart()
		if d := r.expectState("g", "Stable", 1); string(d.Members[0].Assignment) != "all" {
			t.Errorf("what was durable is %+v", d)
		}
	})
}

// TestGroupsGoTogether shows that many groups that are deleted, or expire, wait for few commits.
func TestGroupsGoTogether(t *testing.T) {
	f := func(what string, end func(r *rig, ids []string)) {
		bubble(t, Options{OffsetsRetention: time.Minute}, func(r *rig) {
			var ids []string
			for i := range 150 {
				ids = append(ids, fmt.Sprint("group-", i))
				r.commit(r.simple(ids[i]), 0, 1)
			}
			time.Sleep(2 * time.Minute)
			r.takes(func() time.Duration { return second })
			begin := time.Now()
			end(r, ids)
			if took := time.Since(begin); took > 30*second {
				t.Errorf("%d groups %s in %d commits", len(ids), what, took/second)
			}
			if left := r.List(); len(left) != 0 {
				t.Errorf("%d groups did not", len(left))
			}
		})
	}
	f("were deleted", func(r *rig, ids []string) { r.Delete(ids) })
	f("expired", func(r *rig, _ []string) { r.Expire() })
}
