package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/heraclitus/heraclitus/pkg/dump"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3"
)

func dumpCommand() *cli.Command {
	return &cli.Command{
		Name:            "dump",
		Usage:           "print journal files, checkpoints and segments in readable form",
		ArgsUsage:       "FILE...",
		HideHelpCommand: true,
		OnUsageError:    usageError,
		Description: "The first bytes of each FILE tell what it is. It may also be an object in a bucket, s3://bucket/key, found by the AWS_* variables.\n" +
			"Passwords are in none of them; the salts and keys of users are not printed.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "records", DisableDefaultText: true, Usage: "print the records, too"},
			&cli.IntFlag{Name: "width", Value: 100, Usage: "print `N` bytes of each key, value and header; all of them with 0"},
		},
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return errors.New("dump needs a file: see heraclitus dump --help")
			}
			if c.Int("width") < 0 {
				return fmt.Errorf("--width %d: should be 0 or more", c.Int("width"))
			}
			o := dump.Options{Records: c.Bool("records"), Width: c.Int("width")}
			err := dumpAll(c.Context, c.App.Writer, c.Args().Slice(), o)
			if errors.Is(err, syscall.EPIPE) {
				return nil // the reader has seen enough
			}
			return err
		},
	}
}

// dumpAll prints files, each under its name when they are several.
func dumpAll(ctx context.Context, out io.Writer, names []string, o dump.Options) error {
	for _, name := range names {
		if len(names) > 1 {
			if _, err := fmt.Fprintf(out, "%s:\n", name); err != nil {
				return err
			}
		}
		if err := dumpOne(ctx, out, name, o); err != nil {
			return err
		}
	}
	return nil
}

func dumpOne(ctx context.Context, out io.Writer, name string, o dump.Options) error {
	if strings.HasPrefix(name, s3.Scheme) {
		return dumpObject(ctx, out, name, o)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file: name one of those in it", name)
	}
	get := func(_ context.Context, p []byte, off int64) error {
		_, err := io.ReadFull(io.NewSectionReader(f, off, int64(len(p))), p)
		return err
	}
	return dump.Write(ctx, out, dump.Source{Name: name, Bytes: info.Size(), Get: get}, o)
}

// dumpObject prints an object in a bucket.
func dumpObject(ctx context.Context, out io.Writer, name string, o dump.Options) error {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(name, s3.Scheme), "/")
	options, err := s3.FromEnv(s3.Scheme+bucket, os.Getenv)
	if err != nil {
		return err
	}
	store, closeIdle, err := s3.OpenReadOnly(ctx, options)
	if err != nil {
		return err
	}
	defer closeIdle()
	objects, err := store.List(ctx, key)
	if err != nil {
		return err
	}
	if len(objects) == 0 || objects[0].Key != key {
		return fmt.Errorf("%s: there is no such object", name)
	}
	get := func(ctx context.Context, p []byte, off int64) error { return store.GetRange(ctx, key, p, off) }
	return dump.Write(ctx, out, dump.Source{Name: name, Bytes: objects[0].Bytes, Get: get}, o)
}
