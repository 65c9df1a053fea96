package run

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// properties are those of a broker that is its own controller (KRaft), alone in its cluster.
const properties = `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%[2]d
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=%[3]s
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
`

// Kafka is an Apache Kafka broker.
type Kafka struct {
	Version string
	Port    int
	*Process
}

// StartKafka starts a broker of a release of Kafka with its data in dir, which must be empty, and waits until it listens.
// Each of more is a line of server.properties.
func StartKafka(version, dir string, more ...string) (*Kafka, error) {
	k := &Kafka{Version: version}
	classPath, err := ClassPath(version)
	if err != nil {
		return nil, err
	}
	if k.Port, err = FreePort(); err != nil {
		return nil, err
	}
	controller, err := FreePort()
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(properties, k.Port, controller, filepath.Join(dir, "data")) + strings.Join(more, "\n") + "\n"
	file := filepath.Join(dir, "server.properties")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	if err := format(version, classPath, file); err != nil {
		return nil, err
	}
	k.Process, err = Start(exec.Command("java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", classPath, "kafka.Kafka", file))
	if err != nil {
		return nil, err
	}
	return k, k.Await(k.listens)
}

// format gives the broker's folder a cluster id, without which it does not start.
func format(version, classPath, file string) error {
	tool := exec.Command("java", "-cp", classPath, "kafka.tools.StorageTool", "format", "-t", "SGVyYWNsaXR1cyBkaWZmZQ", "-c", file)
	if out, err := tool.CombinedOutput(); err != nil {
		return fmt.Errorf("format the storage of Kafka %s: %w\n%s", version, err, out)
	}
	return nil
}

// Addr is where clients connect.
func (k *Kafka) Addr() string { return fmt.Sprintf("127.0.0.1:%d", k.Port) }

// listens says whether the broker takes connections, which it does as the last thing it does to start.
func (k *Kafka) listens(ctx context.Context) bool {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", k.Addr())
	if err != nil {
		return false
	}
	c.Close()
	return true
}
