// Command heraclitus serves Kafka's protocol and keeps what it is sent.
package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"
)

func main() {
	if err := app().Run(os.Args); err != nil {
		fmt.Fprintf(os.Stderr, "heraclitus: %v\n", err)
		os.Exit(1)
	}
}

// app is the command line.
func app() *cli.App {
	return &cli.App{
		Name:            "heraclitus",
		Usage:           "a Kafka server in one program",
		HideHelpCommand: true,
		Commands:        []*cli.Command{serveCommand(), usersCommand(), versionCommand()},
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
