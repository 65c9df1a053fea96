package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/heraclitus/heraclitus/pkg/freeport"

	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
	"github.com/heraclitus/heraclitus/pkg/storagetest"
	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// outputLines is how much of what a server printed is kept.
const outputLines = 100_000

// server is what the clients are run against.
type server struct {
	doors          map[door]string // host:port; without those that it does not have
	user, password string          // who may come in where a login is asked for
	files          tlsFiles
	stop           func() error
}

// start starts a server: Heraclitus on memory, on disk or in a bucket, or kafka-VERSION; a host:port runs already.
// Its files go to dir, what it printed to server.txt there once it is stopped.
func start(storage, root, dir string) (*server, error) {
	if _, _, err := net.SplitHostPort(storage); err == nil {
		return &server{doors: map[door]string{open: storage}, stop: func() error { return nil }}, nil
	}
	files, err := makeTLSFiles(dir)
	if err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	version, kafka := strings.CutPrefix(storage, "kafka-")
	switch {
	case kafka:
		return startKafka(version, dir, files)
	case storage == "memory":
		return startHeraclitus(storagetest.Place{Path: storagetest.InMemory}, root, dir, files)
	case storage == "disk":
		return startHeraclitus(storagetest.Place{Path: filepath.Join(dir, "data")}, root, dir, files)
	case storage == "s3":
		return startInBucket(root, dir, files)
	}
	return nil, errors.New("should be memory, disk, s3, kafka-VERSION or host:port")
}

// settings are those of a Heraclitus with every door there is: its own port is the one where passwords cross the network
// readably. %[1]s are the TLS files' folder, the numbers ports.
const settings = `[groups]
initial_rebalance_delay_ms = 0

[auth]
enabled = true
mechanism = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
plain_username = %[2]q
plain_password = %[3]q

[tls]
certificate_file = %[4]q
key_file = %[5]q

[[listeners]]
protocol = "PLAINTEXT"
port = %[6]d

[[listeners]]
protocol = "SSL"
port = %[7]d

[[listeners]]
protocol = "SASL_SSL"
port = %[8]d

[[listeners]]
name = "mutual"
protocol = "SSL"
port = %[9]d
client_ca_file = %[1]q
`

// startHeraclitus builds and starts a server and gives it a user.
func startHeraclitus(storage storagetest.Place, root, dir string, files tlsFiles) (*server, error) {
	binary, err := run.Build(root, dir)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	s := &server{user: "interop", password: "the password", files: files}
	h := &run.Heraclitus{Binary: binary, Dir: dir, Storage: storage.Path, Env: storage.Env, Config: fmt.Sprintf(settings,
		files.authority, s.user, s.password, files.serverCert, files.serverKey, ports[0], ports[1], ports[2], ports[3])}
	if err := h.Start(); err != nil {
		return nil, err
	}
	s.doors = map[door]string{open: local(ports[0]), sasl: h.Addr(), encrypted: local(ports[1]), both: local(ports[2]), mutual: local(ports[3])}
	s.stop = func() error { return stop(h.Process, dir) }
	if err := s.addUser(binary); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// startInBucket starts an S3 server, and Heraclitus in a bucket of it.
func startInBucket(root, dir string, files tlsFiles) (*server, error) {
	bucket, err := s3test.Run(context.Background(), filepath.Join(dir, "s3"))
	if err != nil {
		return nil, err
	}
	s, err := startHeraclitus(storagetest.Place{Path: "s3://" + s3test.Bucket + "/interop", Env: bucket.Env()}, root, dir, files)
	if err != nil {
		bucket.Stop()
		return nil, err
	}
	end := s.stop
	s.stop = func() error {
		defer bucket.Stop()
		return end()
	}
	return s, nil
}

// addUser lets the server's user in by SCRAM as well.
func (s *server) addUser(binary string) error {
	set := exec.Command(binary, "users", "set", "--bootstrap-server", s.doors[open], s.user)
	set.Stdin = strings.NewReader(s.password + "\n")
	if out, err := set.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", set, err, out)
	}
	return nil
}

// kafkaDoors are the properties by which a Kafka broker gets the doors that run.StartKafka does not give it.
const kafkaDoors = `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller},SASL_PLAINTEXT://127.0.0.1:${sasl},SSL://127.0.0.1:%[1]d,SASL_SSL://127.0.0.1:%[2]d,MUTUAL://127.0.0.1:%[3]d
advertised.listeners=PLAINTEXT://127.0.0.1:${port},SASL_PLAINTEXT://127.0.0.1:${sasl},SSL://127.0.0.1:%[1]d,SASL_SSL://127.0.0.1:%[2]d,MUTUAL://127.0.0.1:%[3]d
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,MUTUAL:SSL
listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.mutual.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location=%[4]s
ssl.truststore.type=PEM
ssl.truststore.location=%[5]s`

// startKafka starts an Apache Kafka broker.
func startKafka(version, dir string, files tlsFiles) (*server, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	k, err := run.StartKafka(version, dir, fmt.Sprintf(kafkaDoors, ports[0], ports[1], ports[2], files.serverBoth, files.authority))
	if err != nil {
		return nil, err
	}
	return &server{
		doors: map[door]string{open: k.Addr(), sasl: k.SASLAddr(), encrypted: local(ports[0]), both: local(ports[1]), mutual: local(ports[2])},
		user:  run.KafkaUser, password: run.KafkaPassword, files: files,
		stop: func() error { return stop(k.Process, dir) },
	}, nil
}

// stop ends a server and keeps what it printed.
func stop(p *run.Process, dir string) error {
	err := p.Signal(syscall.SIGTERM)
	return errors.Join(err, os.WriteFile(filepath.Join(dir, "server.txt"), []byte(p.Output(outputLines)), 0o644))
}

func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		var err error
		if ports[i], err = freeport.Get(); err != nil {
			return nil, err
		}
	}
	return ports, nil
}

func local(port int) string { return fmt.Sprintf("localhost:%d", port) }
