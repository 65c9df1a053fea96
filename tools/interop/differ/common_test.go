package differ

import (
	"flag"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// only chooses scripts by their titles, for whoever works on one.
var only = flag.String("script", "", "hold only the scripts whose titles match this regular expression")

// chosen are the scripts to hold.
func chosen() []Script {
	pattern := regexp.MustCompile(*only)
	return slices.DeleteFunc(Scripts(), func(s Script) bool { return !pattern.MatchString(s.Title()) })
}

// apis are the keys that scripts are about.
func apis() []int16 { return slices.Sorted(maps.Keys(Served)) }

// of are the chosen scripts about one API.
func of(key int16) []Script {
	return slices.DeleteFunc(chosen(), func(s Script) bool { return s.Key != key })
}

// golden is the file that holds what Kafka answers in one API.
func golden(key int16) string {
	return filepath.Join("testdata", strings.ToLower(wire.Name(key))+".golden")
}
