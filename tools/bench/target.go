package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/heraclitus/heraclitus/pkg/freeport"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/heraclitus/heraclitus/tools/bench/bare"
)

const (
	heraclitusDisk   = "heraclitus-disk"  // in its steady state
	heraclitusFresh  = "heraclitus-fresh" // in an empty directory
	heraclitusMemory = "heraclitus-memory"
	bareDisk         = "bare-disk"
	bareGrowing      = "bare-growing"
	bareMemory       = "bare-memory"
	kfakeName        = "kfake"
)

// sizes are what the servers may take, in bytes.
type sizes struct {
	hold    int64 // of the bare server's log, the newest that stay fetchable: more than any workload reads back
	journal int64 // of the bare server's journal
	memory  int64 // of records that Heraclitus keeps in memory: more than is produced in a run
	room    int64 // that the journal of Heraclitus in its steady state has, in files written before: as much
}

var usual = sizes{hold: 256 << 20, journal: 256 << 20, memory: 4 << 30, room: 2 << 30}

// target is a kind of server to measure.
type target struct {
	name  string
	upper string // name of the bare server that bounds it
	reuse bool   // the directory is kept from one run to the next
	extra bool   // only measured if it is named
	// launch returns how to start one that listens on port of 127.0.0.1 and keeps its files in dir.
	launch func(ctx context.Context, port int, dir string) (launch, error)
}

// launch is a server that is about to be started.
type launch struct {
	cmd   *exec.Cmd
	prime func(ctx context.Context) error // waits until what listens is in its steady state; nil: it is at once
}

// targets lists what can be measured. heraclitus is the path of its binary.
func targets(heraclitus string, s sizes) []target {
	return []target{
		{name: heraclitusDisk, upper: bareDisk, launch: serveHeraclitus(heraclitus, s.primed)},
		{name: heraclitusMemory, upper: bareMemory, launch: serveHeraclitus(heraclitus, s.inMemory)},
		{name: bareDisk, upper: bareDisk, reuse: true, launch: serveBare(s, true, s.journal)},
		{name: bareMemory, upper: bareMemory, launch: serveBare(s, false, 0)},
		{name: bareGrowing, upper: bareDisk, extra: true, launch: serveBare(s, true, 0)},
		{name: heraclitusFresh, upper: bareDisk, extra: true, launch: serveHeraclitus(heraclitus, sizes{}.primed)},
		{name: kfakeName, upper: bareMemory, launch: func(ctx context.Context, port int, _ string) (launch, error) {
			return self(ctx, "kfake", "-port", strconv.Itoa(port))
		}},
	}
}

// serveBare starts the bare server, which keeps a journal or not.
func serveBare(s sizes, onDisk bool, journal int64) func(context.Context, int, string) (launch, error) {
	return func(ctx context.Context, port int, dir string) (launch, error) {
		args := []string{"bare", "-port", strconv.Itoa(port), "-hold", strconv.FormatInt(s.hold, 10)}
		if onDisk {
			args = append(args, "-dir", dir, "-journal", strconv.FormatInt(journal, 10))
		}
		return self(ctx, args...)
	}
}

// inMemory is the storage of a server that keeps everything in memory, as a table of heraclitus.toml.
func (s sizes) inMemory(string) (table string, room int64) {
	return fmt.Sprintf("path = %q\nmemory_bytes_max = %d\n", "memory://", s.memory), 0
}

// primed is the storage of a server on disk, and the room its journal will have. A journal file counts for three quarters of its size in
// the room, because of what may be lost at its end; the file in use may be full.
func (s sizes) primed(dir string) (table string, room int64) {
	table = fmt.Sprintf("path = %q\n", filepath.Join(dir, "data"))
	if s.room > 0 {
		table += fmt.Sprintf("journal_spare_bytes = %d\n", s.room/3*4+journalFileBytes)
	}
	return table, s.room
}

const journalFileBytes = 64 << 20 // of Heraclitus, unless it is told otherwise

// serveHeraclitus starts the real thing, with nothing set but what it needs.
func serveHeraclitus(binary string, storage func(dir string) (table string, room int64)) func(context.Context, int, string) (launch, error) {
	return func(ctx context.Context, port int, dir string) (launch, error) {
		http, err := freeport.Get()
		if err != nil {
			return launch{}, err
		}
		table, room := storage(dir)
		config := fmt.Sprintf("kafka_port = %d\nhttp_port = %d\n\n[storage]\n%s", port, http, table)
		file := filepath.Join(dir, "heraclitus.toml")
		if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
			return launch{}, fmt.Errorf("write configuration: %w", err)
		}
		l := launch{cmd: exec.CommandContext(ctx, binary, "serve", "--config", file)}
		if room > 0 {
			l.prime = func(ctx context.Context) error { return awaitRoom(ctx, "http://"+addrOf(http)+"/metrics", room) }
		}
		return l, nil
	}
}

// buildHeraclitus builds the server of the repository at root into dir and returns the binary's path.
func buildHeraclitus(ctx context.Context, root, dir string) (string, error) {
	binary, err := filepath.Abs(filepath.Join(dir, "heraclitus"))
	if err != nil {
		return "", fmt.Errorf("name the binary: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/heraclitus")
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build heraclitus: %w\n%s", err, output)
	}
	return binary, nil
}

// self starts this program again as one of its servers.
func self(ctx context.Context, args ...string) (launch, error) {
	path, err := os.Executable()
	if err != nil {
		return launch{}, fmt.Errorf("find this program: %w", err)
	}
	return launch{cmd: exec.CommandContext(ctx, path, args...)}, nil
}

// serve runs a server in this process if args name one, and says whether they do.
func serve(args []string) (bool, error) {
	if len(args) == 0 || args[0] != "bare" && args[0] != "kfake" {
		return false, nil
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	port := flags.Int("port", 0, "port on 127.0.0.1")
	dir := flags.String("dir", "", "bare: directory of the journal; empty: memory")
	hold := flags.Int64("hold", usual.hold, "bare: newest bytes that stay fetchable")
	journal := flags.Int64("journal", usual.journal, "bare: least bytes of the journal; 0: it grows")
	if err := flags.Parse(args[1:]); err != nil {
		return true, err
	}
	if args[0] == "kfake" {
		return true, serveKfake(*port)
	}
	l, err := net.Listen("tcp", addrOf(*port))
	if err != nil {
		return true, fmt.Errorf("listen: %w", err)
	}
	return true, bare.Serve(l, bare.Options{Dir: *dir, JournalBytes: *journal, HoldBytes: *hold})
}

// serveKfake runs franz-go's fake cluster, of one broker, until the process is told to end.
func serveKfake(port int) error {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port))
	if err != nil {
		return fmt.Errorf("start kfake: %w", err)
	}
	defer cluster.Close()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	<-end
	return nil
}
