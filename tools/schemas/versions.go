package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// versions is a range of API versions: from the first, up to but not including until. The zero value is "none".
type versions struct {
	from, until int
}

// forever ends a range that is open above ("3+"): one more than the highest version an int16 can say.
const forever = math.MaxInt16 + 1

var always = versions{0, forever}

// parseVersions reads what Kafka writes for a range: "none", "3", "3-5" or "3+".
func parseVersions(s string) (versions, error) {
	if s == "none" {
		return versions{}, nil
	}
	low, high, closed := strings.Cut(s, "-")
	low, open := strings.CutSuffix(low, "+")
	from, err := strconv.ParseUint(low, 10, 15)
	if err != nil || open && closed {
		return versions{}, fmt.Errorf("version range %q: want none, N, N-M or N+", s)
	}
	v := versions{int(from), int(from) + 1}
	switch {
	case open:
		v.until = forever
	case closed:
		last, err := strconv.ParseUint(high, 10, 15)
		if err != nil || last < from {
			return versions{}, fmt.Errorf("version range %q: want none, N, N-M or N+", s)
		}
		v.until = int(last) + 1
	}
	return v, nil
}

// UnmarshalText is parseVersions, for encoding/json.
func (v *versions) UnmarshalText(text []byte) (err error) {
	*v, err = parseVersions(string(text))
	return err
}

// String is the range as Kafka writes it.
func (v versions) String() string {
	switch {
	case v.empty():
		return "none"
	case v.open():
		return fmt.Sprintf("%d+", v.from)
	case v.last() == v.from:
		return strconv.Itoa(v.from)
	default:
		return fmt.Sprintf("%d-%d", v.from, v.last())
	}
}

func (v versions) empty() bool          { return v.from >= v.until }
func (v versions) open() bool           { return !v.empty() && v.until == forever }
func (v versions) last() int            { return v.until - 1 }
func (v versions) contains(at int) bool { return v.from <= at && at < v.until }

func (v versions) intersect(w versions) versions {
	both := versions{max(v.from, w.from), min(v.until, w.until)}
	if both.empty() {
		return versions{}
	}
	return both
}

// union joins two ranges; false when a gap between them would be filled.
func (v versions) union(w versions) (versions, bool) {
	switch {
	case v.empty():
		return w, true
	case w.empty():
		return v, true
	}
	return versions{min(v.from, w.from), max(v.until, w.until)}, v.from <= w.until && w.from <= v.until
}
