package interop;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** Readers begin at the start, at the end, and at a time. */
final class PositionsCheck {
    static void run(Setting s) throws Exception {
        s.createTopic(1);
        long start = System.currentTimeMillis() - 3_600_000;
        s.sendNumbers(0, 30, 1, start);
        var partition = new TopicPartition(s.topic(), 0);
        try (var consumer = s.consumer(Map.of())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            Want.equal(read(consumer, 30), offsets(0, 30), "from earliest");

            var found = consumer.offsetsForTimes(Map.of(partition, start + 14_500)).get(partition);
            Want.equal(found.timestamp(), start + 15_000, "the time found");
            consumer.seek(partition, found.offset());
            Want.equal(read(consumer, 15), offsets(15, 30), "from a timestamp");

            consumer.seekToEnd(List.of(partition));
            Want.equal(consumer.position(partition), 30L, "the end"); // settles where it reads on
            s.sendNumbers(30, 35, 1, start);
            Want.equal(read(consumer, 5), offsets(30, 35), "from latest");
        }
    }

    private static List<Long> read(KafkaConsumer<byte[], byte[]> consumer, int count) {
        var offsets = new ArrayList<Long>();
        while (offsets.size() < count) {
            consumer.poll(Duration.ofSeconds(1)).forEach(r -> offsets.add(r.offset()));
        }
        return offsets;
    }

    private static List<Long> offsets(long from, long to) {
        return LongStream.range(from, to).boxed().toList();
    }

    private PositionsCheck() {}
}
