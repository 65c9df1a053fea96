package interop;

import java.util.Objects;

/** What a check says when it does not hold. */
final class Want {
    static void equal(Object got, Object want, String what) {
        if (!Objects.equals(got, want)) {
            throw new AssertionError(what + ": got " + shortened(got) + ", want " + shortened(want));
        }
    }

    private static String shortened(Object o) {
        var text = String.valueOf(o);
        return text.length() <= 300 ? text : text.substring(0, 300) + "…";
    }

    private Want() {}
}
