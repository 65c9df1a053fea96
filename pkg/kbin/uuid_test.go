// Shown here: UUIDs are printed and read as Kafka's tools do it.

package kbin

import "testing"

func TestUUID(t *testing.T) {
	f := func(u UUID, text string) {
		t.Helper()
		if u.String() != text {
			t.Errorf("%x is printed as %s, not %s", u[:], u, text)
		}
		if got, err := ParseUUID(text); err != nil || got != u {
			t.Errorf("%s is read as %x, %v", text, got[:], err)
		}
	}
	f(UUID{}, "AAAAAAAAAAAAAAAAAAAAAA")
	f(UUID{15: 1}, "AAAAAAAAAAAAAAAAAAAAAQ") // Kafka's METADATA_TOPIC_ID
	f(UUID{0xff, 0xef, 0xbe, 15: 0xff}, "_---AAAAAAAAAAAAAAAA_w")
	if got, err := ParseUUID("AAAAAAAAAAAAAAAAAAAAAQ=="); err != nil || got != (UUID{15: 1}) {
		t.Errorf("padded: %x, %v", got[:], err)
	}
	for _, bad := range []string{"", "AAAA", "AAAAAAAAAAAAAAAAAAAAAQAAAA", "AAAAAAAAAAAAAAAAAAAAA+"} {
		if u, err := ParseUUID(bad); err == nil {
			t.Errorf("%q is read as %s", bad, u)
		}
	}
	if !(UUID{}).IsZero() || (UUID{15: 1}).IsZero() {
		t.Error("IsZero")
	}
}
