package interop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What the runner asks for, and clients that are set accordingly.
 *
 * @param common the properties of every client
 */
record Setting(String topic, String group, Map<String, Object> common) {

    static Setting fromEnvironment() throws IOException {
        var common = new HashMap<String, Object>();
        put(common, "bootstrap.servers", System.getenv("BOOTSTRAP"));
        put(common, "security.protocol", System.getenv("SECURITY"));
        put(common, "sasl.mechanism", System.getenv("MECHANISM"));
        put(common, "sasl.jaas.config", login(System.getenv("MECHANISM")));
        if (System.getenv("CA_FILE") != null) {
            put(common, "ssl.truststore.type", "PEM");
            put(common, "ssl.truststore.certificates", pem("CA_FILE"));
        }
        if (System.getenv("CERT_FILE") != null) {
            put(common, "ssl.keystore.type", "PEM");
            put(common, "ssl.keystore.certificate.chain", pem("CERT_FILE"));
            put(common, "ssl.keystore.key", pem("KEY_FILE"));
        }
        return new Setting(System.getenv("TOPIC"), System.getenv("GROUP"), common);
    }

    private static void put(Map<String, Object> properties, String name, String value) {
        if (value != null && !value.isEmpty()) {
            properties.put(name, value);
        }
    }

    private static String login(String mechanism) {
        if (mechanism == null || mechanism.isEmpty()) {
            return null;
        }
        var module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        return "org.apache.kafka.common.security.%s required username=\"%s\" password=\"%s\";"
            .formatted(module, System.getenv("USERNAME"), System.getenv("PASSWORD"));
    }

    private static String pem(String variable) throws IOException {
        return Files.readString(Path.of(System.getenv(variable)));
    }

    /** The same for another group and topic. */
    Setting named(String suffix) {
        return new Setting(topic + suffix, group + suffix, common);
    }

    Admin admin() {
        return Admin.create(common);
    }

    /** Makes the check's topic. */
    void createTopic(int partitions) throws ExecutionException, InterruptedException {
        try (var admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        }
    }

    KafkaProducer<byte[], byte[]> producer(String codec) {
        return new KafkaProducer<>(with(Map.of("compression.type", codec, "linger.ms", 5)), new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** A consumer that begins at the start where nothing is committed, and commits only when told to. */
    KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
        var properties = with(Map.of("group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", false,
            "session.timeout.ms", 10_000, "heartbeat.interval.ms", 500));
        properties.putAll(more);
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** Sends records whose values are the numbers from one to another, over the partitions in turn, a second apart. */
    void sendNumbers(int from, int to, int partitions, long start) {
        try (var producer = producer("none")) {
            for (int i = from; i < to; i++) {
                producer.send(new ProducerRecord<>(topic, i % partitions, start + i * 1000L, null, Integer.toString(i).getBytes()));
            }
        }
    }

    private Map<String, Object> with(Map<String, Object> more) {
        var all = new HashMap<>(common);
        all.putAll(more);
        return all;
    }
}
