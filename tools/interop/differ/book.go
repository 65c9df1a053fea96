package differ

import (
	"fmt"
	"maps"
	"slices"
)

// Book is what was answered: script by script and version by version.
type Book struct {
	scripts map[string]*chapter // by title
}

// chapter is a script's part of a book.
type chapter struct {
	by      map[int16]string   // who answered, by version
	answers map[int16][]Answer // what, step by step
}

// NewBook is an empty book.
func NewBook() *Book { return &Book{scripts: map[string]*chapter{}} }

// Put enters what a server answered to one version of a script.
func (b *Book) Put(title string, version int16, by string, answers []Answer) {
	ch := b.scripts[title]
	if ch == nil {
		ch = &chapter{by: map[int16]string{}, answers: map[int16][]Answer{}}
		b.scripts[title] = ch
	}
	ch.by[version], ch.answers[version] = by, answers
}

// Over is b, and where b has nothing, older: what the newest server answers that answers at all.
func (b *Book) Over(older *Book) *Book {
	both := NewBook()
	for _, one := range []*Book{older, b} {
		for title, ch := range one.scripts {
			for v, answers := range ch.answers {
				both.Put(title, v, ch.by[v], answers)
			}
		}
	}
	return both
}

// Faults are the answers that are none: frames that do not decode, or say more than they should.
func (b *Book) Faults() []string {
	var faults []string
	for _, title := range slices.Sorted(maps.Keys(b.scripts)) {
		ch := b.scripts[title]
		for _, v := range slices.Sorted(maps.Keys(ch.answers)) {
			for _, a := range ch.answers[v] {
				if a.Fault != "" {
					faults = append(faults, fmt.Sprintf("%s, %s, version %d, %s: %s", title, a.Step, v, ch.by[v], a.Fault))
				}
			}
		}
	}
	return faults
}

// Answers counts the answers in the book.
func (b *Book) Answers() (n int) {
	for _, ch := range b.scripts {
		for _, answers := range ch.answers {
			n += len(answers)
		}
	}
	return n
}
