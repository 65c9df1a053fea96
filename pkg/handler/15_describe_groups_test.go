package handler

import (
	"slices"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestDescribeGroupsThatAreNot(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyDescribeGroups, 0, func(v int16) {
		r := ask[wire.DescribeGroupsResponse](w, wire.KeyDescribeGroups, v, &wire.DescribeGroupsRequest{Groups: []string{"none", ""}, IncludeAuthorizedOperations: v >= 3})
		for i, id := range []string{"none", ""} {
			g, want := &r.Groups[i], kerr.None
			if v >= 6 {
				want = kerr.GroupIDNotFound
			}
			if g.GroupID != id || kerr.Code(g.ErrorCode) != want || (g.ErrorMessage == nil) != (v < 6) || g.GroupState != "Dead" || len(g.Members) != 0 {
				t.Errorf("v%d: %+v", v, g)
			}
			if told := g.AuthorizedOperations != operationsUntold; told != (v >= 3 && v < 6) {
				t.Errorf("v%d: operations %d", v, g.AuthorizedOperations)
			}
		}
	})
}

func TestDescribeGroupsOfOffsetsOnly(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("orders", 1)
	w.commit(9, commitOf("g", "orders", commitAt(0, 1, nil)))
	r := ask[wire.DescribeGroupsResponse](w, wire.KeyDescribeGroups, 6, &wire.DescribeGroupsRequest{Groups: []string{"g"}})
	if g := r.Groups[0]; g.ErrorCode != 0 || g.GroupState != "Empty" || g.ProtocolType != "" {
		t.Errorf("%+v", g)
	}
}

// TestNamesInARequest shows that a request that names more groups, members, users or topics to create than are allowed
// ends its connection.
func TestNamesInARequest(t *testing.T) {
	w := newWorld(t, Options{RequestPartitionMax: 3})
	names := []string{"a", "b", "c", "d"}
	members, groups := make([]wire.LeaveGroupRequestMemberIdentity, 4), make([]wire.OffsetFetchRequestGroup, 4)
	topics, users := make([]wire.CreateTopicsRequestCreatableTopic, 4), make([]wire.DescribeUserScramCredentialsRequestUserName, 4)
	given := make([]wire.AlterUserScramCredentialsRequestScramCredentialUpsertion, 3)
	taken := make([]wire.AlterUserScramCredentialsRequestScramCredentialDeletion, 1)
	for n := 3; n <= 4; n++ {
		f := func(key int16, q wire.Message) {
			t.Helper()
			if err := rowOf(key).Finish(w.handler, w.submit(key, rowOf(key).Max, q)); (n > 3) != (err != nil) {
				t.Errorf("%s of %d: %v", wire.Name(key), n, err)
			}
		}
		f(wire.KeyDescribeGroups, &wire.DescribeGroupsRequest{Groups: names[:n]})
		f(wire.KeyDeleteGroups, &wire.DeleteGroupsRequest{GroupsNames: names[:n]})
		f(wire.KeyFindCoordinator, &wire.FindCoordinatorRequest{CoordinatorKeys: names[:n]})
		f(wire.KeyLeaveGroup, &wire.LeaveGroupRequest{GroupID: "g", Members: members[:n]})
		f(wire.KeyOffsetFetch, &wire.OffsetFetchRequest{Groups: groups[:n]})
		f(wire.KeyCreateTopics, &wire.CreateTopicsRequest{Topics: topics[:n]})
		f(wire.KeyDescribeUserScramCredentials, &wire.DescribeUserScramCredentialsRequest{Users: users[:n]})
		f(wire.KeyAlterUserScramCredentials, &wire.AlterUserScramCredentialsRequest{Deletions: taken, Upsertions: given[:n-1]})
	}
}

// TestDescribeGroupsOverAndOver shows that a group that is large cannot be asked for so often that the answer outgrows
// memory.
func TestDescribeGroupsOverAndOver(t *testing.T) {
	w := newWorld(t, Options{})
	q := joinOf("large")
	q.Protocols[0].Metadata = make([]byte, 900<<10)
	w.memberOf(q)
	f := func(times int, hangsUp bool) {
		t.Helper()
		r, err := try[wire.DescribeGroupsResponse](w, wire.KeyDescribeGroups, 6, &wire.DescribeGroupsRequest{Groups: slices.Repeat([]string{"large"}, times)})
		if hangsUp != (err != nil) || !hangsUp && len(r.Groups) != times {
			t.Errorf("%d times: %v", times, err)
		}
	}
	f(2, false)
	f(groupsBytesMax/(900<<10)+2, true)
}
