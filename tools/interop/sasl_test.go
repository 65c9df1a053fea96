package interop

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	kafkagoplain "github.com/segmentio/kafka-go/sasl/plain"
	kafkagoscram "github.com/segmentio/kafka-go/sasl/scram"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	franzsasl "github.com/twmb/franz-go/pkg/sasl"
	franzplain "github.com/twmb/franz-go/pkg/sasl/plain"
	franzscram "github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/xdg-go/scram"

	"github.com/heraclitus/heraclitus/pkg/storagetest"
)

const (
	saslUser     = "interop"
	saslPassword = "the password" // of the server; a client with another one is refused
	saslConfig   = "[auth]\nenabled = true\nmechanism = \"PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\"\nplain_username = \"" + saslUser + "\"\nplain_password = \"" + saslPassword + "\"\n"
)

// saslMechanisms are those of the server.
var saslMechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// login is how a client comes in.
type login struct{ mechanism, password string }

// saslClients are Go clients that send one record.
var saslClients = map[string]func(ctx context.Context, t *testing.T, s *server, topic string, l login) error{
	"franz-go": saslFranz,
	"kafka-go": saslKafkaGo,
	"sarama": func(_ context.Context, t *testing.T, s *server, topic string, l login) error {
		return saslSarama(t, s, sarama.SASLHandshakeV1, topic, l)
	},
	"sarama, raw tokens": func(_ context.Context, t *testing.T, s *server, topic string, l login) error {
		return saslSarama(t, s, sarama.SASLHandshakeV0, topic, l)
	},
}

// startSASL starts a server with one user, who may come in by every mechanism.
func startSASL(t *testing.T, config string) *server {
	t.Helper()
	place := storagetest.For(t, t.TempDir())
	setUser(t, place, saslUser, saslPassword)
	return startAt(t, nil, place, config)
}

// setUser runs heraclitus users set on storage where no server runs.
func setUser(t *testing.T, place storagetest.Place, name, password string) {
	t.Helper()
	cmd := exec.Command(binary, "users", "set", name, "--storage-path", place.Path, "--take-over")
	cmd.Env = append(os.Environ(), place.Env...)
	cmd.Stdin = strings.NewReader(password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("users set: %v\n%s", err, out)
	}
}

// TestSasl shows that clients come in by each mechanism with the right password, also after a restart, that a wrong one is
// refused in words where the protocol has room for them, and that neither password is in the server's log.
func TestSasl(t *testing.T) {
	const wrong = "not the password at all"
	for _, mechanism := range saslMechanisms {
		s := startSASL(t, saslConfig) // each its own: failures are answered the later, the more there were
		s.restart()
		for name, produce := range saslClients {
			t.Run(mechanism+" "+name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				topic := "sasl-" + strings.NewReplacer(",", "", " ", "-").Replace(name)
				if err := produce(ctx, t, s, topic, login{mechanism, wrong}); err == nil || ctx.Err() != nil {
					t.Errorf("the wrong password: %v, %v", err, ctx.Err())
				} else if name != "sarama, raw tokens" && !strings.Contains(err.Error(), refusedAs(name, mechanism)) {
					t.Errorf("the wrong password: %v", err)
				}
				if err := produce(ctx, t, s, topic, login{mechanism, saslPassword}); err != nil {
					t.Errorf("the right password: %v", err)
				}
			})
		}
		if log := s.Output(1000); strings.Contains(log, saslPassword) || strings.Contains(log, wrong) {
			t.Errorf("a password is in the log:\n%s", log)
		}
	}
}

// refusedAs is what a client makes of a refusal.
func refusedAs(client, mechanism string) string {
	switch {
	case client == "franz-go":
		return kerr.SaslAuthenticationFailed.Message
	case client == "kafka-go":
		return kafka.SASLAuthenticationFailed.Title()
	case mechanism == "PLAIN":
		return "Invalid username or password"
	}
	return "Authentication failed during authentication due to invalid credentials with SASL mechanism " + mechanism
}

// franzMechanism is a mechanism of franz-go's.
func franzMechanism(l login) franzsasl.Mechanism {
	switch l.mechanism {
	case "PLAIN":
		return franzplain.Auth{User: saslUser, Pass: l.password}.AsMechanism()
	case "SCRAM-SHA-256":
		return franzscram.Auth{User: saslUser, Pass: l.password}.AsSha256Mechanism()
	}
	return franzscram.Auth{User: saslUser, Pass: l.password}.AsSha512Mechanism()
}

