package interop;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.errors.AuthenticationException;

/** Who is let in, and who is not. */
final class SecurityChecks {

    static void secure(Setting s) throws Exception {
        s.createTopic(1);
        s.sendNumbers(0, 1, 1, System.currentTimeMillis());
        try (var consumer = s.consumer(Map.of())) {
            consumer.subscribe(List.of(s.topic()));
            var records = consumer.poll(Duration.ofSeconds(1));
            while (records.isEmpty()) {
                records = consumer.poll(Duration.ofSeconds(1));
            }
            Want.equal(records.count(), 1, "records read");
        }
    }

    /** The password is wrong: every client says that it is about who they are, not that there is nobody. */
    static void denied(Setting s) throws Exception {
        try (var admin = s.admin()) {
            admin.listTopics().names().get();
            throw new AssertionError("let in with a wrong password");
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof AuthenticationException)) {
                throw e;
            }
        }
    }

    private SecurityChecks() {}
}
