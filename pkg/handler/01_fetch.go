package handler

import (
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/session"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Fetch: key 1, versions 0 to 17.
//
//   - v0: records in magic 0, to which batches are converted.
//   - v1: throttle time (KIP-13).
//   - v2: records in magic 1 (KIP-32), up to v3.
//   - v3: a limit on the bytes of all partitions, and at least one batch whatever the limits (KIP-74).
//   - v4: records as they are kept; isolation level, last stable offset and aborted transactions (KIP-98).
//   - v5: log start offset (KIP-107).
//   - v6: clients know KAFKA_STORAGE_ERROR (KIP-112); older ones are told NOT_LEADER_OR_FOLLOWER.
//   - v7: sessions (KIP-227): see package session.
//   - v8: clients expect throttling after the response (KIP-219).
//   - v9: the leader epoch that the client believes in (KIP-320).
//   - v10: zstd (KIP-110). Batches in zstd are sent to v4 to v9 all the same, as Kafka does: some clients that old can
//     read it.
//   - v11: the client's rack, and from which replica it had better read (KIP-392). There is one.
//   - v12: flexible (KIP-482); the epoch last fetched, against which ours may diverge (KIP-595).
//   - v13: topics by id (KIP-516).
//   - v14: for brokers with tiered storage (KIP-405).
//   - v15: the replica's state, a tag instead of its id (KIP-903).
//   - v16: the leader, in the response to a client that asked the wrong node (KIP-951).
//   - v17: the follower's directory (KIP-853).
//   - Not served: v18, the follower's high watermark (KIP-1166).
//
// The request waits until min bytes are there or max wait has passed, unless there is something to say at once: an
// offset out of range, a wrong epoch. A partition that does not exist makes nobody wait or hurry, as in Kafka.
//
// Different from Kafka: whole batches only, never a truncated one at the end, and so at least one batch before v3 as
// well; a partition named twice is answered twice, unless a session remembers it; negative limits mean 0.
//
// There are no transactions yet: the last stable offset is the high watermark, and none was aborted. There are no
// followers: whoever claims to be one is told that this is not its leader.

// fetching is a fetch on its way. It is kept in its call, so that its memory is used again.
type fetching struct {
	request session.Request
	fetch   session.Fetch
	reads   []reading    // of fetch.Partitions, by number
	keys    []engine.Key // of those that were found
	bytes   int          // read
	urgent  bool         // there is something to say at once
	pins    engine.Pins
	sent    func() // releases the pins
}

// reading is one partition of a fetch.
type reading struct {
	id    kbin.UUID // of its topic
	found bool
	parts [][]byte // record batches; valid while the pins hold
}

func (f *fetching) reset() {
	clear(f.reads)
	f.reads = f.reads[:0]
}

// fetchLimits are what bounds a fetch, out of the request and the server's options.
type fetchLimits struct {
	bytesMin, bytesMax int
	wait               time.Duration
	follower           bool // the client says that it is a replica
}

func (h *Handler) limits(q *wire.FetchRequest) fetchLimits {
	l := fetchLimits{bytesMax: min(max(int(q.MaxBytes), 0), h.options.FetchBytesMax), wait: time.Duration(q.MaxWaitMs) * time.Millisecond}
	l.bytesMin = min(int(q.MinBytes), l.bytesMax)
	l.follower = max(q.ReplicaID, q.ReplicaState.ReplicaID) >= 0 // each -1 where the version has the other
	return l
}

func (h *Handler) fetch(c *Call, q *wire.FetchRequest, r *wire.FetchResponse) error {
	f := &c.fetch
	byID := c.Version >= 13 // KIP-516
	if err := h.checkCount(f.take(q, byID), "partitions"); err != nil {
		return err
	}
	c.ReleaseFrame() // what is kept of the request is owned, and the wait may be long
	if err := h.sessions.Begin(&f.fetch, &f.request); err != nil {
		r.ErrorCode = int16(kerr.Of(err))
		return nil
	}
	if f.sent == nil {
		f.sent = f.pins.Release
	}
	c.Sent = f.sent
	l := h.limits(q)
	f.find(h.engine)
	f.await(h.engine, &l, c.Conn.Done)
	if granted := c.Conn.Reserve(f.bytes); granted < f.bytes {
		l.bytesMax = granted
		f.read(h.engine, &l)
	}
	id, err := f.fetch.End()
	r.SessionID = id
	if err != nil {
		r.ErrorCode = int16(kerr.Of(err))
		return nil
	}
	f.respond(c.Version, q.IsolationLevel, &l, r)
	h.engine.Served(&f.pins)
	return nil
}

// take notes what the request asks of its session, and returns how many partitions it names.
func (f *fetching) take(q *wire.FetchRequest, byID bool) int {
	r := &f.request
	*r = session.Request{ID: q.SessionID, Epoch: q.SessionEpoch, ByID: byID, Partitions: r.Partitions[:0], Forgotten: r.Forgotten[:0]}
	for i := range q.Topics {
		t := &q.Topics[i]
		for _, p := range t.Partitions {
			r.Partitions = append(r.Partitions, session.Partition{
				Key: session.Key{ID: t.TopicID, Topic: t.Topic, Partition: p.Partition}, Offset: p.FetchOffset,
				BytesMax: max(p.PartitionMaxBytes, 0), LeaderEpoch: p.CurrentLeaderEpoch, LastFetchedEpoch: p.LastFetchedEpoch,
			})
		}
	}
	for i := range q.ForgottenTopicsData {
		t := &q.ForgottenTopicsData[i]
		for _, p := range t.Partitions {
			r.Forgotten = append(r.Forgotten, session.Key{ID: t.TopicID, Topic: t.Topic, Partition: p})
		}
	}
	return len(r.Partitions) + len(r.Forgotten)
}

// find looks up the topics of all partitions, and settles the outcome of those that do not exist.
func (f *fetching) find(e *engine.Engine) {
	ps := f.fetch.Partitions
	f.reads = append(f.reads[:0], make([]reading, len(ps))...)
	f.keys = f.keys[:0]
	var t engine.Topic
	var code kerr.Code
	for i := range ps {
		p := &ps[i]
		if i == 0 || p.ID != ps[i-1].ID || p.Topic != ps[i-1].Topic {
			t, code = lookUp(e, p, f.request.ByID)
		}
		known := code
		if code == kerr.None {
			p.Name = t.Name
			if p.Partition < 0 || p.Partition >= t.Partitions {
				known = kerr.UnknownTopicOrPartition
			}
		}
		if known != kerr.None {
			f.fetch.Outcomes[i] = failed(known)
			continue
		}
		f.reads[i] = reading{id: t.ID, found: true}
		f.keys = append(f.keys, engine.Key{ID: t.ID, Partition: p.Partition})
	}
}

// failed is the outcome of a partition that was not read.
func failed(code kerr.Code) session.Outcome {
	return session.Outcome{Code: code, HighWatermark: -1, LogStart: -1}
}

// lookUp returns the topic of a partition. One that a session knew by id, and that is gone, may have a successor of its
// name: then its client learns that the id is not the one it has now.
func lookUp(e *engine.Engine, p *session.Partition, byID bool) (engine.Topic, kerr.Code) {
	if !byID {
		t, ok := e.Topic(p.Topic)
		return t, unless(ok, kerr.UnknownTopicOrPartition)
	}
	t, ok := e.TopicByID(p.ID)
	if ok || p.Name == "" {
		return t, unless(ok, kerr.UnknownTopicID)
	}
	if _, ok := e.Topic(p.Name); ok {
		return t, kerr.InconsistentTopicID
	}
	return t, kerr.UnknownTopicOrPartition
}

// await reads until there is enough to answer with, or no time left.
func (f *fetching) await(e *engine.Engine, l *fetchLimits, done <-chan struct{}) {
	f.read(e, l)
	if f.settled(l) || l.wait <= 0 {
		return
	}
	timer := time.NewTimer(l.wait)
	defer timer.Stop()
	for over := false; !over && !f.settled(l); {
		over = f.watch(e, l, timer.C, done)
	}
}

// settled says whether the client need not wait for what was read.
func (f *fetching) settled(l *fetchLimits) bool {
	return f.urgent || f.bytes >= l.bytesMin || len(f.keys) == 0
}

// watch waits for the bytes that are missing and reads again. It returns true once the time is up.
func (f *fetching) watch(e *engine.Engine, l *fetchLimits, timer <-chan time.Time, done <-chan struct{}) (over bool) {
	missing := l.bytesMin - f.bytes
	w := e.Watch(f.keys, missing)
	defer e.Unwatch(w)
	f.read(e, l) // what came in before the watch
	if f.settled(l) || l.bytesMin-f.bytes != missing {
		return false
	}
	f.pins.Release()
	select {
	case <-w.C:
	case <-timer:
		over = true
	case <-done:
		over = true
	}
	f.read(e, l)
	return over
}

// read reads all partitions that were found, anew, within the limits.
func (f *fetching) read(e *engine.Engine, l *fetchLimits) {
	f.pins.Release()
	f.bytes, f.urgent = 0, false
	for i := range f.reads {
		if f.reads[i].found {
			f.readPartition(e, l, i)
			f.bytes += f.fetch.Outcomes[i].Bytes
		}
	}
}

func (f *fetching) readPartition(e *engine.Engine, l *fetchLimits, i int) {
	p, o, x := &f.fetch.Partitions[i], &f.fetch.Outcomes[i], &f.reads[i]
	x.parts = nil
	if code := refuseFetch(p, l.follower); code != kerr.None {
		*o, f.urgent = failed(code), true
		return
	}
	bytesMax := min(int(p.BytesMax), max(l.bytesMax-f.bytes, 0))
	log, err := e.Read(x.id, p.Partition, p.Offset, bytesMax, f.bytes == 0, &f.pins)
	diverging := err == kerr.OffsetOutOfRange && p.Offset > log.HighWatermark && p.LastFetchedEpoch == leaderEpoch // KIP-595
	if err != nil && !diverging {
		*o, f.urgent = failed(kerr.Of(err)), true
		return
	}
	f.urgent = f.urgent || diverging
	*o = session.Outcome{HighWatermark: log.HighWatermark, LogStart: log.Start, Bytes: log.Bytes, Diverging: diverging}
	x.parts = log.Parts
}

// refuseFetch says why a partition is not even tried.
func refuseFetch(p *session.Partition, follower bool) kerr.Code {
	switch {
	case follower:
		return kerr.NotLeaderOrFollower
	case p.LeaderEpoch >= 0 && checkEpoch(p.LeaderEpoch) != kerr.None:
		return checkEpoch(p.LeaderEpoch)
	case p.LastFetchedEpoch > leaderEpoch:
		return kerr.OffsetOutOfRange
	}
	return kerr.None
}

// respond writes the outcomes that the client does not know already into the response.
func (f *fetching) respond(version int16, isolation int8, l *fetchLimits, r *wire.FetchResponse) {
	var t *wire.FetchResponseFetchableTopicResponse
	left := l.bytesMax
	for i := range f.fetch.Partitions {
		p, o := &f.fetch.Partitions[i], &f.fetch.Outcomes[i]
		if o.Omit {
			continue
		}
		if t == nil || t.TopicID != p.ID || t.Topic != p.Topic {
			t = kbin.Add(&r.Responses)
			t.Topic, t.TopicID = p.Topic, p.ID
		}
		out := kbin.Add(&t.Partitions)
		out.PartitionIndex = p.Partition
		if magic, convert := magicOf(version); convert && o.Bytes > 0 {
			out.Records.Bytes, *o = f.convert(i, magic, left)
			left = max(left-len(out.Records.Bytes), 0)
		} else {
			out.Records = spliced(f.reads[i].parts)
		}
		tell(out, o, version, isolation)
	}
}

// spliced are record batches that the server sends without copying them.
func spliced(parts [][]byte) kbin.Records {
	if len(parts) == 0 {
		return kbin.Records{Bytes: []byte{}}
	}
	return kbin.Records{Parts: parts}
}

func tell(out *wire.FetchResponsePartitionData, o *session.Outcome, version int16, isolation int8) {
	out.ErrorCode = int16(knownCode(o.Code, version >= 6)) // KIP-112
	out.HighWatermark, out.LastStableOffset, out.LogStartOffset = o.HighWatermark, o.HighWatermark, o.LogStart
	if o.Diverging {
		out.DivergingEpoch.Epoch, out.DivergingEpoch.EndOffset = leaderEpoch, o.HighWatermark
	}
	if o.Code == kerr.NotLeaderOrFollower && version >= 16 { // KIP-951
		out.CurrentLeader.LeaderID, out.CurrentLeader.LeaderEpoch = nodeID, leaderEpoch
	}
	if !isUnknown(o.Code) && (isolation == 0 || o.Code != kerr.None) {
		out.AbortedTransactions = nil // which only readers of committed records want to know
	}
}

// isUnknown says whether a partition was not found: of such Kafka says that no transactions were aborted, of others nothing.
func isUnknown(code kerr.Code) bool {
	return code == kerr.UnknownTopicOrPartition || code == kerr.UnknownTopicID || code == kerr.InconsistentTopicID
}

// magicOf says which format records are in, and whether that is not the one in which they are kept.
func magicOf(version int16) (magic int8, convert bool) {
	switch {
	case version <= 1:
		return 0, true
	case version <= 3: // KIP-32
		return 1, true
	}
	return record.Magic, false // KIP-98
}

// convert returns the records read of partition i in an old format: at least one, and up to about limit bytes.
func (f *fetching) convert(i int, magic int8, limit int) ([]byte, session.Outcome) {
	converted, from := []byte{}, f.fetch.Partitions[i].Offset
	limit = min(limit, int(f.fetch.Partitions[i].BytesMax))
	for n, part := range f.reads[i].parts {
		if n > 0 && len(converted) >= limit {
			break
		}
		b := record.Batch(part)
		more, next, err := record.Downgrade(converted, b, magic, from, limit-len(converted))
		if err != nil && len(converted) == 0 {
			return converted, failed(kerr.Of(err))
		}
		if converted, from = more, next; err != nil || next <= b.LastOffset() {
			break
		}
	}
	return converted, f.fetch.Outcomes[i]
}
