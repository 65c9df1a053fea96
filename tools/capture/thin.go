package main

import (
	"encoding/binary"

	"github.com/heraclitus/heraclitus/pkg/wire"
	"github.com/heraclitus/heraclitus/tools/capture/frames"
)

// asking are the APIs that only ask, as far as a conversation is concerned.
var asking = map[int16]bool{
	wire.KeyFetch: true, wire.KeyListOffsets: true, wire.KeyMetadata: true, wire.KeyOffsetFetch: true, wire.KeyFindCoordinator: true,
	wire.KeyHeartbeat: true, wire.KeyDescribeGroups: true, wire.KeyListGroups: true, wire.KeyApiVersions: true, wire.KeyDescribeConfigs: true,
	wire.KeyOffsetForLeaderEpoch: true, wire.KeyDescribeCluster: true, wire.KeyDescribeTopicPartitions: true,
	wire.KeyGetTelemetrySubscriptions: true, wire.KeyPushTelemetry: true,
}

// thin leaves out what adds nothing to a conversation, so that without it the same requests still have the same
// answers: what was asked last time in the same bytes, by an API that changes nothing, and answered in the same;
// fetches in which nothing new is asked for and nothing comes, but for the first; and fetches that the end of the
// connection cut off. The rest is numbered anew.
func thin(all []frames.Frame) []frames.Frame {
	gone := map[int]bool{}
	last := map[string]string{} // answers by question
	for _, x := range exchanges(all) {
		q := all[x.request]
		if !asking[q.Key] {
			continue
		}
		if x.response < 0 {
			gone[x.request] = q.Key == wire.KeyFetch
			continue
		}
		question, answer := essence(q, all[x.response])
		if before, ok := last[question]; ok && before == answer {
			gone[x.request], gone[x.response] = true, true
		}
		last[question] = answer
	}
	return renumber(all, gone)
}

// exchange is a request and its answer, as places in a conversation.
type exchange struct {
	request, response int // response is -1 if there is none
}

// exchanges finds the answer to each request.
func exchanges(all []frames.Frame) []exchange {
	var found []exchange
	for i, f := range all {
		if !f.Response {
			found = append(found, exchange{i, -1})
			continue
		}
		for j := range found {
			q := all[found[j].request]
			if found[j].response < 0 && q.Conn == f.Conn && q.Key == f.Key && q.Correlation() == f.Correlation() {
				found[j].response = i
				break
			}
		}
	}
	return found
}

// essence is what tells a question apart from others, and its answer from others.
func essence(q, r frames.Frame) (question, answer string) {
	kind := string(binary.BigEndian.AppendUint32(nil, uint32(q.Key)<<16|uint32(q.Version)))
	switch {
	case q.Key == wire.KeyPushTelemetry:
		return kind, "" // what a client measures of itself is different each time
	case isIdle(q, r):
		return kind, "nothing"
	}
	const keyAndVersion, correlation = 4, 4
	return kind + string(q.Payload[keyAndVersion+correlation:]), string(r.Payload[correlation:])
}

// isIdle says whether an exchange is a fetch of a session in which nothing new is asked for and nothing comes.
func isIdle(q, r frames.Frame) bool {
	if q.Key != wire.KeyFetch {
		return false
	}
	_, ask, errQ := q.Decode()
	_, got, errR := r.Decode()
	if errQ != nil || errR != nil {
		return false
	}
	f, a := ask.(*wire.FetchRequest), got.(*wire.FetchResponse)
	return f.SessionID != 0 && f.SessionEpoch > 0 && len(f.Topics)+len(f.ForgottenTopicsData)+len(a.Responses) == 0 && a.ErrorCode == 0
}

// renumber is what is not gone, numbered from 1 on, and its connections too.
func renumber(all []frames.Frame, gone map[int]bool) []frames.Frame {
	var rest []frames.Frame
	connections := map[int]int{}
	for i, f := range all {
		if gone[i] {
			continue
		}
		if connections[f.Conn] == 0 {
			connections[f.Conn] = len(connections) + 1
		}
		f.Number, f.Conn = len(rest)+1, connections[f.Conn]
		rest = append(rest, f)
	}
	return rest
}
