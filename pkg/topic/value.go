package topic

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Kind is the type of a setting's values.
type Kind int8

// The kinds that settings of topics have, by the numbers of DescribeConfigsResponse.ConfigType; Kafka's ConfigDef.Type.
const (
	Boolean Kind = 1
	String  Kind = 2
	Int     Kind = 3
	Long    Kind = 5
	Double  Kind = 6
	List    Kind = 7
)

// field turns one field of [Settings], or two that one setting fills, into text and back. Values may have blanks around
// them, as in Kafka.
type field struct {
	kind Kind
	set  func(s *Settings, text string) error
	get  func(s *Settings) string
}

// long is a field for whole numbers from least to most.
func long(least, most int64, at func(*Settings) *int64) field {
	set := func(s *Settings, text string) error {
		v, err := parse(text, 64, least, most)
		if err == nil {
			*at(s) = v
		}
		return err
	}
	return field{Long, set, func(s *Settings) string { return strconv.FormatInt(*at(s), 10) }}
}

// integer is a field for whole numbers of 32 bits from least to most.
func integer(least, most int64, at func(*Settings) *int) field {
	set := func(s *Settings, text string) error {
		v, err := parse(text, 32, least, most)
		if err == nil {
			*at(s) = int(v)
		}
		return err
	}
	return field{Int, set, func(s *Settings) string { return strconv.Itoa(*at(s)) }}
}

func parse(text string, bits int, least, most int64) (int64, error) {
	v, err := strconv.ParseInt(strings.TrimSpace(text), 10, bits)
	switch {
	case err != nil:
		return 0, fmt.Errorf("not a whole number of %d bits", bits)
	case v < least:
		return 0, fmt.Errorf("must be at least %d", least)
	case v > most:
		return 0, fmt.Errorf("must be no more than %d", most)
	}
	return v, nil
}

// gzipLevel is a field for gzip's levels, of which -1 stands for the default.
func gzipLevel(at func(*Settings) *int) field {
	f := integer(-1, 9, at)
	any := f.set
	f.set = func(s *Settings, text string) error {
		if v, err := parse(text, 32, math.MinInt32, math.MaxInt32); err == nil && v == 0 {
			return errors.New("must be from 1 to 9, or -1")
		}
		return any(s, text)
	}
	return f
}

// ratio is a field for numbers from 0 to 1.
func ratio(at func(*Settings) *float64) field {
	set := func(s *Settings, text string) error {
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(0 <= v && v <= 1) {
			return errors.New("not a number from 0 to 1")
		}
		*at(s) = v
		return nil
	}
	return field{Double, set, func(s *Settings) string { return decimal(*at(s)) }}
}

// decimal writes a number with a fraction, even if that is zero, as Java does.
func decimal(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// truth is a field for true and false, in letters of any case.
func truth(at func(*Settings) *bool) field {
	set := func(s *Settings, text string) error {
		word := strings.ToLower(strings.TrimSpace(text))
		if word != "true" && word != "false" {
			return errors.New("must be true or false")
		}
		*at(s) = word == "true"
		return nil
	}
	return field{Boolean, set, func(s *Settings) string { return strconv.FormatBool(*at(s)) }}
}

// word is a field for one of some words.
func word(words []string, at func(*Settings) *string) field {
	set := func(s *Settings, text string) error {
		text = strings.TrimSpace(text)
		if err := oneOf(words, text); err != nil {
			return err
		}
		*at(s) = text
		return nil
	}
	return field{String, set, func(s *Settings) string { return *at(s) }}
}

func oneOf(words []string, text string) error {
	if !slices.Contains(words, text) {
		return fmt.Errorf("must be one of: %s", strings.Join(words, ", "))
	}
	return nil
}

// timestampType is the field for who stamps a topic's records.
func timestampType() field {
	const create, logAppend = "CreateTime", "LogAppendTime"
	return field{String, func(s *Settings, text string) error {
		text = strings.TrimSpace(text)
		if err := oneOf([]string{create, logAppend}, text); err != nil {
			return err
		}
		s.LogAppendTime = text == logAppend
		return nil
	}, func(s *Settings) string {
		if s.LogAppendTime {
			return logAppend
		}
		return create
	}}
}

// cleanupPolicy is the field for what becomes of old records: deleted, compacted, both, or neither.
func cleanupPolicy() field {
	const compact, remove = "compact", "delete"
	return field{List, func(s *Settings, text string) error {
		policies := split(text)
		for _, p := range policies {
			if err := oneOf([]string{compact, remove}, p); err != nil {
				return err
			}
		}
		s.Compact, s.Delete = slices.Contains(policies, compact), slices.Contains(policies, remove)
		return nil
	}, func(s *Settings) string {
		var policies []string
		if s.Compact {
			policies = append(policies, compact)
		}
		if s.Delete {
			policies = append(policies, remove)
		}
		return strings.Join(policies, ",")
	}}
}

// unique writes a list with each of its words once.
func unique(list string) string {
	var words []string
	for _, w := range split(list) {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return strings.Join(words, ",")
}

func split(list string) []string {
	if strings.TrimSpace(list) == "" {
		return nil
	}
	parts := strings.Split(list, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

var replica = regexp.MustCompile(`^[0-9]+:[0-9]+$`)

// replicas is a field for partition:broker pairs, or * for all of them.
func replicas(at func(*Settings) *string) field {
	set := func(s *Settings, text string) error {
		list := split(text)
		for _, r := range list {
			if !replica.MatchString(r) && !(r == "*" && len(list) == 1) {
				return errors.New("must be * or a list of partition:broker")
			}
		}
		*at(s) = strings.Join(list, ",")
		return nil
	}
	return field{List, set, func(s *Settings) string { return *at(s) }}
}
