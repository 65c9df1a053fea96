// Shown here: the relay records every frame as it was sent, those that are not answered and those that are no
// requests included, keeps clients from going around it, and offers them what it is told to.

package main

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/broker/brokertest"
	"github.com/heraclitus/heraclitus/pkg/config"
	"github.com/heraclitus/heraclitus/pkg/wire"
	"github.com/heraclitus/heraclitus/tools/capture/frames"
)

// between starts a broker, a relay before it, and a connection through that.
func between(t *testing.T, limit limit, changes ...func(*config.Config)) (b *brokertest.Broker, r *relay, c net.Conn) {
	t.Helper()
	b = brokertest.Start(t, changes...)
	r, err := startRelay(b.Address(), limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.stop() })
	if c, err = net.Dial("tcp", r.addr()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return b, r, c
}

// asked asks through a connection.
func asked[R wire.Message](t *testing.T, c net.Conn, key, version int16, q wire.Message) R {
	t.Helper()
	m, err := ask(c, key, version, q)
	if err != nil {
		t.Fatal(err)
	}
	return m.(R)
}

// recordedBy stops the relay and returns what was recorded, and its names, a line each.
func recordedBy(t *testing.T, r *relay) (all []frames.Frame, names string) {
	t.Helper()
	all, err := r.stop()
	if err != nil {
		t.Fatal(err)
	}
	all = renumber(all, nil)
	for _, f := range all {
		names += strings.TrimSuffix(f.Name(), ".bin") + "\n"
	}
	return all, names
}

// What names the broker names the relay to the client; on the tape it stands as it came.
func TestClientsStay(t *testing.T) {
	b, r, c := between(t, asBroker)
	m := asked[*wire.MetadataResponse](t, c, wire.KeyMetadata, 12, &wire.MetadataRequest{Topics: []wire.MetadataRequestTopic{}})
	told := net.JoinHostPort(m.Brokers[0].Host, fmt.Sprint(m.Brokers[0].Port))
	found := asked[*wire.FindCoordinatorResponse](t, c, wire.KeyFindCoordinator, 4, &wire.FindCoordinatorRequest{CoordinatorKeys: []string{"g"}})
	toldAgain := net.JoinHostPort(found.Coordinators[0].Host, fmt.Sprint(found.Coordinators[0].Port))
	if told != r.addr() || toldAgain != r.addr() {
		t.Errorf("clients of the relay at %s are sent to %s and %s", r.addr(), told, toldAgain)
	}
	all, _ := recordedBy(t, r)
	_, body, err := all[1].Decode()
	if err != nil {
		t.Fatal(err)
	}
	original := body.(*wire.MetadataResponse).Brokers[0]
	if int(original.Port) != b.KafkaPort() {
		t.Errorf("%s:%d is recorded of the broker at %s", original.Host, original.Port, b.Address())
	}
}

// A request that is not answered is not taken for one that waits for its answer.
func TestUnansweredRequest(t *testing.T) {
	_, r, c := between(t, asBroker)
	silent := frames.Frame{Key: wire.KeyProduce, Version: 3}
	silent.Payload = silent.Encode(&wire.RequestHeader{RequestApiVersion: 3, ClientID: new(string)}, &wire.ProduceRequest{Acks: 0})
	if err := writeFrame(c, silent.Payload); err != nil {
		t.Fatal(err)
	}
	asked[*wire.ListGroupsResponse](t, c, wire.KeyListGroups, 0, &wire.ListGroupsRequest{})
	all, names := recordedBy(t, r)
	const want = "0001_c1_00_produce_v3_request\n0002_c1_16_list_groups_v0_request\n0003_c1_16_list_groups_v0_response\n"
	if names != want {
		t.Errorf("recorded:\n%swant:\n%s", names, want)
	}
	if !bytes.Equal(all[0].Payload, silent.Payload) {
		t.Errorf("recorded %x, sent %x", all[0].Payload, silent.Payload)
	}
}

