// Shown here: a conversation that is written is read as it was, and nothing else that lies in its folder is taken for
// a frame.

package frames

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

var sample = Conversation{Client: "some-client", Scenario: "gzip", Frames: []Frame{
	{Number: 1, Conn: 1, Key: wire.KeyApiVersions, Version: 4, Payload: []byte("a")},
	{Number: 2, Conn: 1, Key: wire.KeyApiVersions, Version: 0, Response: true, Payload: []byte("b")},
	{Number: 3, Conn: 2, Key: Token, Payload: []byte("c")},
	{Number: 4, Conn: 2, Key: Token, Response: true, Payload: []byte{}},
	{Number: 12345, Conn: 17, Key: wire.KeyDescribeTopicPartitions, Version: 0, Payload: []byte("d")},
}}

func TestConversationLasts(t *testing.T) {
	root := t.TempDir()
	old := sample
	old.Frames = append([]Frame{{Number: 7, Conn: 9, Key: wire.KeyFetch, Version: 17, Payload: []byte("gone")}}, sample.Frames[:1]...)
	for _, c := range []Conversation{old, sample} {
		if err := c.Write(root); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "differences.md"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	all, err := ReadAll(root)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(all, []Conversation{sample}) {
		t.Errorf("got %v", all)
	}
}

func TestNames(t *testing.T) {
	for i, want := range []string{
		"0001_c1_18_api_versions_v4_request.bin", "0002_c1_18_api_versions_v0_response.bin", "0003_c2_sasl_token_request.bin",
		"0004_c2_sasl_token_response.bin", "12345_c17_75_describe_topic_partitions_v0_request.bin",
	} {
		if got := sample.Frames[i].Name(); got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
	for _, name := range []string{
		"", "notes.txt", "0001_c1_18_api_versions_v4_request", "1_c1_18_api_versions_v4_request.bin", "0001_c1_18_metadata_v4_request.bin",
		"0001_c1_99_nothing_v0_request.bin", "0001_c1_18_api_versions_v4_answer.bin", "0001_c1_18_api_versions_v99999_request.bin",
		"0001_c99999999999999999999_18_api_versions_v4_request.bin",
	} {
		if f, err := parseName(name); err == nil {
			t.Errorf("%q is taken for %+v", name, f)
		}
	}
}

// An answer to a request that is too new for a broker is encoded in version 0.
func TestRefusedVersion(t *testing.T) {
	to := Frame{Key: wire.KeyApiVersions, Version: 5}
	if f := NewResponse(to, []byte{0, 0, 0, 1, 0, 35, 0, 0, 0, 0}); f.Version != 0 {
		t.Errorf("refused, in version %d", f.Version)
	}
	if f := NewResponse(to, []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0}); f.Version != 5 {
		t.Errorf("answered, in version %d", f.Version)
	}
}

func TestDamagedFrames(t *testing.T) {
	whole := Frame{Key: wire.KeyHeartbeat, Version: 0, Response: true}
	whole.Payload = whole.Encode(&wire.ResponseHeader{CorrelationID: 7}, &wire.HeartbeatResponse{ErrorCode: 27})
	if _, _, err := whole.Decode(); err != nil || whole.Correlation() != 7 {
		t.Fatalf("correlation id %d, %v", whole.Correlation(), err)
	}
	short, long := whole, whole
	short.Payload = whole.Payload[:len(whole.Payload)-1]
	long.Payload = append(whole.Payload[:len(whole.Payload):len(whole.Payload)], 0)
	for _, f := range []Frame{short, long} {
		if _, _, err := f.Decode(); err == nil {
			t.Errorf("%d bytes decode", len(f.Payload))
		}
	}
	if _, err := NewRequest([]byte{0, 18, 0}); err == nil {
		t.Error("three bytes are a request")
	}
	if _, err := NewRequest([]byte{1, 244, 0, 0, 0, 0, 0, 1}); err == nil {
		t.Error("API 500 is known")
	}
}
