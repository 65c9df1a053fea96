package run

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/freeport"
)

// properties are those of a broker that is its own controller (KRaft), alone in its cluster.
const properties = `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%[2]d
listeners=PLAINTEXT://127.0.0.1:%[1]d,CONTROLLER://127.0.0.1:%[2]d,SASL_PLAINTEXT://127.0.0.1:%[3]d
advertised.listeners=PLAINTEXT://127.0.0.1:%[1]d,SASL_PLAINTEXT://127.0.0.1:%[3]d
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%[5]s="%[6]s";
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
log.dirs=%[4]s
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
`

// KafkaUser and KafkaPassword are what a broker's SASL listener lets in, by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.
// They guard nothing.
const (
	KafkaUser     = "capture"
	KafkaPassword = "capture-secret"
)

// Kafka is an Apache Kafka broker.
type Kafka struct {
	Version string
	Port    int // of the listener that lets everybody in
	SASL    int // port of the one that asks who they are
	*Process
}

// StartKafka starts a broker of a release of Kafka with its data in dir, which must be empty, and waits until it
// listens. Each of more is a line of server.properties, in which ${port}, ${sasl} and ${controller} are the ports of
// the listeners there are.
func StartKafka(version, dir string, more ...string) (*Kafka, error) {
	k := &Kafka{Version: version}
	classPath, err := ClassPath(version)
	if err != nil {
		return nil, err
	}
	var controller int
	for _, port := range []*int{&k.Port, &k.SASL, &controller} {
		if *port, err = freeport.Get(); err != nil {
			return nil, err
		}
	}
	text := fmt.Sprintf(properties, k.Port, controller, k.SASL, filepath.Join(dir, "data"), KafkaUser, KafkaPassword)
	ports := strings.NewReplacer("${port}", fmt.Sprint(k.Port), "${sasl}", fmt.Sprint(k.SASL), "${controller}", fmt.Sprint(controller))
	text += ports.Replace(strings.Join(more, "\n")) + "\n"
	file := filepath.Join(dir, "server.properties")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	if err := format(version, classPath, file); err != nil {
		return nil, err
	}
	k.Process, err = Start(java("-Xmx512m", "-cp", classPath, "kafka.Kafka", file))
	if err != nil {
		return nil, err
	}
	return k, k.Await(k.listens)
}

// format gives the broker's folder a cluster id, without which it does not start, and its user.
func format(version, classPath, file string) error {
	args := []string{"-cp", classPath, "kafka.tools.StorageTool", "format", "-t", "SGVyYWNsaXR1cyBkaWZmZQ", "-c", file}
	for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		args = append(args, "-S", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, KafkaUser, KafkaPassword))
	}
	tool := java(args...)
	if out, err := tool.CombinedOutput(); err != nil {
		return fmt.Errorf("format the storage of Kafka %s: %w\n%s", version, err, out)
	}
	return nil
}

// java is Java for a program that does not run for long: what starts it soon, and what does not compile more than it runs.
func java(args ...string) *exec.Cmd {
	return exec.Command("java", append([]string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"}, args...)...)
}

// Addr is where clients connect that need not say who they are.
func (k *Kafka) Addr() string { return fmt.Sprintf("127.0.0.1:%d", k.Port) }

// SASLAddr is where the others connect.
func (k *Kafka) SASLAddr() string { return fmt.Sprintf("127.0.0.1:%d", k.SASL) }

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
