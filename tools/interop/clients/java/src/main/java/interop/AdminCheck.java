package interop;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;

/** A topic is created, listed, described, refused a second time, and deleted. */
final class AdminCheck {
    private static final long POLL_MS = 50;

    static void run(Setting s) throws Exception {
        var topic = new NewTopic(s.topic(), 3, (short) 1).configs(Map.of("retention.ms", "3600000"));
        try (var admin = s.admin()) {
            var created = admin.createTopics(List.of(topic));
            created.all().get();
            Want.equal(created.numPartitions(s.topic()).get(), 3, "partitions created");
            Want.equal(created.config(s.topic()).get().get("retention.ms").value(), "3600000", "retention.ms created");
            Want.equal(listed(admin, s), true, "listed");
            var described = admin.describeTopics(List.of(s.topic())).allTopicNames().get().get(s.topic());
            Want.equal(described.partitions().size(), 3, "partitions");
            Want.equal(described.topicId(), created.topicId(s.topic()).get(), "topic id");
            Want.equal(retention(admin, s), "3600000", "retention.ms");
            Want.equal(refusal(admin, topic), TopicExistsException.class, "created again");
            admin.deleteTopics(List.of(s.topic())).all().get();
            while (listed(admin, s)) {
                Thread.sleep(POLL_MS); // Kafka's brokers learn it a little later
            }
        }
    }

    private static boolean listed(Admin admin, Setting s) throws Exception {
        return admin.listTopics().names().get().contains(s.topic());
    }

    private static String retention(Admin admin, Setting s) throws Exception {
        var resource = new ConfigResource(ConfigResource.Type.TOPIC, s.topic());
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get("retention.ms").value();
    }

    private static Class<?> refusal(Admin admin, NewTopic topic) throws InterruptedException {
        try {
            admin.createTopics(List.of(topic)).all().get();
            return null;
        } catch (ExecutionException e) {
            return e.getCause().getClass();
        }
    }

    private AdminCheck() {}
}
