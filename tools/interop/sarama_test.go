package interop

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
)

// TestSarama produces and consumes with sarama in every codec, at the oldest version it knows that still has record
// batches, at the one it takes when not told, and at its newest.
func TestSarama(t *testing.T) {
	codecs := map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}
	versions := map[string]sarama.KafkaVersion{"old": sarama.V0_11_0_0, "default": sarama.DefaultVersion, "newest": sarama.MaxVersion}
	onEachStorage(t, func(t *testing.T, s *server) {
		for version, v := range versions {
			for name, codec := range codecs {
				if codec == sarama.CompressionZSTD && version == "old" {
					continue // zstd came with Kafka 2.1: sarama itself refuses
				}
				config := sarama.NewConfig()
				config.Version = v
				config.Producer.Compression = codec
				config.Producer.Return.Successes = true
				config.Producer.RequiredAcks = sarama.WaitForAll
				saramaRoundTrip(t, s, config, "sarama-"+version+"-"+name)
			}
		}
	})
}

// TestSaramaMessageSets does the same at versions that know no record batches: magic 0 and 1, converted on both ways.
func TestSaramaMessageSets(t *testing.T) {
	codecs := map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4,
	}
	versions := map[string]sarama.KafkaVersion{"magic0": sarama.V0_9_0_0, "magic1": sarama.V0_10_2_0}
	onEachStorage(t, func(t *testing.T, s *server) {
		for version, v := range versions {
			for name, codec := range codecs {
				if codec == sarama.CompressionLZ4 && version == "magic0" {
					continue // sarama itself refuses lz4 before Kafka 0.10
				}
				config := sarama.NewConfig()
				config.ApiVersionsRequest = false
				config.Version = v
				config.Producer.Compression = codec
				config.Producer.Return.Successes = true
				config.Producer.RequiredAcks = sarama.WaitForAll
				saramaRoundTrip(t, s, config, "sarama-"+version+"-"+name)
			}
		}
	})
}

func saramaRoundTrip(t *testing.T, s *server, config *sarama.Config, topic string) {
	t.Helper()
	client, err := sarama.NewClient([]string{s.addr()}, config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	want := saramaProduce(t, client, topic)
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		t.Fatal(err)
	}
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	if err != nil {
		t.Fatal(err)
	}
	defer partition.Close()
	var got []rec
	late := time.After(30 * time.Second)
	for len(got) < len(want) {
		select {
		case m := <-partition.Messages():
			r := rec{key: m.Key, value: m.Value}
			for _, h := range m.Headers {
				r.headers = append(r.headers, header{string(h.Key), h.Value})
			}
			got = append(got, r)
		case err := <-partition.Errors():
			t.Fatal(err)
		case <-late:
			t.Fatalf("%s: %d of %d records after 30 s", topic, len(got), len(want))
		}
	}
	compare(t, got, want)
}

// saramaProduce sends the sample, without its headers where the version has none.
func saramaProduce(t *testing.T, client sarama.Client, topic string) []rec {
	t.Helper()
	producer, err := sarama.NewSyncProducerFromClient(client)
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	want := sample(topic)
	var messages []*sarama.ProducerMessage
	for i := range want {
		if !client.Config().Version.IsAtLeast(sarama.V0_11_0_0) {
			want[i].headers = nil
		}
		m := &sarama.ProducerMessage{Topic: topic, Partition: 0}
		if want[i].key != nil {
			m.Key = sarama.ByteEncoder(want[i].key)
		}
		if want[i].value != nil {
			m.Value = sarama.ByteEncoder(want[i].value)
		}
		for _, h := range want[i].headers {
			m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.key), Value: h.value})
		}
		messages = append(messages, m)
	}
	if err := producer.SendMessages(messages); err != nil {
		t.Fatalf("%s: %v", topic, err)
	}
	return want
}
