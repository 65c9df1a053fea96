// Package clients knows the programs in tools/interop/clients, one for each Kafka client that is checked, and gets
// them ready to run: it has the client fetched from its registry, in the version that a file beside the program pins,
// and built where it has to be. What it makes it keeps in a cache, so that only the first time takes long.
package clients

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// Folder is where the programs are, from the top of the repository.
const Folder = "tools/interop/clients"

// Client is a Kafka client in one version, with the program that uses it.
type Client struct {
	Name     string // what it is called in tables, and on the command line
	folder   string // of its program, below Folder
	library  string // its name in the registry
	version  string // where its program is there for several
	language language
}

// language is how a program is got ready whose client comes from one kind of registry.
type language struct {
	tools   []string // programs that have to be on the machine
	prepare func(ctx context.Context, p *place) (Program, error)
}

// Program is a client's program, ready to run: Command with the name of a check behind it, in Dir, with Env beside what the
// contract of the programs asks for (Folder's README).
type Program struct {
	Version string // of the client
	Command []string
	Dir     string
	Env     []string
}

// place is where a client's program is and where what is made of it goes.
type place struct {
	Client
	programs string // Folder, as an absolute path
	dir      string // of this program
	cache    string // of all programs
}

// All are the clients there are, in the order of tables.
func All() []Client {
	return []Client{
		{Name: "franz-go", folder: "franz-go", library: "github.com/twmb/franz-go", language: golang},
		{Name: "sarama", folder: "sarama", library: "github.com/IBM/sarama", language: golang},
		{Name: "kafka-go", folder: "kafka-go", library: "github.com/segmentio/kafka-go", language: golang},
		{Name: "confluent-kafka-go", folder: "confluent-kafka-go", library: "github.com/confluentinc/confluent-kafka-go/v2", language: cgo},
		{Name: "kafka-python", folder: "kafka-python", library: "kafka-python", language: python},
		{Name: "aiokafka", folder: "aiokafka", library: "aiokafka", language: python},
		{Name: "confluent-kafka", folder: "confluent-kafka", library: "confluent-kafka", language: python},
		{Name: "kafkajs", folder: "kafkajs", library: "kafkajs", language: node},
		{Name: "kafka-javascript", folder: "kafka-javascript", library: "@confluentinc/kafka-javascript", language: node},
		{Name: "java-3", folder: "java", version: oldJava, language: java},
		{Name: "java-4", folder: "java", version: newJava, language: java},
		{Name: "java-tools-3", folder: "java-tools", version: oldJava, language: javaTools},
		{Name: "java-tools-4", folder: "java-tools", version: newJava, language: javaTools},
	}
}

// Releases of Kafka's own client and tools: the last that knows versions which Kafka 4 has dropped, and the newest.
const (
	oldJava = "3.9.2"
	newJava = "4.3.1"
)

// MissingError is the error of Prepare when the machine lacks a program that the client's language takes.
type MissingError struct{ Tool string }

func (e MissingError) Error() string { return e.Tool + " is not on this machine" }

// Prepare gets the client's program ready. root is the top of the repository, cache a folder to keep things in.
func (c Client) Prepare(ctx context.Context, root, cache string) (Program, error) {
	for _, tool := range c.language.tools {
		if _, err := exec.LookPath(tool); err != nil {
			return Program{}, MissingError{tool}
		}
	}
	programs, err := filepath.Abs(filepath.Join(root, Folder))
	if err != nil {
		return Program{}, err
	}
	if cache, err = filepath.Abs(cache); err != nil {
		return Program{}, err
	}
	p := &place{c, programs, filepath.Join(programs, c.folder), cache}
	program, err := c.language.prepare(ctx, p)
	if err != nil {
		return Program{}, fmt.Errorf("get %s ready: %w", c.Name, err)
	}
	program.Dir = p.dir
	return program, nil
}

// once makes a folder of the cache, if it is not there: a folder that a make left unfinished is made anew. Another
// process that makes it is waited for.
func (p *place) once(name string, make func(dir string) error) (dir string, err error) {
	dir = filepath.Join(p.cache, name)
	unlock, err := run.Lock(dir+".lock", func() {})
	if err != nil {
		return "", err
	}
	defer unlock()
	done := filepath.Join(dir, "done")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return "", err
	}
	if err := make(dir); err != nil {
		return "", err
	}
	return dir, os.WriteFile(done, nil, 0o644)
}

// command runs a command in a folder, with env beside the environment there is.
func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}
