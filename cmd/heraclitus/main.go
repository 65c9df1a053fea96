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
		Version:         version(),
		HideVersion:     true, // there is a command for it
		HideHelpCommand: true,
		Suggest:         true,
		Commands:        []*cli.Command{serveCommand(), versionCommand()},
	}
}
