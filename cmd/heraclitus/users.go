package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/heraclitus/heraclitus/pkg/auth"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// bothMechanisms gives a user a credential for each mechanism of SCRAM.
const bothMechanisms = "both"

// scrams are the mechanisms that users have credentials for.
var scrams = []auth.Scram{auth.ScramSHA256, auth.ScramSHA512}

func usersCommand() *cli.Command {
	return &cli.Command{
		Name:            "users",
		Usage:           "list and change the users who may log in by SCRAM",
		HideHelpCommand: true,
		OnUsageError:    usageError,
		Description: "The users are those of the storage that --config or --storage-path names, while no server runs on it, or those of\n" +
			"a running server, which --bootstrap-server names. A changed password counts from the next login on: clients\n" +
			"that are connected stay. There are no permissions yet: whoever is let in may change the users of a running server.",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return fmt.Errorf("%q is not a command: see heraclitus users --help", c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
		Subcommands: []*cli.Command{
			usersSubcommand("list", " ", "list the users, with how often their passwords are hashed", listUsers),
			usersSubcommand("set", "NAME", "give a user, who need not exist yet, a password: asked for, or the first line of --password-file or of what is piped in", setUser,
				&cli.StringFlag{Name: "mechanism", Value: bothMechanisms, Usage: "let the user log in by `MECHANISM`: SCRAM-SHA-256, SCRAM-SHA-512 or both"},
				&cli.IntFlag{Name: "iterations", Value: auth.IterationsDefault, Usage: fmt.Sprintf("hash the password `N` times, %d to %d", state.IterationsMin, state.IterationsMax)},
				&cli.StringFlag{Name: "password-file", Usage: "read the user's password in `FILE`"}),
			usersSubcommand("delete", "NAME", "let a user log in no more", deleteUser),
		},
	}
}

// usersSubcommand is one of the commands on users, with the flags that say where these are. Flags may follow its argument.
func usersSubcommand(name, arguments, usage string, run func(*cli.Context, asker) error, flags ...cli.Flag) *cli.Command {
	return &cli.Command{
		Name: name, ArgsUsage: arguments, Usage: usage, HideHelpCommand: true, OnUsageError: usageError, Flags: append(flags, whereFlags()...),
		Action: func(c *cli.Context) error {
			if strings.HasPrefix(c.Args().Get(1), "-") {
				return flagsFirst(c)
			}
			if c.Args().Len() != len(strings.Fields(arguments)) {
				return fmt.Errorf("it is %s [options] %s: see %s --help", c.Command.HelpName, strings.TrimSpace(arguments), c.Command.HelpName)
			}
			return ask(c, run)
		},
	}
}

// flagsFirst runs a command again with its first argument last, because flags end at the first argument.
func flagsFirst(c *cli.Context) error {
	args := []string{c.Command.Name}
	for _, name := range c.LocalFlagNames() {
		args = append(args, fmt.Sprintf("--%s=%v", name, c.Value(name)))
	}
	return c.Command.Run(c, append(append(args, c.Args().Tail()...), c.Args().First())...)
}

func listUsers(c *cli.Context, a asker) error {
	r, err := describe(a)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	for i := range r.Results {
		u := &r.Results[i]
		fmt.Fprint(out, shown(u.User))
		for _, info := range u.CredentialInfos {
			fmt.Fprintf(out, "\t%s (%d iterations)", auth.Scram(info.Mechanism), info.Iterations)
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}

// shown is a name as it is, or quoted if a terminal would not just show it: whoever is let in may name users.
func shown(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

func setUser(c *cli.Context, a asker) error {
	chosen := scrams
	if name := c.String("mechanism"); name != bothMechanisms {
		m, ok := auth.ScramNamed(name)
		if !ok {
			return fmt.Errorf("--mechanism %q: should be SCRAM-SHA-256, SCRAM-SHA-512 or both", name)
		}
		chosen = []auth.Scram{m}
	}
	iterations := c.Int("iterations")
	if iterations < state.IterationsMin || iterations > state.IterationsMax {
		return fmt.Errorf("--iterations %d: should be from %d to %d", iterations, state.IterationsMin, state.IterationsMax)
	}
	password, err := newPassword(c)
	if err != nil {
		return err
	}
	for _, m := range chosen { // one by one: a request may name a user once
		salt := auth.NewSalt()
		err := alter(a, &wire.AlterUserScramCredentialsRequest{Upsertions: []wire.AlterUserScramCredentialsRequestScramCredentialUpsertion{{
			Name: c.Args().First(), Mechanism: int8(m), Iterations: int32(iterations), Salt: salt, SaltedPassword: m.SaltedPassword(password, salt, int32(iterations)),
		}}})
		if err != nil {
			return err
		}
	}
	return nil
}

func deleteUser(c *cli.Context, a asker) error {
	name := c.Args().First()
	r, err := describe(a, name)
	if err != nil {
		return err
	}
	for _, info := range r.Results[0].CredentialInfos {
		err := alter(a, &wire.AlterUserScramCredentialsRequest{Deletions: []wire.AlterUserScramCredentialsRequestScramCredentialDeletion{{Name: name, Mechanism: info.Mechanism}}})
		if err != nil {
			return err
		}
	}
	return nil
}

// describe asks for users by name, or for all.
func describe(a asker, names ...string) (*wire.DescribeUserScramCredentialsResponse, error) {
	q := &wire.DescribeUserScramCredentialsRequest{}
	for _, name := range names {
		q.Users = append(q.Users, wire.DescribeUserScramCredentialsRequestUserName{Name: name})
	}
	m, err := a.Ask(wire.KeyDescribeUserScramCredentials, 0, q)
	if err != nil {
		return nil, err
	}
	r := m.(*wire.DescribeUserScramCredentialsResponse)
	if err := refusal("list users", r.ErrorCode, r.ErrorMessage); err != nil {
		return nil, err
	}
	if len(r.Results) < len(names) {
		return nil, fmt.Errorf("list users: %d are answered for of %d", len(r.Results), len(names))
	}
	slices.SortFunc(r.Results, func(a, b wire.DescribeUserScramCredentialsResponseDescribeUserScramCredentialsResult) int {
		return strings.Compare(a.User, b.User)
	})
	for i := range r.Results {
		if err := refusal(fmt.Sprintf("user %q", r.Results[i].User), r.Results[i].ErrorCode, r.Results[i].ErrorMessage); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// alter changes users.
func alter(a asker, q *wire.AlterUserScramCredentialsRequest) error {
	m, err := a.Ask(wire.KeyAlterUserScramCredentials, 0, q)
	if err != nil {
		return err
	}
	for _, u := range m.(*wire.AlterUserScramCredentialsResponse).Results {
		if err := refusal(fmt.Sprintf("user %q", u.User), u.ErrorCode, u.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

// refusal is the error of what was refused, in the server's words if it had any.
func refusal(what string, code int16, message *string) error {
	switch {
	case code == 0:
		return nil
	case message != nil && *message != "":
		return fmt.Errorf("%s: %s: %w", what, *message, kerr.Code(code))
	}
	return fmt.Errorf("%s: %w", what, kerr.Code(code))
}
