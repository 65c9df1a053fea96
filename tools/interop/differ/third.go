package differ

import "strings"

// Third sorts the differences between a third implementation and us. In those which are alone, Kafka's recorded answer is
// ours: it is the third that differs from Kafka. In those which are shared we differ from Kafka as well, and
// testdata/differences.md says why. Of the others it is not recorded what Kafka answers.
func Third(kafka, theirs, ours *Book) (alone, shared, others []Difference) {
	known := map[string][]Difference{} // ours from Kafka, by script and step
	listed, _ := Compare(kafka, ours)
	for _, d := range listed {
		known[d.Script+part+d.Step] = append(known[d.Script+part+d.Step], d)
	}
	found, _ := Compare(theirs, ours)
	for _, d := range found {
		for _, v := range d.Versions {
			one := d
			one.Versions = Versions{v}
			switch {
			case !kafka.has(d.Script, v):
				others = add(others, one)
			case touched(known[d.Script+part+d.Step], one):
				shared = add(shared, one)
			default:
				alone = add(alone, one)
			}
		}
	}
	return alone, shared, others
}

// has says whether a version of a script is answered in the book.
func (b *Book) has(title string, version int16) bool {
	ch := b.scripts[title]
	return ch != nil && ch.by[version] != ""
}

// touched says whether one of the known differences is about the same struct as d, or about one that contains it.
func touched(known []Difference, d Difference) bool {
	for _, k := range known {
		at := strings.TrimSuffix(k.Field, "ErrorCode")
		if k.Versions.Covers(d.Versions) && (strings.HasPrefix(d.Field, at) || strings.HasPrefix(k.Field, d.Field)) {
			return true
		}
	}
	return false
}
