// Shown here: what real clients send and what a real Kafka broker answers, as recorded in testdata/frames, decodes to
// its last byte, and encodes to the same bytes again. The frames that do not are listed, with the reason; the list
// has to be exact.

package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/tools/capture/frames"
)

const recordings = "../../testdata/frames"

// framesMin is how many frames there are at least: fewer mean that they were not found.
const framesMin = 9000

// leftOver are the frames that are longer than what they say.
var leftOver = []struct {
	client string
	frame  string // what the frame's name ends in; some of those are so
	bytes  int
	why    string
}{
	{"librdkafka", "_03_metadata_v13_request.bin", 3,
		"of a list of topics that is null it writes the length as four bytes instead of one, so that the fields behind it move; Kafka does not mind"},
}

func TestRecordedFrames(t *testing.T) {
	all := recorded(t)
	n, excused := 0, make([]int, len(leftOver))
	for _, c := range all {
		for _, f := range c.Frames {
			if f.Key == frames.Token {
				continue
			}
			n++
			if i := excuse(c, f); i >= 0 {
				excused[i]++
			} else if err := sameAgain(f); err != nil {
				t.Errorf("%s: %v", c, err)
			}
		}
	}
	if n < framesMin {
		t.Errorf("there are only %d frames, not %d", n, framesMin)
	}
	for i, e := range leftOver {
		if excused[i] == 0 {
			t.Errorf("no frame %s of %s has %d bytes left over", e.frame, e.client, e.bytes)
		}
	}
	t.Logf("%d frames of %d conversations", n, len(all))
}

// testdata/frames/covered.md says which clients speak which versions in the recordings, and lies beside them so that
// one can look.
func TestCovered(t *testing.T) {
	text, err := os.ReadFile(recordings + "/covered.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(text), frames.Covered(recorded(t))) {
		t.Errorf("%s/covered.md does not say what is recorded; tools/capture writes it", recordings)
	}
}

func recorded(t *testing.T) []frames.Conversation {
	t.Helper()
	all, err := frames.ReadAll(recordings)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameAgain decodes a frame and wants to get the same bytes when it is encoded.
func sameAgain(f frames.Frame) error {
	header, body, err := f.Decode()
	if err != nil {
		return err
	}
	if again := f.Encode(header, body); !bytes.Equal(again, f.Payload) {
		return fmt.Errorf("%s is written anew as\n%x, but was\n%x", f.Name(), again, f.Payload)
	}
	return nil
}

// excuse is the row of leftOver that a frame's left over bytes are listed in, -1 if there is none. What is before
// them has to be the same again.
func excuse(c frames.Conversation, f frames.Frame) int {
	header, body, err := f.Decode()
	over, ok := errors.AsType[frames.LeftOverError](err)
	if !ok || !bytes.HasPrefix(f.Payload, f.Encode(header, body)) {
		return -1
	}
	for i, e := range leftOver {
		if e.client == c.Client && strings.HasSuffix(f.Name(), e.frame) && over.Bytes == e.bytes {
			return i
		}
	}
	return -1
}
