package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/heraclitus/heraclitus/pkg/broker"
	"github.com/heraclitus/heraclitus/pkg/config"
)

// gcPercent lets garbage grow to twice what is in use before it is collected, unless GOGC says otherwise. Little is in
// use, since records lie in few large buffers, and little is garbage, since requests are reused.
const gcPercent = 200

// configName is the file of settings that is read when --config names none.
const configName = "heraclitus.toml"

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:            "serve",
		Usage:           "serve Kafka clients",
		ArgsUsage:       " ",
		HideHelpCommand: true,
		OnUsageError:    usageError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", DefaultText: "heraclitus.toml, if it is there", Usage: "read the settings in `FILE`"},
			&cli.IntFlag{Name: "kafka-port", DefaultText: "9092", Usage: "serve Kafka clients on `PORT`"},
			&cli.IntFlag{Name: "http-port", DefaultText: "9093", Usage: "serve metrics and health on `PORT`"},
			&cli.StringFlag{Name: "listen-host", DefaultText: "localhost", Usage: "listen on `HOST`: localhost, an address of this machine, or 0.0.0.0 for every network"},
			&cli.StringFlag{Name: "storage-path", DefaultText: "./data", Usage: "keep records in `PATH`: a directory, s3://bucket/prefix, or memory://"},
			&cli.BoolFlag{Name: "debug", DisableDefaultText: true, Usage: "log more, and serve Go's profiles on the HTTP port"},
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return fmt.Errorf("serve takes no arguments, but flags: what is %q?", c.Args().First())
			}
			settings, err := settings(c)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second signal ends the process at once
			return serve(ctx, settings, c.Bool("debug"), c.App.ErrWriter)
		},
	}
}

// settings are the command line over the file over the defaults.
func settings(c *cli.Context) (config.Config, error) {
	s := config.Default()
	if file := configFile(c); file != "" {
		var err error
		if s, err = config.Load(file); err != nil {
			return s, err
		}
	}
	if c.IsSet("kafka-port") {
		s.KafkaPort = c.Int("kafka-port")
	}
	if c.IsSet("http-port") {
		s.HTTPPort = c.Int("http-port")
	}
	if c.IsSet("listen-host") {
		s.ListenHost = c.String("listen-host")
	}
	if c.IsSet("storage-path") {
		s.Storage.Path = c.String("storage-path")
	}
	return s, nil
}

// configFile is the file of settings: the one that --config names, or heraclitus.toml in the working directory if there
// is one.
func configFile(c *cli.Context) string {
	if file := c.String("config"); file != "" {
		return file
	}
	if _, err := os.Stat(configName); err != nil {
		return ""
	}
	return configName
}

// serve runs a broker until ctx ends, and stops it gracefully.
func serve(ctx context.Context, settings config.Config, debugging bool, out io.Writer) error {
	began := time.Now()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	log := logger(out, debugging)
	b, err := start(ctx, settings, broker.Options{Log: log, Version: version(), Debug: debugging})
	if err != nil || b == nil {
		return err
	}
	announce(log, b, settings, time.Since(began))
	select {
	case <-ctx.Done():
		log.Info("stopping: what was accepted is answered first")
	case err = <-b.Failed():
	}
	limit, cancel := context.WithTimeout(context.Background(), config.Milliseconds(settings.Limits.ShutdownTimeoutMs))
	defer cancel()
	began = time.Now()
	err = errors.Join(err, b.Stop(limit))
	log.Info("stopped", "took", time.Since(began).Round(time.Millisecond))
	return err
}

// start starts a broker. It returns none when ctx ends first: a bucket that is away is waited for, and what a start
// leaves undone the next one does.
func start(ctx context.Context, settings config.Config, o broker.Options) (*broker.Broker, error) {
	type outcome struct {
		broker *broker.Broker
		err    error
	}
	started := make(chan outcome, 1)
	go func() {
		b, err := broker.Start(settings, o)
		started <- outcome{b, err}
	}()
	select {
	case s := <-started:
		return s.broker, s.err
	case <-ctx.Done():
		o.Log.Info("stopped before it was ready")
		return nil, nil
	}
}

// logger writes lines of text to out.
func logger(out io.Writer, debugging bool) *slog.Logger {
	level := slog.LevelInfo
	if debugging {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
}

// announce says what is served, where the data is, and how to reach it.
func announce(log *slog.Logger, b *broker.Broker, s config.Config, took time.Duration) {
	where := "memory, until the end"
	switch {
	case s.Storage.InBucket():
		where = s.Storage.Path
	case !s.Storage.InMemory():
		where = s.Storage.Path
		if absolute, err := filepath.Abs(where); err == nil {
			where = absolute
		}
	}
	if all := b.Listeners(); len(all) > 1 {
		for _, l := range all {
			log.Info("listening", "listener", l.Name, "protocol", l.Protocol, "at", net.JoinHostPort(l.Host, strconv.Itoa(l.Port)))
		}
	}
	log.Info("ready", "version", version(), "kafka", net.JoinHostPort(s.ListenHost, strconv.Itoa(b.KafkaPort())),
		"http", fmt.Sprintf("http://%s", net.JoinHostPort(s.ListenHost, strconv.Itoa(b.HTTPPort()))),
		"data", where, "took", took.Round(time.Millisecond))
}
