// Command heraclitus serves Kafka's protocol and keeps what it is sent.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"
)

func main() {
	if err := app().Run(os.Args); err != nil {
		fmt.Fprintf(os.Stderr, "heraclitus: %v\n", err)
		os.Exit(exitCode(err))
	}
}

// exit is an error that ends the process with a code of its own.
type exit struct {
	code int
	error
}

func (e exit) Unwrap() error { return e.error }

// exitCode is the code that an error ends the process with.
func exitCode(err error) int {
	var e exit
	if errors.As(err, &e) {
		return e.code
	}
	return 1
}

// app is the command line.
func app() *cli.App {
	return &cli.App{
		Name:            "heraclitus",
		Usage:           "a Kafka server in one program",
		HideHelpCommand: true,
		Commands:        []*cli.Command{serveCommand(), usersCommand(), verifyCommand(), dumpCommand(), versionCommand()},
		OnUsageError:    usageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return fmt.Errorf("%q is not a command: see heraclitus --help", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
}

// usageError says where the flags are explained, instead of explaining them all.
func usageError(c *cli.Context, err error, _ bool) error {
	return fmt.Errorf("%w: see %s --help", err, c.Command.HelpName)
}
