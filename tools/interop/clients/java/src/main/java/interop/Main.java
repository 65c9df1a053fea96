package interop;

import java.util.Map;

/** One check of the contract, by Kafka's own client: {@code java interop.Main CHECK}. */
public final class Main {
    private static final long LIMIT_MS = 110_000; // a check that takes longer has failed; the runner would end it soon after

    /** A check throws when it does not hold. */
    interface Check {
        void run(Setting setting) throws Exception;
    }

    private static final Map<String, Check> CHECKS = Map.ofEntries(
        Map.entry("admin", AdminCheck::run),
        Map.entry("none", s -> CodecCheck.run(s, "none")),
        Map.entry("gzip", s -> CodecCheck.run(s, "gzip")),
        Map.entry("snappy", s -> CodecCheck.run(s, "snappy")),
        Map.entry("lz4", s -> CodecCheck.run(s, "lz4")),
        Map.entry("zstd", s -> CodecCheck.run(s, "zstd")),
        Map.entry("positions", PositionsCheck::run),
        Map.entry("group", GroupChecks::group),
        Map.entry("resume", GroupChecks::resume),
        Map.entry("static", GroupChecks::statics),
        Map.entry("secure", SecurityChecks::secure),
        Map.entry("denied", SecurityChecks::denied));

    public static void main(String[] args) {
        var limit = new Thread(Main::limit);
        limit.setDaemon(true);
        limit.start();
        try {
            CHECKS.get(args[0]).run(Setting.fromEnvironment());
            System.exit(0);
        } catch (Throwable e) {
            e.printStackTrace();
            System.exit(1);
        }
    }

    private static void limit() {
        try {
            Thread.sleep(LIMIT_MS);
        } catch (InterruptedException e) {
            return;
        }
        System.err.println("not done after " + LIMIT_MS + " ms");
        Runtime.getRuntime().halt(1);
    }

    private Main() {}
}
