package interop;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * A member of a group that reads on a thread of its own until it is closed, and commits what it has read. What it has read and
 * holds is guarded by LOCK, which all members share, so that a check can wait for a condition on several.
 */
final class Member implements AutoCloseable, ConsumerRebalanceListener {
    private static final Object LOCK = new Object();

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread reader = new Thread(this::read);
    private final TreeSet<Integer> partitions = new TreeSet<>();
    private final TreeSet<Integer> numbers = new TreeSet<>();
    private int rebalances;
    private volatile boolean closing;

    Member(Setting s, Map<String, Object> more) {
        consumer = s.consumer(more);
        consumer.subscribe(List.of(s.topic()), this);
        reader.start();
    }

    private void read() {
        try (consumer) {
            while (!closing) {
                var records = consumer.poll(Duration.ofMillis(100));
                synchronized (LOCK) {
                    records.forEach(r -> numbers.add(Integer.parseInt(new String(r.value()))));
                    LOCK.notifyAll();
                }
                consumer.commitAsync();
            }
        }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
        synchronized (LOCK) {
            rebalances++;
            assigned.forEach(p -> partitions.add(p.partition()));
            LOCK.notifyAll();
        }
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
        synchronized (LOCK) {
            revoked.forEach(p -> partitions.remove(p.partition()));
            LOCK.notifyAll();
        }
    }

    /** Waits for a condition on what members have read and hold. */
    static void await(BooleanSupplier condition) throws InterruptedException {
        synchronized (LOCK) {
            while (!condition.getAsBoolean()) {
                LOCK.wait();
            }
        }
    }

    /** The partitions it holds. */
    TreeSet<Integer> partitions() {
        synchronized (LOCK) {
            return new TreeSet<>(partitions);
        }
    }

    /** The numbers it has read. */
    TreeSet<Integer> numbers() {
        synchronized (LOCK) {
            return new TreeSet<>(numbers);
        }
    }

    /** How often it was given partitions, or none in addition. */
    int rebalances() {
        synchronized (LOCK) {
            return rebalances;
        }
    }

    /** Leaves the group, if it is not a static member. */
    @Override
    public void close() throws InterruptedException {
        closing = true;
        reader.join();
    }
}
