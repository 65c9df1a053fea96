package record

import (
	"math"

	"github.com/heraclitus/heraclitus/pkg/kerr"
)

// Rules are what a topic and the version of a produce request ask of a record set. The zero value is of no use: apart from
// PlainBytesMax, a bound of 0 is a bound.
type Rules struct {
	TimestampType TimestampType // message.timestamp.type; with LogAppendTime the batch is stamped with NowMs
	NowMs         int64         // the server's time, milliseconds since 1970; not negative
	BeforeMsMax   int64         // message.timestamp.before.max.ms: how far behind NowMs a timestamp may lie (KIP-937); 0 and more
	AfterMsMax    int64         // message.timestamp.after.max.ms: how far ahead; 0 and more
	BatchBytesMax int           // max.message.bytes: largest batch, header included, as it is sent and as it is stored
	PlainBytesMax int           // most a batch may decompress to; at most the package's PlainBytesMax, which 0 stands for
	RequireKeys   bool          // the topic is compacted: every record needs a key
	AllowZstd     bool          // Produce 7 and later (KIP-110)
}

// Check decides whether a producer's record set of magic 2 may be appended, and returns it as the batch to append. It is
// what Kafka's ProduceRequest.validateRecords, UnifiedLog and LogValidator do together, for Produce 3 and later.
//
// The batch is set itself. Its header may have been set right: the largest timestamp is that of the records, and with
// LogAppendTime the time of the append.
//
// The codes of refusals are Kafka's:
//   - CorruptMessage: impossible length, unknown magic, wrong checksum.
//   - InvalidRecord: no batch, a truncated one, more than one, one of magic 0 or 1; a base offset that is not 0; counts and
//     deltas that contradict the records; records that cannot be parsed or decompressed; control batches; a producer
//     id without epoch or sequence, or a transaction without producer id; a record without key where keys are required.
//   - MessageTooLarge: larger than BatchBytesMax, or decompresses to more than PlainBytesMax allows.
//   - UnsupportedCompressionType: zstd when it is not allowed, or a codec that does not exist.
//   - InvalidTimestamp: a timestamp out of bounds, or one of LogAppendTime.
//
// Where single records are at fault the error is a [*Refusal].
//
// Brokers of Kafka 3.9.2 and 4.3.1, given the same bytes, differ in this: they answer UNKNOWN_SERVER_ERROR to what cannot be
// decompressed and to codecs that do not exist; they silently drop a truncated batch after the first one; and they
// take gaps in the offset deltas, LogAppendTime from a producer where the topic has CreateTime, and an idempotent
// producer without an epoch.
func Check(set []byte, rules Rules) (Batch, error) {
	b, err := single(set)
	if err != nil {
		return nil, err
	}
	if err := rules.checkHeader(b); err != nil {
		return nil, err
	}
	maxMs, err := rules.checkRecords(b)
	if err != nil {
		return nil, err
	}
	rules.stamp(b, maxMs)
	return b, nil
}

// single returns the one batch of a record set, with all bytes there are.
func single(set []byte) (Batch, error) {
	b := Batch(set)
	if len(set) <= magicAt {
		return nil, refuse(kerr.InvalidRecord, "record set of %d bytes holds no batch", len(set))
	}
	switch size, magic := int64(b.Length())+prefixBytes, b.Magic(); {
	case magic < 0 || magic > Magic:
		return nil, refuse(kerr.CorruptMessage, "magic %d", magic)
	case size < int64(prefixBytes+messageBytesMin(0)):
		return nil, refuse(kerr.CorruptMessage, "batch length %d", b.Length())
	case magic != Magic:
		return nil, refuse(kerr.InvalidRecord, "magic %d is too old for this version of produce", magic)
	case size > int64(len(set)):
		return nil, refuse(kerr.InvalidRecord, "batch of %d bytes is truncated to %d", size, len(set))
	case size < HeaderBytes:
		return nil, refuse(kerr.CorruptMessage, "batch of %d bytes", size)
	case size < int64(len(set)):
		return nil, refuse(kerr.InvalidRecord, "%d bytes behind the one batch a partition may have", int64(len(set))-size)
	}
	return b, nil
}

