package handler

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DescribeUserScramCredentials: key 50, version 0 (KIP-554): which mechanisms users have credentials for, with the iterations
// of each, and nothing of the credentials themselves. No names, null or none, mean every user. A user without a credential
// does not exist, and one that is named twice is refused.

func (h *Handler) describeUserScramCredentials(_ *Call, q *wire.DescribeUserScramCredentialsRequest, r *wire.DescribeUserScramCredentialsResponse) error {
	if err := h.checkCount(len(q.Users), "users"); err != nil {
		return err
	}
	times := map[string]int{}
	for i := range q.Users {
		times[q.Users[i].Name]++
	}
	h.engine.View(func(s *state.State) {
		if len(q.Users) == 0 {
			for u := range s.Users() {
				describeUser(r, u.Name, u.Credentials)
			}
		}
		for i := range q.Users {
			name := q.Users[i].Name
			u, exists := s.User(name)
			switch {
			case times[name] == 0: // answered before
			case times[name] > 1:
				refuseUser(r, name, kerr.DuplicateResource, "Cannot describe SCRAM credentials for the same user twice in a single request")
			case !exists:
				refuseUser(r, name, kerr.ResourceNotFound, "Attempt to describe a user credential that does not exist")
			default:
				describeUser(r, name, u.Credentials)
			}
			times[name] = 0
		}
	})
	return nil
}

func describeUser(r *wire.DescribeUserScramCredentialsResponse, name string, credentials []state.Credential) {
	out := kbin.Add(&r.Results)
	out.User = name
	for _, c := range credentials {
		info := kbin.Add(&out.CredentialInfos)
		info.Mechanism, info.Iterations = c.Mechanism, c.Iterations
	}
}

func refuseUser(r *wire.DescribeUserScramCredentialsResponse, name string, code kerr.Code, why string) {
	out := kbin.Add(&r.Results)
	out.User, out.ErrorCode, out.ErrorMessage = name, int16(code), new(fmt.Sprintf("%s: %s", why, name))
}
