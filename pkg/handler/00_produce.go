package handler

import (
	"errors"
	"fmt"
	"time"

	"github.com/heraclitus/heraclitus/pkg/engine"
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// Produce: key 0, versions 0 to 11.
//
//   - v0: message sets of magic 0; they, those of magic 1 and batches of magic 2 are taken up to v2, and become magic 2.
//   - v1: throttle time (KIP-13).
//   - v2: magic 1; the append time in the response (KIP-32).
//   - v3: one batch of magic 2 a partition, and nothing else; transactional id (KIP-98).
//   - v4: clients know KAFKA_STORAGE_ERROR (KIP-112); older ones are told NOT_LEADER_OR_FOLLOWER, which they retry.
//   - v5: log start offset in the response.
//   - v6: clients expect throttling after the response (KIP-219).
//   - v7: zstd (KIP-110).
//   - v8: which records of a batch are at fault, and why (KIP-467).
//   - v9: flexible (KIP-482).
//   - v10: the current leader, for a request that went to another node (KIP-951). There is no other node.
//   - v11: clients know TRANSACTION_ABORTABLE (KIP-890).
//   - Not served: v12, which adds partitions to transactions (KIP-890), and v13, topics by id (KIP-516).
//
// A request is answered when all its batches are durable, whatever acks is; with 0 nothing is sent, but a refused batch
// closes the connection, as in Kafka, for that is all the client can notice. Topics are not created here.
//
// Transactions are not there yet. A transactional batch without transactional id is answered with
// TRANSACTIONAL_ID_AUTHORIZATION_FAILED for the whole request, and one with an id by INVALID_PRODUCER_ID_MAPPING: both is
// what Kafka says when it never gave the id to a producer.
//
// Different from Kafka, which keeps the last of two entries for one partition and loses the first: both are appended and
// answered. Kafka never answers null records; here they are INVALID_RECORD. What else is stricter, package record says.

// produceTimeout is how long to wait for a commit when the client allows no time. Kafka does not wait for anything then,
// but it answers before records are durable.
const produceTimeout = 30 * time.Second

var (
	errInternalTopic = fmt.Errorf("clients do not write to internal topics: %w", kerr.InvalidTopicException)
	errNoRecords     = fmt.Errorf("no records: %w", kerr.InvalidRecord)
	errAcks          = fmt.Errorf("acks must be -1, 0 or 1: %w", kerr.InvalidRequiredAcks)
	errNoTransaction = fmt.Errorf("the transactional id has no such producer: %w", kerr.InvalidProducerIDMapping)
)

// producing is what a produce keeps between its two halves.
type producing struct {
	pending *engine.Pending // its commands; by number of the partition in the request
	open    bool            // outcomes may still be written into pending
}

func (p *producing) reset() {
	if p.open {
		*p = producing{}
	}
}

func (h *Handler) submitProduce(c *Call, q *wire.ProduceRequest, r *wire.ProduceResponse) error {
	c.NoResponse = q.Acks == 0
	n := 0
	for i := range q.TopicData {
		n += len(q.TopicData[i].PartitionData)
	}
	if err := h.checkCount(n, "partitions"); err != nil {
		return err
	}
	if c.produce.pending == nil {
		c.produce.pending = new(engine.Pending)
	}
	c.produce.open = true
	in := intake{engine: h.engine, pending: c.produce.pending, version: c.Version, acks: q.Acks, nowMs: time.Now().UnixMilli(), refusal: transactionless(q)}
	in.pending.Reset(n)
	for i := range q.TopicData {
		t := kbin.Add(&r.Responses)
		t.Name = q.TopicData[i].Name
		in.topic(&q.TopicData[i], t)
	}
	c.ReleaseFrame()
	return nil
}

// transactionless returns the refusal of a whole request that has transactional batches but no transactional id.
func transactionless(q *wire.ProduceRequest) error {
	if q.TransactionalID != nil {
		return nil
	}
	for i := range q.TopicData {
		for j := range q.TopicData[i].PartitionData {
			if isTransactional(q.TopicData[i].PartitionData[j].Records.Bytes) {
				return kerr.TransactionalIDAuthorizationFailed
			}
		}
	}
	return nil
}

// isTransactional looks at a record set that nobody has checked yet.
func isTransactional(set []byte) bool {
	b := record.Batch(set)
	return len(b) >= record.HeaderBytes && b.Magic() == record.Magic && b.IsTransactional()
}

// intake takes in the batches of one request.
type intake struct {
	engine  *engine.Engine
	pending *engine.Pending
	next    int // number of the next partition
	version int16
	acks    int16
	nowMs   int64
	refusal error // of every partition; nil for none
}

func (in *intake) topic(q *wire.ProduceRequestTopicProduceData, r *wire.ProduceResponseTopicProduceResponse) {
	t, found := in.engine.Topic(q.Name)
	if !found {
		t.Settings = &topic.Settings{}
	}
	rules := in.rules(t.Settings)
	for i := range q.PartitionData {
		p := kbin.Add(&r.PartitionResponses)
		p.Index, p.BaseOffset = q.PartitionData[i].Index, -1
		if err := in.partition(&t, &rules, &q.PartitionData[i]); err != nil {
			in.refuse(p, t.ID, err)
		}
		in.next++
	}
}

// rules are what a topic and the version of the request ask of a batch.
func (in *intake) rules(s *topic.Settings) record.Rules {
	r := record.Rules{
		NowMs: in.nowMs, BeforeMsMax: s.TimestampBeforeMaxMs, AfterMsMax: s.TimestampAfterMaxMs,
		BatchBytesMax: s.MaxMessageBytes, RequireKeys: s.Compact, AllowZstd: in.version >= 7, // KIP-110
	}
	if s.LogAppendTime {
		r.TimestampType = record.LogAppendTime
	}
	return r
}

// partition checks what one partition is to append and appends it.
func (in *intake) partition(t *engine.Topic, rules *record.Rules, q *wire.ProduceRequestPartitionProduceData) error {
	set := q.Records.Bytes
	single := in.version >= 3 // one batch of magic 2
	switch {
	case in.refusal != nil:
		return in.refusal
	case q.Index < 0 || q.Index >= t.Partitions:
		return kerr.UnknownTopicOrPartition
	case set == nil:
		return errNoRecords
	case in.acks < -1 || in.acks > 1:
		return errAcks
	case topic.IsInternal(t.Name):
		return errInternalTopic
	case len(set) == 0 && !single:
		in.pending.Results[in.next] = state.Result{Offset: -1, LogStart: -1, AppendMs: -1}
		return nil
	case isTransactional(set):
		return errNoTransaction
	}
	b, err := accept(set, rules, single)
	if err == nil {
		b, err = recompress(b, t.Settings, rules)
	}
	if err == nil {
		in.engine.AppendBatch(in.pending, in.next, t.ID, q.Index, b)
	}
	return err
}

func accept(set []byte, rules *record.Rules, single bool) (record.Batch, error) {
	if single {
		return record.Check(set, *rules)
	}
	return record.Upgrade(set, *rules)
}

// recompress returns the batch in the codec that the topic keeps its batches in.
func recompress(b record.Batch, s *topic.Settings, rules *record.Rules) (record.Batch, error) {
	codec, level := codecOf(s)
	if s.CompressionType == topic.Producer || b.Codec() == codec {
		return b, nil
	}
	var build record.Builder
	build.Reset(record.Options{
		LeaderEpoch: b.LeaderEpoch(), Codec: codec, Level: level, TimestampType: b.TimestampType(), AppendMs: b.MaxTimestamp(),
		Producer: &record.Producer{ID: b.ProducerID(), Epoch: b.ProducerEpoch(), Sequence: b.BaseSequence()},
	})
	for r, err := range b.Records() {
		if err == nil {
			err = build.Append(r)
		}
		if err != nil {
			return nil, err
		}
	}
	again, err := build.Build(nil)
	if err == nil && len(again) > rules.BatchBytesMax {
		return nil, fmt.Errorf("batch of %d bytes in %v, %d are allowed: %w", len(again), codec, rules.BatchBytesMax, kerr.MessageTooLarge)
	}
	return again, err
}

func codecOf(s *topic.Settings) (record.Codec, record.Level) {
	switch s.CompressionType {
	case "gzip":
		return record.Gzip, record.Level(max(s.GzipLevel, 0)) // -1 and record's 0 are the default
	case "snappy":
		return record.Snappy, 0
	case "lz4":
		return record.LZ4, record.Level(s.LZ4Level)
	case "zstd":
		return record.Zstd, record.Level(s.ZstdLevel)
	}
	return record.None, 0
}

// refuse answers a batch that was not appended.
func (in *intake) refuse(p *wire.ProduceResponsePartitionProduceResponse, id kbin.UUID, err error) {
	p.ErrorCode = int16(kerr.Of(err))
	p.ErrorMessage = message(err)
	var refusal *record.Refusal
	if !errors.As(err, &refusal) {
		return
	}
	for i := range refusal.Records {
		e := kbin.Add(&p.RecordErrors)
		e.BatchIndex, e.BatchIndexErrorMessage = refusal.Records[i].Index, &refusal.Records[i].Message
	}
	if log, err := in.engine.Offsets(id, p.Index); err == nil {
		p.LogStartOffset = log.Start
	}
}

func (h *Handler) finishProduce(c *Call, q *wire.ProduceRequest, r *wire.ProduceResponse) error {
	timeout := time.Duration(q.TimeoutMs) * time.Millisecond
	if timeout <= 0 {
		timeout = produceTimeout
	}
	if !c.produce.pending.Ready() {
		c.Conn.Flush()
	}
	results := c.produce.pending.Results
	if c.produce.open = !c.produce.pending.Wait(timeout, nil); c.produce.open {
		results = nil
	}
	failed := kerr.None
	for i := range r.Responses {
		partitions := r.Responses[i].PartitionResponses
		for j := range partitions {
			if p := &partitions[j]; p.ErrorCode == 0 {
				answer(p, results, c.Version)
			}
			if code := kerr.Code(partitions[j].ErrorCode); code != kerr.None {
				failed = code
			}
			results = results[min(1, len(results)):]
		}
	}
	if c.NoResponse && failed != kerr.None {
		return fmt.Errorf("batch with acks=0 refused: %w", failed)
	}
	return nil
}

// answer puts the first of the remaining results into the response, or says that there is none yet.
func answer(p *wire.ProduceResponsePartitionProduceResponse, results []state.Result, version int16) {
	if results == nil {
		p.ErrorCode = int16(kerr.RequestTimedOut)
		return
	}
	p.ErrorCode = int16(knownCode(results[0].Code, version >= 4)) // KIP-112
	p.BaseOffset, p.LogAppendTimeMs, p.LogStartOffset = results[0].Offset, results[0].AppendMs, results[0].LogStart
}
