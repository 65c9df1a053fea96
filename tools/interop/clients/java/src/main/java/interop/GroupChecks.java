package interop;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.TopicPartition;

/** What members of a group share, pass on and find again. */
final class GroupChecks {

    /** Members come and go, by both rebalance protocols: eager, which takes all partitions back first, and cooperative. */
    static void group(Setting s) throws Exception {
        for (var assignor : List.of(RangeAssignor.class, CooperativeStickyAssignor.class)) {
            comeAndGo(s.named("-" + assignor.getSimpleName()), Map.of("partition.assignment.strategy", assignor.getName()));
        }
    }

    private static void comeAndGo(Setting s, Map<String, Object> assignor) throws Exception {
        s.createTopic(4);
        send(s, 0, 100);
        try (var a = new Member(s, assignor)) {
            Member.await(() -> a.numbers().size() == 100);
            var b = new Member(s, assignor);
            Member.await(() -> !a.partitions().isEmpty() && !b.partitions().isEmpty() && a.partitions().size() + b.partitions().size() == 4);
            send(s, 100, 200);
            Member.await(() -> union(a, b).size() == 200);
            Want.equal(union(a, b), numbers(0, 200), "read by both");
            b.close();
            Member.await(() -> a.partitions().size() == 4);
            send(s, 200, 204);
            Member.await(() -> a.numbers().containsAll(numbers(200, 204)));
        }
    }

    /** A member goes on where another one of its group has committed. */
    static void resume(Setting s) throws Exception {
        s.createTopic(1);
        s.sendNumbers(0, 100, 1, System.currentTimeMillis());
        var partition = new TopicPartition(s.topic(), 0);
        try (var first = s.consumer(Map.of("max.poll.records", 50))) {
            first.subscribe(List.of(s.topic()));
            Want.equal(read(first), offsets(0, 50), "before the commit");
            first.commitSync();
            Want.equal(first.committed(Set.of(partition)).get(partition).offset(), 50L, "committed, says the consumer");
        }
        try (var admin = s.admin()) {
            Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(s.group()).partitionsToOffsetAndMetadata().get();
            Want.equal(committed.get(partition).offset(), 50L, "committed, says the admin client");
        }
        try (var second = s.consumer(Map.of("max.poll.records", 50))) {
            second.subscribe(List.of(s.topic()));
            Want.equal(read(second), offsets(50, 100), "after the commit");
        }
    }

    /** A static member that comes back in time is given what it had, and nobody else notices. */
    static void statics(Setting s) throws Exception {
        s.createTopic(4);
        try (var b = new Member(s, Map.of("group.instance.id", "b"))) {
            Member.await(() -> b.partitions().size() == 4); // so that it is always the leader
            var a = new Member(s, Map.of("group.instance.id", "a"));
            Member.await(() -> a.partitions().size() == 2 && b.partitions().size() == 2);
            var held = a.partitions();
            int rebalances = b.rebalances();
            a.close(); // does not leave
            try (var again = new Member(s, Map.of("group.instance.id", "a"))) {
                Member.await(() -> !again.partitions().isEmpty());
                Want.equal(again.partitions(), held, "partitions of the member that came back");
                send(s, 0, 100);
                Member.await(() -> again.numbers().size() == 50 && b.numbers().size() == 50);
                Want.equal(b.rebalances(), rebalances, "rebalances that the other member saw");
            }
        }
    }

    private static void send(Setting s, int from, int to) {
        s.sendNumbers(from, to, 4, System.currentTimeMillis());
    }

    /** The offsets of the records of the first poll that brings some. */
    private static List<Long> read(KafkaConsumer<byte[], byte[]> consumer) {
        while (true) {
            var records = consumer.poll(Duration.ofSeconds(1));
            if (!records.isEmpty()) {
                var offsets = new ArrayList<Long>();
                for (ConsumerRecord<byte[], byte[]> r : records) {
                    offsets.add(r.offset());
                }
                return offsets;
            }
        }
    }

    private static List<Long> offsets(int from, int to) {
        return IntStream.range(from, to).mapToObj(Long::valueOf).toList();
    }

    private static TreeSet<Integer> numbers(int from, int to) {
        return IntStream.range(from, to).boxed().collect(Collectors.toCollection(TreeSet::new));
    }

    private static TreeSet<Integer> union(Member a, Member b) {
        var all = a.numbers();
        all.addAll(b.numbers());
        return all;
    }

    private GroupChecks() {}
}
