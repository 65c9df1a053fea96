package interop

import (
	"context"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
)

// TestKafkaGo produces and consumes with segmentio/kafka-go, which speaks old versions, in every codec.
func TestKafkaGo(t *testing.T) {
	codecs := map[string]kafka.Compression{
		"none": compress.None, "gzip": compress.Gzip, "snappy": compress.Snappy, "lz4": compress.Lz4, "zstd": compress.Zstd,
	}
	onEachStorage(t, func(t *testing.T, s *server) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for name, codec := range codecs {
			topic := "kafka-go-" + name
			want := sample(topic)
			kafkaGoProduce(ctx, t, s, topic, codec, want)
			compare(t, emptyAsNull(kafkaGoConsume(ctx, t, s, topic, len(want))), emptyAsNull(want))
		}
	})
}

func kafkaGoProduce(ctx context.Context, t *testing.T, s *server, topic string, codec kafka.Compression, records []rec) {
	t.Helper()
	conn, err := kafka.DialContext(ctx, "tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.CreateTopics(kafka.TopicConfig{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}); err != nil {
		t.Fatal(err)
	}
	w := &kafka.Writer{Addr: kafka.TCP(s.addr()), Transport: &kafka.Transport{}, // of its own: the shared one remembers which topics there were
		Topic: topic, Compression: codec, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond}
	defer w.Close()
	var messages []kafka.Message
	for _, r := range records {
		m := kafka.Message{Key: r.key, Value: r.value}
		for _, h := range r.headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h.key, Value: h.value})
		}
		messages = append(messages, m)
	}
	if err := w.WriteMessages(ctx, messages...); err != nil {
		t.Fatalf("%s: %v", topic, err)
	}
}

func kafkaGoConsume(ctx context.Context, t *testing.T, s *server, topic string, n int) []rec {
	t.Helper()
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{s.addr()}, Topic: topic, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	var got []rec
	for len(got) < n {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("%s: after %d records: %v", topic, len(got), err)
		}
		out := rec{key: m.Key, value: m.Value}
		for _, h := range m.Headers {
			out.headers = append(out.headers, header{h.Key, h.Value})
		}
		got = append(got, out)
	}
	return got
}

// emptyAsNull makes empty keys and values null: kafka-go's reader does not tell them apart.
func emptyAsNull(records []rec) []rec {
	for i, r := range records {
		if len(r.key) == 0 {
			records[i].key = nil
		}
		if len(r.value) == 0 {
			records[i].value = nil
		}
		for h := range r.headers {
			if len(r.headers[h].value) == 0 {
				records[i].headers[h].value = nil
			}
		}
	}
	return records
}