// After SaslHandshake 0 come tokens without headers, and after those requests again.
func TestTokens(t *testing.T) {
	_, r, c := between(t, asBroker, func(s *config.Config) {
		s.Auth.Enabled, s.Auth.PlainUsername, s.Auth.PlainPassword = true, "somebody", "nothing"
	})
	asked[*wire.SaslHandshakeResponse](t, c, wire.KeySaslHandshake, 0, &wire.SaslHandshakeRequest{Mechanism: "PLAIN"})
	if err := writeFrame(c, []byte("\x00somebody\x00nothing")); err != nil {
		t.Fatal(err)
	}
	if token, err := readFrame(c); err != nil || len(token) > 0 {
		t.Fatalf("answered by %q, %v", token, err)
	}
	asked[*wire.ListGroupsResponse](t, c, wire.KeyListGroups, 0, &wire.ListGroupsRequest{})
	_, names := recordedBy(t, r)
	const want = `0001_c1_17_sasl_handshake_v0_request
0002_c1_17_sasl_handshake_v0_response
0003_c1_sasl_token_request
0004_c1_sasl_token_response
0005_c1_16_list_groups_v0_request
0006_c1_16_list_groups_v0_response
`
	if names != want {
		t.Errorf("recorded:\n%swant:\n%s", names, want)
	}
}

// Clients are offered no version above the limit, unless that leaves none; on the tape is what the broker offered.
func TestLimit(t *testing.T) {
	_, r, c := between(t, upTo(2))
	offered := asked[*wire.ApiVersionsResponse](t, c, wire.KeyApiVersions, 0, &wire.ApiVersionsRequest{})
	over := func(a wire.ApiVersionsResponseApiVersion) bool { return a.MaxVersion > 2 }
	if slices.ContainsFunc(offered.ApiKeys, over) || len(offered.ApiKeys) == 0 {
		t.Errorf("offered: %v", offered.ApiKeys)
	}
	all, _ := recordedBy(t, r)
	_, body, err := all[1].Decode()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(body.(*wire.ApiVersionsResponse).ApiKeys, over) {
		t.Error("the limited answer is recorded")
	}
}

// Frames of the same question are left out when they are answered as before, and only then.
func TestThin(t *testing.T) {
	var all []frames.Frame
	say := func(conn int, key int16, correlation int32, q, r wire.Message) {
		f := frames.Frame{Conn: conn, Key: key, Version: 7}
		f.Payload = f.Encode(&wire.RequestHeader{RequestApiKey: key, RequestApiVersion: 7, CorrelationID: correlation, ClientID: new(string)}, q)
		all = append(all, f)
		if r != nil {
			f.Response = true
			f.Payload = f.Encode(&wire.ResponseHeader{CorrelationID: correlation}, r)
			all = append(all, f)
		}
	}
	metadata := func(id int32, code int16) {
		say(4, wire.KeyMetadata, id, &wire.MetadataRequest{}, &wire.MetadataResponse{ControllerID: int32(code)})
	}
	fetch := func(id, epoch int32, r *wire.FetchResponse) {
		say(6, wire.KeyFetch, id, &wire.FetchRequest{SessionID: 5, SessionEpoch: epoch}, r)
	}
	metadata(1, 0)
	metadata(2, 0) // again
	metadata(3, 1)
	metadata(4, 0) // as before the last one
	fetch(1, 1, &wire.FetchResponse{})
	fetch(2, 2, &wire.FetchResponse{}) // idle again
	fetch(3, 3, &wire.FetchResponse{Responses: []wire.FetchResponseFetchableTopicResponse{{Topic: "t"}}})
	fetch(4, 4, &wire.FetchResponse{}) // likewise
	say(6, wire.KeyFetch, 5, &wire.FetchRequest{}, nil)
	join := &wire.JoinGroupRequest{}
	say(6, wire.KeyJoinGroup, 6, join, &wire.JoinGroupResponse{})
	say(6, wire.KeyJoinGroup, 7, join, &wire.JoinGroupResponse{}) // changes something
	var got []string
	for _, f := range thin(all) {
		got = append(got, fmt.Sprintf("%d: c%d %s %d", f.Number, f.Conn, wire.Name(f.Key), f.Correlation()))
	}
	want := []string{
		"1: c1 Metadata 1", "2: c1 Metadata 1", "3: c1 Metadata 3", "4: c1 Metadata 3", "5: c1 Metadata 4", "6: c1 Metadata 4",
		"7: c2 Fetch 1", "8: c2 Fetch 1", "9: c2 Fetch 3", "10: c2 Fetch 3",
		"11: c2 JoinGroup 6", "12: c2 JoinGroup 6", "13: c2 JoinGroup 7", "14: c2 JoinGroup 7",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