// checkHeader checks what a batch tells without its records.
func (r *Rules) checkHeader(b Batch) error {
	switch {
	case b.Codec() > Zstd:
		return refuse(kerr.UnsupportedCompressionType, "codec %d", b.Codec())
	case b.Codec() == Zstd && !r.AllowZstd:
		return refuse(kerr.UnsupportedCompressionType, "zstd in this version of produce")
	case b.BaseOffset() != 0:
		return refuse(kerr.InvalidRecord, "base offset %d from a producer", b.BaseOffset())
	case len(b) > r.BatchBytesMax:
		return refuse(kerr.MessageTooLarge, "batch of %d bytes, %d are allowed", len(b), r.BatchBytesMax)
	case b.CRC() != b.checksum():
		return refuse(kerr.CorruptMessage, "crc %08x, the bytes have %08x", b.CRC(), b.checksum())
	case b.Count() <= 0 || b.LastOffsetDelta() != b.Count()-1:
		return refuse(kerr.InvalidRecord, "count %d with last offset delta %d", b.Count(), b.LastOffsetDelta())
	case b.IsControl():
		return refuse(kerr.InvalidRecord, "control batch from a client")
	case b.TimestampType() == LogAppendTime:
		return refuse(kerr.InvalidTimestamp, "append time set by a producer")
	}
	return checkProducer(b)
}

func checkProducer(b Batch) error {
	idempotent := b.ProducerID() >= 0
	switch {
	case idempotent && (b.ProducerEpoch() < 0 || b.BaseSequence() < 0):
		return refuse(kerr.InvalidRecord, "producer %d with epoch %d and sequence %d",
			b.ProducerID(), b.ProducerEpoch(), b.BaseSequence())
	case !idempotent && b.IsTransactional():
		return refuse(kerr.InvalidRecord, "transaction without a producer id")
	}
	return nil
}

// checkRecords walks the records and returns the largest timestamp.
func (r *Rules) checkRecords(b Batch) (maxMs int64, err error) {
	var w *workspace
	if b.Codec() != None {
		w = checking.get()
		defer checking.put(w)
	}
	plain, err := b.plain(w, r.plainLimit(len(b)))
	if err != nil {
		return 0, err
	}
	in := r.inspect()
	if err := in.records(plain, b.Count(), b.BaseTimestamp()); err != nil {
		return 0, err
	}
	return in.maxMs, in.verdict()
}

// stamp sets the timestamps of an accepted batch right.
func (r *Rules) stamp(b Batch, maxMs int64) {
	switch {
	case r.TimestampType == LogAppendTime:
		b.StampAppendTime(r.NowMs)
	case b.MaxTimestamp() != maxMs:
		b.setMaxTimestamp(maxMs)
	}
}

// Below the bound of all batches lies one by the size of the batch, so that little to send cannot become much to do: gzip
// reaches 1:1032 and zstd far more, yet records stay below 1:256 once there are many of them.
const (
	plainBytesFree = 16 << 20
	plainRatioMax  = 256
)

// plainLimit is what a record set of so many bytes may decompress to.
func (r *Rules) plainLimit(packedBytes int) int {
	limit := min(PlainBytesMax, plainBytesFree+plainRatioMax*min(packedBytes, PlainBytesMax/plainRatioMax))
	if r.PlainBytesMax > 0 {
		limit = min(limit, r.PlainBytesMax)
	}
	return limit
}

// inspection looks at records one by one and remembers what is wrong with which.
type inspection struct {
	requireKeys   bool
	lowMs, highMs int64 // bounds of timestamps
	maxMs         int64 // largest timestamp seen
	refusal       *Refusal
}

func (r *Rules) inspect() inspection {
	in := inspection{requireKeys: r.RequireKeys, lowMs: math.MinInt64, highMs: math.MaxInt64, maxMs: NoTimestamp}
	if r.TimestampType == CreateTime {
		in.lowMs, in.highMs = r.NowMs-r.BeforeMsMax, r.NowMs+min(r.AfterMsMax, math.MaxInt64-r.NowMs)
	}
	return in
}

// records inspects count records, encoded in plain, which have to be all there is.
func (in *inspection) records(plain []byte, count int32, baseMs int64) error {
	var s span
	at := 0
	for i := range count {
		if at = s.parse(plain, at); at < 0 {
			return refuse(kerr.InvalidRecord, "record %d of %d cannot be parsed", i, count)
		}
		if s.offsetDelta != i {
			return refuse(kerr.InvalidRecord, "record %d has offset delta %d", i, s.offsetDelta)
		}
		in.record(i, s.key.bytes >= 0, baseMs+s.timestampDelta)
	}
	if at != len(plain) {
		return refuse(kerr.InvalidRecord, "%d bytes behind the last record", len(plain)-at)
	}
	return nil
}

// record inspects one record.
func (in *inspection) record(i int32, hasKey bool, ms int64) {
	in.maxMs = max(in.maxMs, ms)
	if in.requireKeys && !hasKey {
		in.refuse().addKeyless(i)
	} else if (ms < in.lowMs || ms > in.highMs) && ms != NoTimestamp {
		in.refuse().addTimestamp(i, ms, in.lowMs, in.highMs)
	}
}

func (in *inspection) refuse() *Refusal {
	if in.refusal == nil {
		in.refusal = new(Refusal)
	}
	return in.refusal
}

func (in *inspection) verdict() error {
	if in.refusal == nil {
		return nil
	}
	return in.refusal
}
