package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/xrash/smetrics"
)

// likeness is how alike two names must be, from 0 to 1, for one to be proposed instead of the other.
const likeness = 0.8

// unknownKeys is the error that names keys nobody knows, with their lines and the nearest known keys; nil without any.
// Keys inside an unknown table are not told of one by one.
func unknownKeys(text string, keys []toml.Key) error {
	var errs []error
	told := map[string]bool{}
	for _, key := range keys {
		name := key.String()
		told[name] = true
		if len(key) > 1 && told[key[:len(key)-1].String()] {
			continue
		}
		errs = append(errs, fmt.Errorf("%sunknown setting %s%s", lineOf(text, name), name, proposal(name)))
	}
	return errors.Join(errs...)
}

// proposal asks whether the nearest known key was meant, if one is near.
func proposal(name string) string {
	best, score := "", likeness
	for _, known := range Keys() {
		if strings.ReplaceAll(known, "_", ".") == name { // as Kafka writes it
			return fmt.Sprintf("; did you mean %s?", known)
		}
		if s := smetrics.JaroWinkler(lastPart(name), lastPart(known), 0.7, 4); s > score || s == score && nearer(name, known, best) {
			best, score = known, s
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// nearer says whether a shares its table with name while b does not.
func nearer(name, a, b string) bool {
	table := strings.TrimSuffix(name, lastPart(name))
	return strings.HasPrefix(a, table) && !strings.HasPrefix(b, table)
}

func lastPart(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// Keys lists every setting by its full name, as in storage.path.
func Keys() []string {
	var keys []string
	eachSetting(reflect.TypeFor[Config](), "", func(name string, _ reflect.Type) { keys = append(keys, name) })
	return keys
}

// eachSetting visits what a table may hold, which may be tables and lists of tables.
func eachSetting(t reflect.Type, table string, f func(name string, t reflect.Type)) {
	for field := range t.Fields() {
		name := table + field.Tag.Get("toml")
		switch {
		case !field.IsExported():
		case field.Anonymous:
			eachSetting(field.Type, table, f)
		default:
			f(name, field.Type)
			if inner := tableType(field.Type); inner != nil {
				eachSetting(inner, name+".", f)
			}
		}
	}
}

// tableType is what a setting holds that is a table or a list of them; else nil.
func tableType(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

var (
	tableLine = regexp.MustCompile(`^\s*\[+\s*([^\]]+?)\s*\]`)
	keyLine   = regexp.MustCompile(`^\s*([^=#]+?)\s*=`)
)

// lineOf says in which line of a TOML text a key or table is, as the beginning of a message; empty when it is written in
// a way that takes more than this to find (inline tables).
func lineOf(text, name string) string {
	table := ""
	for i, line := range strings.Split(text, "\n") {
		found := ""
		if m := tableLine.FindStringSubmatch(line); m != nil {
			table = m[1] + "."
			found = m[1]
		} else if m := keyLine.FindStringSubmatch(line); m != nil {
			found = table + m[1]
		}
		if found == name {
			return fmt.Sprintf("line %d: ", i+1)
		}
	}
	return ""
}
