package main

// Shown here: version ranges are read and written as Kafka does, and anything else is refused; joins leave no gap.

import "testing"

func TestVersionsReadAndWritten(t *testing.T) {
	f := func(text string, want versions) {
		t.Helper()
		got, err := parseVersions(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: %v, written %q, %v", text, got, got, err)
		}
	}
	f("none", versions{})
	f("0", versions{0, 1})
	f("3-5", versions{3, 6})
	f("3+", versions{3, forever})
	f("0-32766", versions{0, 32767})
}

func TestVersionsRefused(t *testing.T) {
	for _, text := range []string{"", "+", "-", "3-", "-3", "5-3", "3+5", "3+-5", "3-5+", "a", " 3", "40000", "0-40000"} {
		if got, err := parseVersions(text); err == nil {
			t.Errorf("%q taken for %s", text, got)
		}
	}
}

func TestVersionsIntersect(t *testing.T) {
	f := func(a, b, want string) {
		t.Helper()
		if got := mustVersions(t, a).intersect(mustVersions(t, b)).String(); got != want {
			t.Errorf("%s and %s: %s, want %s", a, b, got, want)
		}
	}
	f("0+", "3+", "3+")
	f("0-5", "3+", "3-5")
	f("0-2", "3+", "none")
	f("none", "0+", "none")
}

func TestVersionsUnion(t *testing.T) {
	f := func(a, b, want string, whole bool) {
		t.Helper()
		got, ok := mustVersions(t, a).union(mustVersions(t, b))
		if ok != whole || whole && got.String() != want {
			t.Errorf("%s and %s: %s, %t, want %s, %t", a, b, got, ok, want, whole)
		}
	}
	f("0-11", "3-13", "0-13", true)
	f("0-2", "3-4", "0-4", true)
	f("3-4", "0-2", "0-4", true)
	f("0-2", "4-5", "", false)
	f("none", "4-5", "4-5", true)
	f("0", "none", "0", true)
}

func mustVersions(t *testing.T, text string) versions {
	t.Helper()
	v, err := parseVersions(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