func saslFranz(ctx context.Context, t *testing.T, s *server, topic string, l login) error {
	client := franz(t, s, kgo.SASL(franzMechanism(l)), kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(3))
	if err := client.Ping(ctx); err != nil {
		return err
	}
	return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("value")}).FirstErr()
}

// kafkaGoMechanism is a mechanism of kafka-go's.
func kafkaGoMechanism(l login) (sasl.Mechanism, error) {
	switch l.mechanism {
	case "PLAIN":
		return kafkagoplain.Mechanism{Username: saslUser, Password: l.password}, nil
	case "SCRAM-SHA-256":
		return kafkagoscram.Mechanism(kafkagoscram.SHA256, saslUser, l.password)
	}
	return kafkagoscram.Mechanism(kafkagoscram.SHA512, saslUser, l.password)
}

func saslKafkaGo(ctx context.Context, t *testing.T, s *server, topic string, l login) error {
	mechanism, err := kafkaGoMechanism(l)
	if err != nil {
		return err
	}
	conn, err := (&kafka.Dialer{SASLMechanism: mechanism}).DialLeader(ctx, "tcp", s.addr(), topic, 0)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.WriteMessages(kafka.Message{Value: []byte("value")})
	return err
}

// saramaScram is the conversation that sarama wants to be given.
type saramaScram struct {
	hash scram.HashGeneratorFcn
	*scram.ClientConversation
}

func (c *saramaScram) Begin(user, password, identity string) error {
	client, err := c.hash.NewClient(user, password, identity)
	if err == nil {
		c.ClientConversation = client.NewConversation()
	}
	return err
}

func saslSarama(t *testing.T, s *server, handshake int16, topic string, l login) error {
	config := sarama.NewConfig()
	config.Net.SASL.Enable = true
	config.Net.SASL.Version = handshake
	config.ApiVersionsRequest = handshake == sarama.SASLHandshakeV1
	config.Net.SASL.Mechanism = sarama.SASLMechanism(l.mechanism)
	config.Net.SASL.User, config.Net.SASL.Password = saslUser, l.password
	config.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient {
		if l.mechanism == "SCRAM-SHA-256" {
			return &saramaScram{hash: scram.SHA256}
		}
		return &saramaScram{hash: scram.SHA512}
	}
	config.Metadata.Retry.Max = 0
	config.Producer.Return.Successes = true
	producer, err := sarama.NewSyncProducer([]string{s.addr()}, config)
	if err != nil {
		return err
	}
	t.Cleanup(func() { producer.Close() })
	_, _, err = producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder("value")})
	return err
}

// TestSessionsAreRenewed shows that a client produces on while its sessions end and are renewed, and that no record is lost,
// doubled or out of order. (A client that is held up for longer than a session lasts has to connect anew.)
func TestSessionsAreRenewed(t *testing.T) {
	const renewals = 2
	s := startSASL(t, saslConfig+"session_lifetime_ms = 3000\n")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	client := franz(t, s, kgo.SASL(franzMechanism(login{"SCRAM-SHA-512", saslPassword})), kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(3))
	sent := 0
	for renewed(t, s, "SCRAM-SHA-512") < renewals && ctx.Err() == nil {
		for range 50 {
			if err := client.ProduceSync(ctx, &kgo.Record{Topic: "renewed", Partition: 0, Value: strconv.AppendInt(nil, int64(sent), 10)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			sent++
		}
	}
	reader := franz(t, s, kgo.SASL(franzMechanism(login{"SCRAM-SHA-256", saslPassword})), kgo.ConsumeTopics("renewed"))
	for next := 0; next < sent; {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if string(r.Value) != strconv.Itoa(next) {
				t.Fatalf("record %d is %s", next, r.Value)
			}
			next++
		})
	}
}

// renewed is how many sessions have been renewed, where everybody comes in by one mechanism: of the logins, all but
// the first of each connection.
func renewed(t *testing.T, s *server, mechanism string) int {
	t.Helper()
	logins := fmt.Sprintf("heraclitus_authentications_total{mechanism=%q,result=\"accepted\"}", mechanism)
	return metric(t, s, logins) - metric(t, s, "heraclitus_connections_opened_total")
}

// metric is the value of one series, 0 when it is not there yet.
func metric(t *testing.T, s *server, series string) (value int) {
	t.Helper()
	r, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", s.HTTP))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			if value, err = strconv.Atoi(strings.TrimSpace(rest)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return value
}
