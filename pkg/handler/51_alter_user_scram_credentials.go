package handler

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// AlterUserScramCredentials: key 51, version 0 (KIP-554): credentials of users are given or taken away, durably, or
// refused one by one. A salted password comes in and goes no further: what is kept of it checks a proof, and makes none.
// As in Kafka a user may occur once in a request, whatever the mechanism. Sessions that a credential has let in stay, and
// whoever is let in may alter every user, as in Kafka without an authorizer.
//
// Kafka has no limit on names, salts and users, and answers an empty salted password with UNKNOWN_SERVER_ERROR.

// What is refused, in Kafka's words where it has some.
var (
	errAlteredTwice     = fmt.Errorf("A user credential cannot be altered twice in the same request: %w", kerr.DuplicateResource)
	errNoUsername       = fmt.Errorf("Username must not be empty: %w", kerr.UnacceptableCredential)
	errLongUsername     = fmt.Errorf("Username must not be longer than %d bytes: %w", state.UserNameBytesMax, kerr.UnacceptableCredential)
	errUnknownScram     = fmt.Errorf("Unknown SCRAM mechanism: %w", kerr.UnsupportedSaslMechanism)
	errNoCredential     = fmt.Errorf("Attempt to delete a user credential that does not exist: %w", kerr.ResourceNotFound)
	errFewIterations    = fmt.Errorf("Too few iterations: %w", kerr.UnacceptableCredential)
	errManyIterations   = fmt.Errorf("Too many iterations: %w", kerr.UnacceptableCredential)
	errLongSalt         = fmt.Errorf("Salt must not be longer than %d bytes: %w", state.SaltBytesMax, kerr.UnacceptableCredential)
	errNoSaltedPassword = fmt.Errorf("Salted password must not be empty: %w", kerr.UnacceptableCredential)
	errTooManyUsers     = fmt.Errorf("There are %d users, which is the most there can be: %w", state.UsersMax, kerr.PolicyViolation)
)

// alteration is what a request wants of one user.
type alteration struct {
	user    string
	err     error
	command state.Command // what is done, if nothing is wrong with it
}

func (h *Handler) alterUserScramCredentials(c *Call, q *wire.AlterUserScramCredentialsRequest, r *wire.AlterUserScramCredentialsResponse) error {
	if err := h.checkCount(len(q.Deletions)+len(q.Upsertions), "users"); err != nil {
		return err
	}
	all := h.alterations(q)
	h.alter(all)
	for _, a := range all {
		out := kbin.Add(&r.Results)
		out.User, out.ErrorMessage = a.user, nil
		if a.err != nil {
			out.ErrorCode, out.ErrorMessage = int16(kerr.Of(a.err)), message(a.err)
			continue
		}
		h.logUser(c, a)
	}
	return nil
}

// logUser logs that a user was given a password, or lost one.
func (h *Handler) logUser(c *Call, a *alteration) {
	switch cmd := a.command.(type) {
	case state.UpsertCredential:
		h.logChange(c, "password set", "of", a.user, "mechanism", auth.Scram(cmd.Mechanism))
	case state.DeleteCredential:
		h.logChange(c, "password deleted", "of", a.user, "mechanism", auth.Scram(cmd.Mechanism))
	}
}

// alterations lists what a request wants, in the order in which it names the users, deletions before upsertions.
func (h *Handler) alterations(q *wire.AlterUserScramCredentialsRequest) []*alteration {
	var all []*alteration
	known := map[string]*alteration{}
	add := func(user string, want func() (state.Command, error)) {
		a := known[user]
		switch {
		case a == nil:
			a = &alteration{user: user}
			known[user], all = a, append(all, a)
			a.command, a.err = want()
		case a.err == nil:
			a.err = errAlteredTwice
		}
	}
	for i := range q.Deletions {
		in := &q.Deletions[i]
		add(in.Name, func() (state.Command, error) { return h.deletion(in) })
	}
	for i := range q.Upsertions {
		in := &q.Upsertions[i]
		add(in.Name, func() (state.Command, error) { return upsertion(in) })
	}
	return all
}

// deletion is the command of a deletion, or says what is wrong with it.
func (h *Handler) deletion(in *wire.AlterUserScramCredentialsRequestScramCredentialDeletion) (state.Command, error) {
	if err := checkUser(in.Name, in.Mechanism); err != nil {
		return nil, err
	}
	exists := false
	h.engine.View(func(s *state.State) { _, exists = s.Credential(in.Name, in.Mechanism) })
	if !exists {
		return nil, errNoCredential
	}
	return state.DeleteCredential{User: in.Name, Mechanism: in.Mechanism}, nil
}

// upsertion is the command of an upsertion, or says what is wrong with it.
func upsertion(in *wire.AlterUserScramCredentialsRequestScramCredentialUpsertion) (state.Command, error) {
	err := checkUser(in.Name, in.Mechanism)
	switch {
	case err != nil:
		return nil, err
	case len(in.Name) > state.UserNameBytesMax:
		return nil, errLongUsername
	case in.Iterations < state.IterationsMin:
		return nil, errFewIterations
	case in.Iterations > state.IterationsMax:
		return nil, errManyIterations
	case len(in.Salt) > state.SaltBytesMax:
		return nil, errLongSalt
	case len(in.SaltedPassword) == 0:
		return nil, errNoSaltedPassword
	}
	stored, server := auth.Scram(in.Mechanism).Keys(in.SaltedPassword)
	credential := state.Credential{Mechanism: in.Mechanism, Iterations: in.Iterations, Salt: in.Salt, StoredKey: stored, ServerKey: server}
	return state.UpsertCredential{User: in.Name, Credential: credential}, nil
}

func checkUser(name string, mechanism int8) error {
	switch {
	case name == "":
		return errNoUsername
	case !auth.Scram(mechanism).Known():
		return errUnknownScram
	}
	return nil
}

// alter does what nothing is wrong with, and notes what came of it. Between the checks and here others may have changed
// the same users.
func (h *Handler) alter(all []*alteration) {
	var g engine.Pending
	g.Reset(len(all))
	for i, a := range all {
		if a.err == nil {
			h.engine.AppendCommand(&g, i, a.command)
		}
	}
	g.Wait(0, nil)
	for i, a := range all {
		if a.err != nil {
			continue
		}
		switch code := g.Results[i].Code; code {
		case kerr.None:
		case kerr.ResourceNotFound:
			a.err = errNoCredential
		case kerr.PolicyViolation:
			a.err = errTooManyUsers
		default:
			a.err = code
		}
	}
}
