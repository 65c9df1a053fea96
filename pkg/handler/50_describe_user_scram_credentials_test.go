package handler

import (
	"fmt"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// describeUsers asks for users; nil asks for all by null.
func (w *world) describeUsers(names ...string) []string {
	w.Helper()
	q := &wire.DescribeUserScramCredentialsRequest{}
	for _, name := range names {
		q.Users = append(q.Users, wire.DescribeUserScramCredentialsRequestUserName{Name: name})
	}
	return w.askUsers(q)
}

func (w *world) askUsers(q *wire.DescribeUserScramCredentialsRequest) []string {
	w.Helper()
	r := ask[wire.DescribeUserScramCredentialsResponse](w, wire.KeyDescribeUserScramCredentials, 0, q)
	if r.ErrorCode != 0 || text(r.ErrorMessage) != "" {
		w.Errorf("%v %s", kerr.Code(r.ErrorCode), text(r.ErrorMessage))
	}
	var all []string
	for _, u := range r.Results {
		line := fmt.Sprintf("%s %s %s", u.User, kerr.Code(u.ErrorCode).Name(), text(u.ErrorMessage))
		for _, c := range u.CredentialInfos {
			line += fmt.Sprintf("%d:%d ", c.Mechanism, c.Iterations)
		}
		all = append(all, line)
	}
	return all
}

func TestDescribeUserScramCredentials(t *testing.T) {
	w := newWorld(t, Options{})
	w.expect("nobody", w.describeUsers())
	w.alterUsers(nil, upsert("bob", 2, 8192), upsert("al", 1, 4096))
	w.alterUsers(nil, upsert("bob", 1, 4096))
	everybody := []string{"al NONE 1:4096 ", "bob NONE 1:4096 2:8192 "}
	w.expect("null", w.describeUsers(), everybody...)
	w.expect("none", w.askUsers(&wire.DescribeUserScramCredentialsRequest{Users: []wire.DescribeUserScramCredentialsRequestUserName{}}), everybody...)
	w.expect("some", w.describeUsers("bob", "x", "", "al", "al", "x2", "al"),
		"bob NONE 1:4096 2:8192 ",
		"x RESOURCE_NOT_FOUND Attempt to describe a user credential that does not exist: x",
		" RESOURCE_NOT_FOUND Attempt to describe a user credential that does not exist: ",
		"al DUPLICATE_RESOURCE Cannot describe SCRAM credentials for the same user twice in a single request: al",
		"x2 RESOURCE_NOT_FOUND Attempt to describe a user credential that does not exist: x2")
}
