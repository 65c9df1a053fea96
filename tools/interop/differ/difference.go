package differ

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Difference is a field that Kafka and we answer differently, in some versions.
type Difference struct {
	Script   string // title
	Step     string
	Field    string // path and name
	Versions Versions
	Kafka    string // value; "absent" when there is no such field or element
	Ours     string
}

// Words that stand in the place of values.
const (
	absent   = "absent"   // no such field or element
	there    = "there"    // an element of which no more need be said
	answered = "answered" // of a connection on which an answer came
)

// String is the difference as a row of testdata/differences.md whose reason is still to be given.
func (d Difference) String() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | |", cell(d.Script), cell(d.Step), cell(d.Field), d.Versions, cell(d.Kafka), cell(d.Ours))
}

// cell writes text as the cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// Compare lists every difference, in the order of scripts and steps, and every message whose wording differs, if kafka has
// the words.
func Compare(kafka, ours *Book) (differences []Difference, wordings []string) {
	var c comparison
	for _, title := range slices.Sorted(maps.Keys(kafka.scripts)) {
		theirs, mine := kafka.scripts[title], ours.scripts[title]
		if mine == nil {
			mine = &chapter{}
		}
		for _, v := range slices.Sorted(maps.Keys(theirs.answers)) {
			c.script, c.version = title, v
			c.answers(theirs.answers[v], mine.answers[v])
		}
	}
	return c.found, c.wordings
}

// Unanswered lists the scripts, with versions, that ours has answers to and kafka has not.
func Unanswered(kafka, ours *Book) (missing []string) {
	for _, title := range slices.Sorted(maps.Keys(ours.scripts)) {
		var versions Versions
		for v := range ours.scripts[title].answers {
			if ch := kafka.scripts[title]; ch == nil || ch.by[v] == "" {
				versions = versions.Add(v)
			}
		}
		if len(versions) > 0 {
			missing = append(missing, fmt.Sprintf("%s in versions %s", title, versions))
		}
	}
	return missing
}

type comparison struct {
	script   string
	step     string
	version  int16
	failed   []string // structs of the step whose error codes differ
	found    []Difference
	wordings []string
}

func (c *comparison) answers(kafka, ours []Answer) {
	for _, k := range kafka {
		c.step = k.Step
		i := slices.IndexFunc(ours, func(a Answer) bool { return a.Step == k.Step })
		if i < 0 {
			c.differ("the step", there, absent)
			continue
		}
		c.fields(k.Fields, ours[i].Fields)
	}
	for _, o := range ours {
		if !slices.ContainsFunc(kafka, func(a Answer) bool { return a.Step == o.Step }) {
			c.step = o.Step
			c.differ("the step", absent, there)
		}
	}
}

// fields compares two answers to one step.
func (c *comparison) fields(kafka, ours []Field) {
	if k, o := connection(kafka), connection(ours); k != o {
		c.differ("connection", k, o)
		return
	}
	theirs, mine := index(kafka), index(ours)
	c.failed = failures(kafka, mine)
	c.objects(kafka, mine, there, absent)
	c.objects(ours, theirs, absent, there)
	for _, k := range kafka {
		if o, ok := mine[k.path()]; ok {
			c.field(k, o)
		} else if mine.has(k.At) {
			c.differAt(k, k.Value, absent)
		}
	}
	for _, o := range ours {
		if _, ok := theirs[o.path()]; !ok && theirs.has(o.At) {
			c.differAt(o, absent, o.Value)
		}
	}
}

// failures are the structs whose error codes differ. What else is in them follows from that, and is not compared.
func failures(kafka []Field, ours indexed) (at []string) {
	for _, k := range kafka {
		if o, ok := ours[k.path()]; ok && k.Name == "ErrorCode" && k.Value != o.Value {
			at = append(at, k.At)
		}
	}
	return at
}

// follows says whether a field lies in a struct whose error code differs, and is not that code.
func (c *comparison) follows(f Field) bool {
	return slices.ContainsFunc(c.failed, func(at string) bool {
		return at == top || f.At == at && f.Name != "ErrorCode" || strings.HasPrefix(f.At, at+".")
	}) && !(slices.Contains(c.failed, f.At) && f.Name == "ErrorCode")
}

// differAt reports a field, unless its difference follows from another.
func (c *comparison) differAt(f Field, kafka, ours string) {
	if !c.follows(f) {
		c.differ(f.path(), kafka, ours)
	}
}

// connection says what became of the connection: answered, unless the step says otherwise.
func connection(fields []Field) string {
	for _, f := range fields {
		if f.At == top && f.Name == "connection" {
			return f.Value
		}
	}
	return answered
}

func (c *comparison) field(k, o Field) {
	if k.Value != o.Value {
		c.differAt(k, k.Value, o.Value)
	} else if k.Words != o.Words && k.Words != "" { // golden files do not have the words
		c.word(fmt.Sprintf("%s, %s:\n  Kafka: %s\n  ours:  %s", c.script, c.step, k.Words, o.Words))
	}
}

// word keeps a message whose wording differs, once for all versions.
func (c *comparison) word(text string) {
	if !slices.Contains(c.wordings, text) {
		c.wordings = append(c.wordings, text)
	}
}

// objects reports the elements of one answer that the other lacks, but not what is inside of those.
func (c *comparison) objects(fields []Field, other indexed, kafka, ours string) {
	seen := map[string]bool{}
	for _, f := range fields {
		if f.At == top || seen[f.At] || other.has(f.At) {
			continue
		}
		seen[f.At] = true
		inside := slices.ContainsFunc(slices.Collect(maps.Keys(seen)), func(at string) bool { return strings.HasPrefix(f.At, at+".") })
		if !inside && !c.follows(f) {
			c.differ(f.At, kafka, ours)
		}
	}
}

func (c *comparison) differ(field, kafka, ours string) {
	c.found = add(c.found, Difference{Script: c.script, Step: c.step, Field: field, Versions: Versions{c.version}, Kafka: kafka, Ours: ours})
}

// add adds a difference, or its versions to the one that says the same.
func add(all []Difference, d Difference) []Difference {
	for i := range all {
		if f := &all[i]; f.Script == d.Script && f.Step == d.Step && f.Field == d.Field && f.Kafka == d.Kafka && f.Ours == d.Ours {
			for _, v := range d.Versions {
				f.Versions = f.Versions.Add(v)
			}
			return all
		}
	}
	return append(all, d)
}

// path is a field's place in an answer.
func (f Field) path() string { return join(f.At, f.Name) }

// indexed is an answer's fields by path, and an entry by path for each struct, or list that is null.
type indexed map[string]Field

func index(fields []Field) indexed {
	m := indexed{}
	for _, f := range fields {
		m[f.path()] = f
		m[f.At+"/"] = f
	}
	return m
}

func (m indexed) has(at string) bool { _, ok := m[at+"/"]; return ok }
