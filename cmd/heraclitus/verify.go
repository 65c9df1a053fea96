package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/heraclitus/heraclitus/pkg/verify"
)

// Exit codes of verify, for scripts.
const (
	exitDamaged   = 1 // damage was found
	exitUnchecked = 2 // storage could not be checked
)

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:            "verify",
		Usage:           "check storage, also beside a running server: exit code 1 means damage, 2 that it could not be checked",
		ArgsUsage:       " ",
		HideHelpCommand: true,
		OnUsageError:    func(c *cli.Context, err error, sub bool) error { return exit{exitUnchecked, usageError(c, err, sub)} },
		Description: "Every entry of the journal, every checkpoint and every segment is read and compared with the others. Nothing is written, locked or\n" +
			"fenced. A line that begins with \"damage\" says what is wrong, one that begins with \"note\" what is remarkable, but right.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", DefaultText: "heraclitus.toml, if it is there", Usage: "read where the storage is in `FILE`"},
			&cli.StringFlag{Name: "storage-path", DefaultText: "./data", Usage: "check the storage in `PATH`: a directory, or s3://bucket/prefix"},
			&cli.BoolFlag{Name: "fast", DisableDefaultText: true, Usage: "leave out the records: of segments, only the ends are read"},
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return exit{exitUnchecked, fmt.Errorf("verify takes no arguments, but flags: what is %q?", c.Args().First())}
			}
			ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
			defer stop()
			return verifyStorage(ctx, c)
		},
	}
}

// verifyStorage checks the storage that the flags name, and says what it found.
func verifyStorage(ctx context.Context, c *cli.Context) error {
	s, err := settings(c)
	if err != nil {
		return exit{exitUnchecked, err}
	}
	storage, err := verify.Open(ctx, s.Storage.Path)
	if err != nil {
		return exit{exitUnchecked, err}
	}
	defer storage.Close()
	bar := &progressLine{out: c.App.ErrWriter}
	o := verify.Options{Fast: c.Bool("fast")}
	if f, ok := c.App.ErrWriter.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Progress = bar.show
	}
	sum, err := verify.Run(ctx, storage, o, func(f verify.Finding) {
		bar.clear()
		fmt.Fprintln(c.App.Writer, f)
	})
	bar.clear()
	if err != nil {
		return exit{exitUnchecked, err}
	}
	fmt.Fprintf(c.App.Writer, "%d topics, %d partitions, %d records, %d bytes, %d journal entries, %d segments in %.1f s: %s\n",
		sum.Topics, sum.Partitions, sum.Records, sum.Bytes, sum.Entries, sum.Segments, sum.Took.Seconds(), verdict(sum))
	if sum.Findings > 0 {
		return exit{exitDamaged, fmt.Errorf("%s is damaged", s.Storage.Path)}
	}
	return nil
}

func verdict(s verify.Summary) string {
	if s.Findings == 0 {
		return "all is well"
	}
	return fmt.Sprintf("damage in %d lines", s.Findings)
}

// progressLine is a line of a terminal that is written over and over.
type progressLine struct {
	out   io.Writer
	shown bool
	began time.Time
}

// progressAfter is how long a run takes before it says how far it has come.
const progressAfter = 2 * time.Second

const eraseLine = "\r\x1b[K"

func (l *progressLine) show(p verify.Progress) {
	if l.began.IsZero() {
		l.began = time.Now()
	}
	if time.Since(l.began) > progressAfter {
		l.shown = true
		fmt.Fprintf(l.out, "%s%s: %d of %d", eraseLine, p.Doing, p.Done, p.Total)
	}
}

func (l *progressLine) clear() {
	if l.shown {
		l.shown = false
		io.WriteString(l.out, eraseLine)
	}
}
