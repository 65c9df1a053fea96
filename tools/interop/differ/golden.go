package differ

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// A golden file is what Kafka answered, for people to read and tests to compare with, one file for each API:
//
//	== title · 3.9.2: 0-2 · 4.3.1: 3-11
//	-- step
//	Responses[t].PartitionResponses[0]: ErrorCode=NONE BaseOffset=0 LogStartOffset=0@5-11
//
// The line of a script says which release answered in which versions. A field stands once for each value it had;
// behind @ are the versions, unless they are all of the step's, which in turn stand behind its name (@7-11) unless
// they are all of the script's.

const (
	scriptMark = "== "
	stepMark   = "-- "
	part       = " · "
)

// Write writes the scripts of one API.
func (b *Book) Write(w io.Writer, scripts []Script) error {
	out := bufio.NewWriter(w)
	for _, s := range scripts {
		if ch := b.scripts[s.Title()]; ch != nil {
			ch.write(out, s.Name)
		}
	}
	return out.Flush()
}

func (ch *chapter) write(out *bufio.Writer, name string) {
	var all Versions
	who := map[string]Versions{}
	for v, by := range ch.by {
		all = all.Add(v)
		who[by] = who[by].Add(v)
	}
	fmt.Fprint(out, scriptMark, name)
	for _, by := range slices.Sorted(maps.Keys(who)) {
		fmt.Fprintf(out, "%s%s: %s", part, by, who[by])
	}
	fmt.Fprintln(out)
	for _, s := range ch.steps() {
		fmt.Fprintln(out, stepMark+s.name+s.versions.unless(all))
		s.write(out)
	}
	fmt.Fprintln(out)
}

// unless writes the versions behind an @, or nothing if they are those that go without saying.
func (s Versions) unless(all Versions) string {
	if slices.Equal(s, all) {
		return ""
	}
	return "@" + s.String()
}

// step is a step in all versions.
type step struct {
	name     string
	versions Versions
	objects  []*object
}

// object is a struct of an answer in all versions.
type object struct {
	at     string
	values []*value
}

// value is a field's value in those versions where it had that one.
type value struct {
	name, value string
	versions    Versions
}

// steps gathers the versions' answers. The newest version goes first, because it has the most fields, in the spec's order.
func (ch *chapter) steps() []*step {
	var steps []*step
	versions := slices.Sorted(maps.Keys(ch.answers))
	slices.Reverse(versions)
	for _, v := range versions {
		at := 0
		for _, a := range ch.answers[v] {
			i := slices.IndexFunc(steps, func(s *step) bool { return s.name == a.Step })
			if i < 0 {
				i = at
				steps = slices.Insert(steps, i, &step{name: a.Step})
			}
			at = i + 1
			steps[i].add(v, a)
		}
	}
	return steps
}

func (s *step) add(v int16, a Answer) {
	s.versions = s.versions.Add(v)
	for _, f := range a.Fields {
		s.object(f.At).add(v, f)
	}
}

func (s *step) object(at string) *object {
	for _, o := range s.objects {
		if o.at == at {
			return o
		}
	}
	s.objects = append(s.objects, &object{at: at})
	return s.objects[len(s.objects)-1]
}

func (o *object) add(v int16, f Field) {
	behind := len(o.values)
	for i, known := range o.values {
		if known.name == f.Name && known.value == f.Value {
			known.versions = known.versions.Add(v)
			return
		}
		if known.name == f.Name {
			behind = i + 1
		}
	}
	o.values = slices.Insert(o.values, behind, &value{f.Name, f.Value, Versions{v}})
}

func (s *step) write(out *bufio.Writer) {
	for _, o := range s.objects {
		fmt.Fprint(out, o.at+":")
		for _, v := range o.values {
			fmt.Fprintf(out, " %s=%s%s", v.name, v.value, v.versions.unless(s.versions))
		}
		fmt.Fprintln(out)
	}
}

// Read adds what Write has written for the API of that name.
func (b *Book) Read(in io.Reader, api string) error {
	p := parser{book: b, api: api}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if err := p.line(lines.Text()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

type parser struct {
	book     *Book
	api      string
	title    string
	all      Versions // of the script
	versions Versions // of the step
}

func (p *parser) line(text string) error {
	switch {
	case text == "":
		return nil
	case strings.HasPrefix(text, scriptMark):
		return p.script(text[len(scriptMark):])
	case strings.HasPrefix(text, stepMark):
		return p.step(text[len(stepMark):])
	}
	return p.object(text)
}

func (p *parser) script(text string) error {
	parts := strings.Split(text, part)
	p.title, p.all = p.api+": "+parts[0], nil
	for _, who := range parts[1:] {
		by, versions, _ := strings.Cut(who, ": ")
		answered, err := ParseVersions(versions)
		if err != nil {
			return err
		}
		for _, v := range answered {
			p.all = p.all.Add(v)
			p.book.Put(p.title, v, by, nil)
		}
	}
	return nil
}

func (p *parser) step(text string) (err error) {
	name := text
	p.versions = p.all
	if i := strings.LastIndex(text, "@"); i >= 0 {
		name = text[:i]
		p.versions, err = ParseVersions(text[i+1:])
	}
	for _, v := range p.versions {
		ch := p.book.scripts[p.title]
		ch.answers[v] = append(ch.answers[v], Answer{Step: name})
	}
	return err
}

func (p *parser) object(text string) error {
	words := outsideQuotes(text, ' ')
	at := strings.TrimSuffix(words[0], ":")
	for _, word := range words[1:] {
		name, rest, ok := strings.Cut(word, "=")
		if !ok {
			return fmt.Errorf("%q is not a field", word)
		}
		versions := p.versions
		halves := outsideQuotes(rest, '@')
		if len(halves) == 2 {
			var err error
			if versions, err = ParseVersions(halves[1]); err != nil {
				return err
			}
		}
		for _, v := range versions {
			answers := p.book.scripts[p.title].answers[v]
			last := &answers[len(answers)-1]
			last.Fields = append(last.Fields, Field{At: at, Name: name, Value: halves[0]})
		}
	}
	return nil
}

// outsideQuotes splits text at a byte, but not inside of quotes.
func outsideQuotes(text string, at byte) []string {
	var parts []string
	begin, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quoted:
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == at && !quoted:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	return append(parts, text[begin:])
}
