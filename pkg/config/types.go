package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// withoutSecrets is err, unless it is about a place in a text that is not TOML and may be in the name or password of
// [auth]: such errors show what was found there.
func withoutSecrets(err error, text string) error {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	line := ""
	if lines := strings.Split(text, "\n"); parse.Position.Line > 0 && parse.Position.Line <= len(lines) {
		line = lines[parse.Position.Line-1]
	}
	if !strings.HasPrefix(parse.LastKey, "auth.plain_") && !strings.Contains(line, "plain_") {
		return err
	}
	return fmt.Errorf("line %d: this is not TOML: should be %s", parse.Position.Line, form("auth.plain_password", reflect.TypeFor[string]()))
}

// typeError is how the TOML library says that a value is of the wrong type, with the line and the setting.
var typeError = regexp.MustCompile(`^toml: (?:(line \d+) )?\(last key "([^"]*)"\): (?:incompatible types|type mismatch)`)

// wrongType says of an error about a value's type what would be right. Other errors stay as they are. The value is not
// shown: it may be a password without its quotes.
func wrongType(err error) error {
	found := typeError.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	line, setting := found[1], found[2]
	if line != "" {
		line += ": "
	}
	right := ""
	eachSetting(reflect.TypeFor[Config](), "", func(name string, t reflect.Type) {
		if name == setting {
			right = ": should be " + form(name, t)
		}
	})
	return fmt.Errorf("%s%s is of the wrong type%s", line, setting, right)
}

// form is how a setting of a type is written, by its default where there is one.
func form(name string, t reflect.Type) string {
	example := lastPart(name) + " = " + defaultValue(name)
	switch {
	case t.Kind() == reflect.Slice && tableType(t) != nil:
		return "tables, each of which begins with [[" + name + "]]"
	case t.Kind() == reflect.Struct:
		return "a table, which begins with [" + name + "]"
	case t.Kind() == reflect.Bool:
		return "true or false, without quotes, as in " + example
	case t.Kind() == reflect.String:
		return "text in quotes, as in " + example
	case t.Kind() == reflect.Slice:
		return "a list in brackets, as in " + example
	}
	return "a whole number, without quotes, as in " + example
}

// defaultValue is how default.toml writes a setting, commented out or not.
func defaultValue(setting string) string {
	table := ""
	for line := range strings.Lines(DefaultText) {
		line = strings.TrimPrefix(line, "#")
		if m := tableLine.FindStringSubmatch(line); m != nil {
			table = m[1] + "."
		}
		if m := valueLine.FindStringSubmatch(line); m != nil && table+m[1] == setting {
			return m[2]
		}
	}
	return "…"
}

var valueLine = regexp.MustCompile(`^(\w+) = ("[^"]*"|\[[^]]*\]|\S+)`)
