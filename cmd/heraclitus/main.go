// Command heraclitus serves Kafka's protocol and keeps what it is sent.
package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

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
		Commands:        []*cli.Command{serveCommand(), usersCommand(), verifyCommand(), dumpCommand(), versionCommand(), helpCommand()},
		OnUsageError:    usageError,
		Flags:           []cli.Flag{&cli.BoolFlag{Name: "version", DisableDefaultText: true, Usage: "say which version this is"}, cli.HelpFlag},
		Action: func(c *cli.Context) error {
			switch {
			case c.Args().Present():
				return fmt.Errorf("%q is not a command: see heraclitus --help", c.Args().First())
			case c.Bool("version"):
				return printVersion(c)
			}
			return cli.ShowAppHelp(c)
		},
	}
}

// helpCommand is how many ask for help: what comes after it is asked for its own.
func helpCommand() *cli.Command {
	return &cli.Command{
		Name:            "help",
		Usage:           "show help, also on a command",
		ArgsUsage:       "[COMMAND…]",
		SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			asked := app()
			asked.Writer = c.App.Writer
			return asked.RunContext(c.Context, slices.Concat([]string{asked.Name}, c.Args().Slice(), []string{"--help"}))
		},
	}
}

// undefined is how package flag begins its error about a flag that does not exist, whose second dash it leaves out.
const undefined = "flag provided but not defined: -"

// wrongValue is how package flag says what a flag's value is not, with one dash too few and the parser's own words at the end.
var wrongValue = regexp.MustCompile(`^invalid value ("[^"]*") for flag -([a-z-]+): .*`)

// usageError says where the flags are explained, instead of explaining them all.
func usageError(c *cli.Context, err error, _ bool) error {
	if name, ok := strings.CutPrefix(err.Error(), undefined); ok {
		err = fmt.Errorf("there is no flag --%s", name)
		if near := cli.SuggestFlag(c.Command.Flags, name, false); strings.HasPrefix(near, "--"+name[:min(len(name), 3)]) {
			err = fmt.Errorf("%w; did you mean %s?", err, near)
		}
	}
	if m := wrongValue.FindStringSubmatch(err.Error()); m != nil {
		err = fmt.Errorf("%s is no value for --%s", m[1], m[2])
	}
	return fmt.Errorf("%w: see %s --help", err, c.Command.HelpName)
}
