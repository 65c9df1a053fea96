package interop;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Two hundred records go there and back in a codec: ordinary ones, and every way in which one can be empty. */
final class CodecCheck {
    private static final int PARTITIONS = 2;

    static void run(Setting s, String codec) throws Exception {
        s.createTopic(PARTITIONS);
        var sent = sample(s.topic());
        try (var producer = s.producer(codec)) {
            sent.forEach(producer::send);
        }
        for (int p = 0; p < PARTITIONS; p++) {
            int partition = p;
            var want = sent.stream().filter(r -> r.partition() == partition).map(CodecCheck::show).toList();
            var got = read(s, new TopicPartition(s.topic(), p), want.size());
            for (int i = 0; i < want.size(); i++) {
                Want.equal(got.get(i), want.get(i), "record " + i + " of partition " + p);
            }
            Want.equal(got.size(), want.size(), "records of partition " + p);
        }
    }

    private static List<String> read(Setting s, TopicPartition partition, int count) {
        var records = new ArrayList<String>();
        try (var consumer = s.consumer(Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            while (records.size() < count) {
                consumer.poll(Duration.ofSeconds(1)).forEach(r -> records.add(show(r)));
            }
        }
        return records;
    }

    private static List<ProducerRecord<byte[], byte[]>> sample(String topic) {
        long start = System.currentTimeMillis() - 3_600_000;
        return IntStream.range(0, 200)
            .mapToObj(i -> new ProducerRecord<>(topic, i % PARTITIONS, start + i * 1000L, key(i), value(i), headers(i)))
            .toList();
    }

    private static byte[] key(int i) {
        return switch (i % 10) {
            case 0 -> null;
            case 1 -> new byte[0];
            default -> bytes("key-" + i);
        };
    }

    private static byte[] value(int i) {
        var text = "value " + i + " of some length, so that there is something to compress; ";
        return switch (i % 10) {
            case 2 -> null;
            case 3 -> new byte[0];
            case 4 -> bytes(i % 50 == 4 ? text.repeat(largeBytes() / text.length()) : text);
            default -> bytes(text);
        };
    }

    /** How large the largest values are: captures ask for less. */
    private static int largeBytes() {
        return Integer.parseInt(System.getenv().getOrDefault("LARGE_BYTES", "102400"));
    }

    private static Headers headers(int i) {
        var headers = new RecordHeaders();
        if (i % 10 == 5) {
            headers.add("b", bytes("1")).add("a", bytes("2")).add("b", bytes("3")).add("empty", new byte[0]).add("null", null);
        }
        return headers;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String show(ProducerRecord<byte[], byte[]> r) {
        return show(r.timestamp(), r.key(), r.value(), r.headers());
    }

    private static String show(ConsumerRecord<byte[], byte[]> r) {
        return show(r.timestamp(), r.key(), r.value(), r.headers());
    }

    /** A record as text in which null and empty differ. */
    private static String show(long timestamp, byte[] key, byte[] value, Headers headers) {
        var named = StreamSupport.stream(headers.spliterator(), false).map(h -> h.key() + "=" + show(h.value())).collect(Collectors.joining(" "));
        return timestamp + " " + show(key) + ": " + show(value) + " " + named;
    }

    private static String show(byte[] b) {
        return b == null ? "null" : "'" + new String(b, StandardCharsets.ISO_8859_1) + "'";
    }

    private CodecCheck() {}
}
