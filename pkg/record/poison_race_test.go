//go:build race

package record

import "testing"

// Shown here: a view that is kept beyond its loop is overwritten. (Only with -race.)

func TestKeptViewsAreOverwritten(t *testing.T) {
	b := mustBuild(t, Options{Codec: Gzip}, threeRecords()...)
	var kept []byte
	for r := range b.Records() {
		if kept == nil {
			kept = r.Value
		}
	}
	if string(kept) != "\xdb\xdb\xdb\xdb\xdb" {
		t.Errorf("kept %q", kept)
	}
}
