package interop

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestFranzGo produces and consumes with franz-go, which speaks the newest versions there are, in every codec.
func TestFranzGo(t *testing.T) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	onEachStorage(t, func(t *testing.T, s *server) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for name, codec := range codecs {
			topic := "franz-" + name
			client := franz(t, s, kgo.ProducerBatchCompression(codec), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
			if _, err := kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, topic); err != nil {
				t.Fatal(err)
			}
			want := sample(topic)
			for i, r := range want {
				k := &kgo.Record{Topic: topic, Key: r.key, Value: r.value}
				for _, h := range r.headers {
					k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.key, Value: h.value})
				}
				if err := client.ProduceSync(ctx, k).FirstErr(); err != nil {
					t.Fatalf("%s: record %d: %v", name, i, err)
				}
				if k.Offset != int64(i) {
					t.Fatalf("%s: record %d got offset %d", name, i, k.Offset)
				}
			}
			compare(t, franzConsume(ctx, t, client, len(want)), want)
		}
	})
}

func franz(t *testing.T, s *server, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.addr())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func franzConsume(ctx context.Context, t *testing.T, client *kgo.Client, n int) []rec {
	t.Helper()
	var got []rec
	for len(got) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d records: %v", len(got), err)
		}
		fetches.EachRecord(func(k *kgo.Record) {
			r := rec{key: k.Key, value: k.Value}
			for _, h := range k.Headers {
				r.headers = append(r.headers, header{h.Key, h.Value})
			}
			got = append(got, r)
		})
	}
	return got
}
