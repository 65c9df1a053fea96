package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// versions is a range of versions, both ends included. The zero value is version 0; none is empty.
type versions struct {
	lo, hi int
}

// open is the last version of a range such as "3+".
const open = math.MaxInt16

var none = versions{0, -1}

// parseVersions reads "3", "3-7", "3+" and "none".
func parseVersions(s string) (versions, error) {
	if s == "none" {
		return none, nil
	}
	first, last, ranged := strings.Cut(s, "-")
	switch {
	case strings.HasSuffix(s, "+"):
		first, last = strings.TrimSuffix(s, "+"), strconv.Itoa(open)
	case !ranged:
		last = first
	}
	lo, err := strconv.ParseUint(first, 10, 15)
	hi, err2 := strconv.ParseUint(last, 10, 15)
	if err != nil || err2 != nil || lo > hi {
		return none, fmt.Errorf("%q is not a range of versions", s)
	}
	return versions{int(lo), int(hi)}, nil
}

// UnmarshalText lets a spec's ranges be read as they are.
func (v *versions) UnmarshalText(text []byte) (err error) {
	*v, err = parseVersions(string(text))
	return err
}

func (v versions) empty() bool { return v.lo > v.hi }

func (v versions) and(w versions) versions {
	both := versions{max(v.lo, w.lo), min(v.hi, w.hi)}
	if both.empty() {
		return none
	}
	return both
}

// covers says whether all of w lies in v.
func (v versions) covers(w versions) bool { return v.and(w) == w }

// String is the range as specs write it.
func (v versions) String() string {
	switch {
	case v.empty():
		return "none"
	case v.hi == open:
		return fmt.Sprintf("%d+", v.lo)
	case v.lo == v.hi:
		return strconv.Itoa(v.lo)
	}
	return fmt.Sprintf("%d-%d", v.lo, v.hi)
}

// words is the range in a sentence.
func (v versions) words() string {
	if v.lo == v.hi {
		return "version " + v.String()
	}
	return "versions " + v.String()
}
