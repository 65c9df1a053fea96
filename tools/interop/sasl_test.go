package interop

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	kafkagoplain "github.com/segmentio/kafka-go/sasl/plain"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	franzplain "github.com/twmb/franz-go/pkg/sasl/plain"
)

const (
	saslUser     = "interop"
	saslPassword = "the password" // of the server; a client with another one is refused
	saslConfig   = "[auth]\nenabled = true\nplain_username = \"" + saslUser + "\"\nplain_password = \"" + saslPassword + "\"\n"
)

// saslClients are Go clients that send one record with a password.
var saslClients = map[string]func(ctx context.Context, t *testing.T, s *server, topic, password string) error{
	"franz-go": saslFranz,
	"kafka-go": saslKafkaGo,
	"sarama": func(_ context.Context, t *testing.T, s *server, topic, password string) error {
		return saslSarama(t, s, sarama.SASLHandshakeV1, topic, password)
	},
	"sarama, raw tokens": func(_ context.Context, t *testing.T, s *server, topic, password string) error {
		return saslSarama(t, s, sarama.SASLHandshakeV0, topic, password)
	},
}

// TestSaslPlain shows that clients come in by SASL PLAIN with the right password, that a wrong one is refused in words where
// the protocol has room for them, and that neither password is in the server's log.
func TestSaslPlain(t *testing.T) {
	const wrong = "not the password at all"
	s := start(t, "memory://", saslConfig)
	for name, produce := range saslClients {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			topic := "sasl-" + strings.NewReplacer(",", "", " ", "-").Replace(name)
			if err := produce(ctx, t, s, topic, wrong); err == nil || ctx.Err() != nil {
				t.Errorf("the wrong password: %v, %v", err, ctx.Err())
			} else if name != "sarama, raw tokens" && !strings.Contains(err.Error(), refusedAs[name]) {
				t.Errorf("the wrong password: %v", err)
			}
			if err := produce(ctx, t, s, topic, saslPassword); err != nil {
				t.Errorf("the right password: %v", err)
			}
		})
	}
	if log := s.Output(1000); strings.Contains(log, saslPassword) || strings.Contains(log, wrong) {
		t.Errorf("a password is in the log:\n%s", log)
	}
}

// refusedAs is what the clients make of a refusal.
var refusedAs = map[string]string{
	"franz-go": kerr.SaslAuthenticationFailed.Message,
	"kafka-go": kafka.SASLAuthenticationFailed.Title(),
	"sarama":   "Invalid username or password",
}

func saslFranz(ctx context.Context, t *testing.T, s *server, topic, password string) error {
	login := kgo.SASL(franzplain.Auth{User: saslUser, Pass: password}.AsMechanism())
	client := franz(t, s, login, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(3))
	if err := client.Ping(ctx); err != nil {
		return err
	}
	return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("value")}).FirstErr()
}

func saslKafkaGo(ctx context.Context, t *testing.T, s *server, topic, password string) error {
	dialer := &kafka.Dialer{SASLMechanism: kafkagoplain.Mechanism{Username: saslUser, Password: password}}
	conn, err := dialer.DialLeader(ctx, "tcp", s.addr(), topic, 0)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.WriteMessages(kafka.Message{Value: []byte("value")})
	return err
}

func saslSarama(t *testing.T, s *server, handshake int16, topic, password string) error {
	config := sarama.NewConfig()
	config.Net.SASL.Enable = true
	config.Net.SASL.Version = handshake
	config.ApiVersionsRequest = handshake == sarama.SASLHandshakeV1
	config.Net.SASL.User, config.Net.SASL.Password = saslUser, password
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
