package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/heraclitus/heraclitus/tools/internal/run"
	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

// Main classes of the tools. ConsoleProducer has moved, see words.
const (
	topics      = "org.apache.kafka.tools.TopicCommand"
	configs     = "kafka.admin.ConfigCommand"
	offsets     = "org.apache.kafka.tools.GetOffsetShell"
	groups      = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
	consumer    = "org.apache.kafka.tools.consumer.ConsoleConsumer"
	performance = "org.apache.kafka.tools.ProducerPerformance"
	verProducer = "org.apache.kafka.tools.VerifiableProducer"
	verConsumer = "org.apache.kafka.tools.VerifiableConsumer"
)

// words are what differs between releases.
type words struct {
	producer       string // a class
	producerConfig string // options that name a file of properties
	consumerConfig string
	reader         string // options for how the console's tools read and write lines
	formatter      string
}

var (
	words3 = words{"kafka.tools.ConsoleProducer", "--producer.config", "--consumer.config", "--property", "--property"}
	words4 = words{"org.apache.kafka.tools.ConsoleProducer", "--command-config", "--command-config", "--reader-property", "--formatter-property"}
)

// tools are those of one release, told how to reach a server.
type tools struct {
	words
	contract.Settings
	classpath string
	config    string // a file of properties
}

// open gets the tools of the release that KAFKA_VERSION names.
func open(s contract.Settings) (*tools, error) {
	version := os.Getenv("KAFKA_VERSION")
	t := &tools{words: words4, Settings: s}
	if strings.HasPrefix(version, "3.") {
		t.words = words3
	}
	var err error
	if t.classpath, err = run.ClassPath(version); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "java-tools-")
	if err != nil {
		return nil, err
	}
	t.config = filepath.Join(dir, "client.properties")
	text, err := properties(s)
	if err != nil {
		return nil, err
	}
	return t, os.WriteFile(t.config, []byte(text), 0o600)
}

// close forgets what open has written.
func (t *tools) close() { os.RemoveAll(filepath.Dir(t.config)) }

// properties are a client's, as the server demands.
func properties(s contract.Settings) (string, error) {
	lines := []string{"security.protocol=" + s.Security}
	if s.SASL() {
		module := "scram.ScramLoginModule"
		if s.Mechanism == "PLAIN" {
			module = "plain.PlainLoginModule"
		}
		lines = append(lines, "sasl.mechanism="+s.Mechanism, fmt.Sprintf("sasl.jaas.config=org.apache.kafka.common.security.%s required username=%q password=%q;", module, s.Username, s.Password))
	}
	if s.CAFile != "" {
		lines = append(lines, "ssl.truststore.type=PEM", "ssl.truststore.location="+s.CAFile)
	}
	if s.CertFile != "" {
		chain, err := os.ReadFile(s.CertFile)
		if err != nil {
			return "", err
		}
		key, err := os.ReadFile(s.KeyFile)
		if err != nil {
			return "", err
		}
		lines = append(lines, "ssl.keystore.type=PEM", "ssl.keystore.certificate.chain="+oneLine(chain), "ssl.keystore.key="+oneLine(key))
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// oneLine is a PEM text as the value of a property.
func oneLine(pem []byte) string { return strings.ReplaceAll(string(pem), "\n", `\n`) }

// run runs a tool to its end and returns what it printed.
func (t *tools) run(ctx context.Context, stdin, class string, args ...string) (string, error) {
	cmd := t.command(ctx, class, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s%s", class, strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String(), nil
}

// start starts a tool and has every line that it prints heard. What stop returns ends it as an operator would, and waits.
func (t *tools) start(ctx context.Context, heard func(line string), class string, args ...string) (stop func() error, err error) {
	cmd := t.command(ctx, class, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			heard(lines.Text())
		}
	}()
	return func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		<-ended
		cmd.Wait() // a JVM that was told to end says so in its status, which is no error
		return nil
	}, nil
}

// command is a tool's, on a JVM that starts fast. Every tool is told the server, and how to reach it.
func (t *tools) command(ctx context.Context, class string, args ...string) *exec.Cmd {
	all := []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", t.classpath, class}
	if class == performance {
		return exec.CommandContext(ctx, "java", append(append(all, args...), "--producer.config", t.config, "--producer-props", "bootstrap.servers="+t.Bootstrap)...)
	}
	option := "--command-config"
	switch class {
	case t.producer, verProducer:
		option = t.producerConfig
	case consumer, verConsumer:
		option = t.consumerConfig
	}
	return exec.CommandContext(ctx, "java", append(append(all, "--bootstrap-server", t.Bootstrap, option, t.config), args...)...)
}
