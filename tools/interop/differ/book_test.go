package differ

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// sample is a script whose answers change with the version, in every way a golden file has to write down.
var sample = Script{Key: wire.KeyDescribeCluster, Name: "a sample"}

// sampleBook is a book with answers to sample in versions 0 to 2.
func sampleBook() *Book {
	b := NewBook()
	fields := func(v int16) []Field {
		f := []Field{
			{At: top, Name: "ErrorCode", Value: "NONE"},
			{At: `Topics["a\x20b"].Partitions[0]`, Name: "Offset", Value: fmt.Sprint(v / 2)},
			{At: `Topics["a\x20b"].Partitions[0]`, Name: "Value", Value: `"an @ and a \" and = in quotes"`},
		}
		if v > 0 {
			f = append(f, Field{At: "Configs", Name: there, Value: "null"})
		}
		return f
	}
	for v := range int16(3) {
		answers := []Answer{{Step: "first", Fields: fields(v)}}
		if v == 2 {
			answers = append(answers, Answer{Step: "only in the last", Fields: fields(v)})
		}
		b.Put(sample.Title(), v, []string{"3.9.2", "4.3.1", "4.3.1"}[v], append(answers, Answer{Step: "last", Fields: fields(v)}))
	}
	return b
}

func written(t *testing.T, b *Book) string {
	t.Helper()
	var text strings.Builder
	if err := b.Write(&text, []Script{sample}); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// A golden file says what a book says, and nothing of it is lost.
func TestGoldenFile(t *testing.T) {
	const want = `== a sample · 3.9.2: 0 · 4.3.1: 1-2
-- first
.: ErrorCode=NONE
Topics["a\x20b"].Partitions[0]: Offset=1@2 Offset=0@0-1 Value="an @ and a \" and = in quotes"
Configs: there=null@1-2
-- only in the last@2
.: ErrorCode=NONE
Topics["a\x20b"].Partitions[0]: Offset=1 Value="an @ and a \" and = in quotes"
Configs: there=null
-- last
.: ErrorCode=NONE
Topics["a\x20b"].Partitions[0]: Offset=1@2 Offset=0@0-1 Value="an @ and a \" and = in quotes"
Configs: there=null@1-2

`
	book := sampleBook()
	text := written(t, book)
	if text != want {
		t.Errorf("got\n%swant\n%s", text, want)
	}
	again := NewBook()
	if err := again.Read(strings.NewReader(text), wire.Name(sample.Key)); err != nil {
		t.Fatal(err)
	}
	if found, _ := Compare(book, again); len(found) > 0 {
		t.Errorf("what was read differs from what was written:\n%s", rows(found))
	}
	if twice := written(t, again); twice != text {
		t.Errorf("written, read and written again it is\n%s", twice)
	}
}

// Whatever is changed in an answer is found, with script, step, version and field. (Every case is a broken twin of the
// comparison that finds nothing.)
func TestEveryDifferenceIsFound(t *testing.T) {
	const partition = `Topics["a\x20b"].Partitions[0]`
	answer := func(b *Book, i int) *Answer { return &b.scripts[sample.Title()].answers[1][i] }
	f := func(spoil func(*Book), want ...string) {
		t.Helper()
		ours := sampleBook()
		spoil(ours)
		found, _ := Compare(sampleBook(), ours)
		var got []string
		for _, d := range found {
			got = append(got, fmt.Sprintf("%s|%s|%s|%s|%s", d.Step, d.Field, d.Versions, d.Kafka, d.Ours))
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(func(*Book) {})
	f(func(b *Book) { answer(b, 0).Fields[0].Value = "INVALID_REQUEST" }, "first|ErrorCode|1|NONE|INVALID_REQUEST")
	f(func(b *Book) { answer(b, 1).Fields[1].Value = "7" }, "last|"+partition+".Offset|1|0|7")
	f(func(b *Book) { answer(b, 0).Fields[1].Name = "Other" }, "first|"+partition+".Offset|1|0|absent", "first|"+partition+".Other|1|absent|0")
	f(func(b *Book) { answer(b, 0).Fields = answer(b, 0).Fields[:1] }, "first|"+partition+"|1|there|absent", "first|Configs|1|there|absent")
	f(func(b *Book) { answer(b, 0).Fields[3].At = "Settings" }, "first|Configs|1|there|absent", "first|Settings|1|absent|there")
	f(func(b *Book) { answer(b, 0).Fields = []Field{{At: top, Name: "connection", Value: "closed"}} }, "first|connection|1|answered|closed")
	f(func(b *Book) { answer(b, 0).Step = "other" }, "first|the step|1|there|absent", "other|the step|1|absent|there")
	f(func(b *Book) { delete(b.scripts, sample.Title()) },
		"first|the step|0-2|there|absent", "last|the step|0-2|there|absent", "only in the last|the step|2|there|absent")
}

// The wording of messages is reported, but is no difference; whether there is a message is one.
func TestWordingIsNoDifference(t *testing.T) {
	book := func(value, words string) *Book {
		b := NewBook()
		b.Put("s", 0, "x", []Answer{{Step: "ask", Fields: []Field{{At: top, Name: "ErrorMessage", Value: value, Words: words}}}})
		return b
	}
	found, wordings := Compare(book("some", "no such topic"), book("some", "the topic is not there"))
	if len(found) != 0 || len(wordings) != 1 {
		t.Errorf("another wording: %d differences and %d wordings", len(found), len(wordings))
	}
	found, wordings = Compare(book("some", "no such topic"), book("null", ""))
	if len(found) != 1 || len(wordings) != 0 {
		t.Errorf("no message: %d differences and %d wordings", len(found), len(wordings))
	}
}

// A book over another has the newer one's answers where it has any.
func TestNewerOverOlder(t *testing.T) {
	older, newer := NewBook(), NewBook()
	for v := range int16(3) {
		older.Put("s", v, "old", nil)
	}
	newer.Put("s", 2, "new", nil)
	both := newer.Over(older)
	if by := both.scripts["s"].by; by[0] != "old" || by[1] != "old" || by[2] != "new" {
		t.Errorf("answered by %v", by)
	}
}

// A row excuses what it names and nothing else; one that excuses nothing, or fewer versions than it claims, is stale.
func TestExceptions(t *testing.T) {
	d := Difference{Script: "Fetch: codecs", Step: "zstd", Field: "Responses[t].ErrorCode", Versions: Versions{0, 1, 2}, Kafka: "NONE", Ours: `"a|b"`}
	f := func(row string, unexplained, stale int) {
		t.Helper()
		excepted, err := ReadExceptions(strings.NewReader("Text.\n\n| script | step |\n|---|---|\n" + row + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		u, s := Unexplained([]Difference{d}, excepted)
		if len(u) != unexplained || len(s) != stale {
			t.Errorf("%s: %d unexplained and %d stale, want %d and %d", row, len(u), len(s), unexplained, stale)
		}
	}
	f(`| Fetch: codecs | zstd | Responses[t].ErrorCode | 0-2 | NONE | "a\|b" | because |`, 0, 0)
	f(`| Fetch: * | * | Responses[*].ErrorCode | 0-2 | NONE | * | because |`, 0, 0)
	f(`| Fetch: codecs | zstd | Responses[t].ErrorCode | 0-3 | NONE | * | because |`, 0, 1)
	f(`| Fetch: codecs | zstd | Responses[t].ErrorCode | 0-1 | NONE | * | because |`, 1, 1)
	f(`| Fetch: codecs | gzip | Responses[t].ErrorCode | 0-2 | NONE | * | because |`, 1, 1)
	f(`| Fetch: codecs | zstd | Responses[t].ErrorCode | 0-2 | UNKNOWN | * | because |`, 1, 1)
	f(``, 1, 0)
}

// Of three who answer, the one that differs is found: the third alone, we as well, or nobody knows because Kafka was
// not asked.
func TestThird(t *testing.T) {
	f := func(kafka, theirs, ours string, alone, shared, others int) {
		t.Helper()
		book := func(code string) *Book {
			b := NewBook()
			if code != "" {
				b.Put("s", 0, "x", []Answer{{Step: "ask", Fields: []Field{{At: top, Name: "ErrorCode", Value: code}}}})
			}
			return b
		}
		a, s, o := Third(book(kafka), book(theirs), book(ours))
		if len(a) != alone || len(s) != shared || len(o) != others {
			t.Errorf("%s, %s, %s: %d alone, %d shared, %d others", kafka, theirs, ours, len(a), len(s), len(o))
		}
	}
	f("A", "A", "A", 0, 0, 0)
	f("A", "B", "A", 1, 0, 0)
	f("A", "A", "B", 0, 1, 0)
	f("A", "B", "C", 0, 1, 0)
	f("", "A", "B", 0, 0, 1)
}

// Rows without a reason, or without all columns, are no rows.
func TestBadExceptions(t *testing.T) {
	for _, row := range []string{
		"| s | step | field | 0 | a | b | |",
		"| s | step | field | 0 | a | b |",
		"| s | step | field | zero | a | b | because |",
	} {
		if _, err := ReadExceptions(strings.NewReader(row)); err == nil {
			t.Errorf("%s: no error", row)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, text := range []string{"0", "0-2", "0-2,5", "1,3,7-11"} {
		v, err := ParseVersions(text)
		if err != nil || v.String() != text {
			t.Errorf("%s is read as %s, %v", text, v, err)
		}
	}
	for _, text := range []string{"", "a", "1-b", "99999"} {
		if _, err := ParseVersions(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
