package differ

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Versions is a set of versions of an API, in order.
type Versions []int16

// Add returns the set with v in it.
func (s Versions) Add(v int16) Versions {
	i, found := slices.BinarySearch(s, v)
	if found {
		return s
	}
	return slices.Insert(s, i, v)
}

// Covers says whether every version of o is in s.
func (s Versions) Covers(o Versions) bool {
	return !slices.ContainsFunc(o, func(v int16) bool { return !slices.Contains(s, v) })
}

// String writes runs of versions: 0-2,5.
func (s Versions) String() string {
	var runs []string
	for i := 0; i < len(s); {
		j := i
		for j+1 < len(s) && s[j+1] == s[j]+1 {
			j++
		}
		run := strconv.Itoa(int(s[i]))
		if j > i {
			run += "-" + strconv.Itoa(int(s[j]))
		}
		runs = append(runs, run)
		i = j + 1
	}
	return strings.Join(runs, ",")
}

// ParseVersions reads what String writes.
func ParseVersions(text string) (Versions, error) {
	var s Versions
	for run := range strings.SplitSeq(text, ",") {
		first, last, isRun := strings.Cut(run, "-")
		if !isRun {
			last = first
		}
		from, err := strconv.ParseInt(first, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("versions %q: %w", text, err)
		}
		to, err := strconv.ParseInt(last, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("versions %q: %w", text, err)
		}
		for v := from; v <= to; v++ {
			s = s.Add(int16(v))
		}
	}
	return s, nil
}
