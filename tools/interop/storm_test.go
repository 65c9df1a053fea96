package interop

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/freeport"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
	"github.com/heraclitus/heraclitus/tools/internal/run"
)

// A storm is a server in a bucket, of whose requests to the store some are delayed, throttled, refused, cut off, or lose their
// answers. Producers and consumers go on all the time, everything is archived, merged and compacted as soon as it can be, and the
// server is killed by SIGKILL, or replaced by another one while it still runs. In the end every acknowledged record is there, at
// its offset, once; all consumers have seen the same; and the bucket holds no segment that is not needed.

const (
	stormPrefix  = "storm"
	stormPadding = 600 // bytes of a record at most
	stormKeys    = 50  // of the compacted topic
	stormStarts  = 50  // tries of a start
	stormPoll    = 250 * time.Millisecond
	stormSilence = 15 * time.Second // after which what cannot be read counts as lost
	stormWait    = 2 * time.Minute  // for an answer of a certain server

	// stormConfig has everything happen at once: the journal is behind as soon as it holds two MiB, and checkpoints are due
	// every 64 KiB.
	stormConfig = `
[storage]
checkpoint_bytes = 65536
[archive]
journal_bytes_max = 4194304
[groups]
initial_rebalance_delay_ms = 0
`
)

// stormTopics are the topics of a storm: partitions by name.
var stormTopics = map[string]int32{"orders": 3, "compacted": 2}

var stormSettings = map[string]map[string]string{
	"orders":    {"segment.ms": "1"},
	"compacted": {"segment.ms": "1", "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1"},
}

// stormWork is what is to go on while a server is killed.
var stormWork = []string{"archive", "merge", "compact", "checkpoint", "trim"}

type storm struct {
	t        *testing.T
	ctx      context.Context
	bucket   *s3test.Server
	proxy    *s3test.Proxy
	sky      *sky
	now      *server  // the server that is to be asked
	spare    *server  // the other one, which does not run
	addrs    []string // of both
	accounts map[string]*account

	numbers  atomic.Int64 // of records sent
	acked    atomic.Int64
	ending   atomic.Bool
	load     sync.WaitGroup
	watchers sync.WaitGroup
	work     map[string]float64 // what servers did, by the kinds of storage operations
	tally    map[string]int     // what befell them
}

// newStorm prepares a storm. Nothing befalls requests yet.
func newStorm(t *testing.T, limit time.Duration) *storm {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	s := &storm{t: t, ctx: ctx, bucket: s3test.Start(t), sky: &sky{counts: map[s3test.Fault]int{}},
		accounts: map[string]*account{"orders": newAccount(0), "compacted": newAccount(stormKeys)}, work: map[string]float64{}, tally: map[string]int{}}
	s.proxy = s.bucket.Proxy(t)
	s.now, s.spare = s.server(s.proxy), s.server(s.proxy)
	s.addrs = []string{s.now.addr(), s.spare.addr()}
	return s
}

// server is one that finds the bucket behind a proxy, and is stopped when the test ends. It is not started.
func (s *storm) server(behind *s3test.Proxy) *server {
	env := []string{"AWS_ENDPOINT_URL=" + behind.Endpoint, "AWS_REGION=" + s3test.Region, "AWS_ACCESS_KEY_ID=" + s3test.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s3test.SecretKey}
	made := &server{s.t, run.Heraclitus{Binary: binary, Env: env, Dir: s.t.TempDir(), Storage: "s3://" + s3test.Bucket + "/" + stormPrefix, Config: stormConfig}}
	for _, port := range []*int{&made.Kafka, &made.HTTP} {
		var err error
		if *port, err = freeport.Get(); err != nil {
			s.t.Fatal(err)
		}
	}
	s.t.Cleanup(func() {
		if made.Process == nil {
			return
		}
		made.signal(syscall.SIGTERM)
		if s.t.Failed() {
			s.t.Logf("server said:\n%s", made.Output(60))
		}
	})
	return made
}

// start starts a server, as often as it takes: one that cannot reach its bucket ends, and says why.
func (s *storm) start(which *server) {
	s.t.Helper()
	var err error
	for range stormStarts {
		if err = which.Start(); err == nil || s.ctx.Err() != nil {
			break
		}
		s.tally["starts that failed"]++
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// client is a client that asks whichever server answers.
func (s *storm) client(opts ...kgo.Opt) *kgo.Client {
	s.t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.addrs...), kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
		kgo.MetadataMinAge(50 * time.Millisecond), kgo.DialTimeout(time.Second), kgo.DisableClientMetrics()}, opts...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(client.Close)
	return client
}

// begin starts the server, makes the topics and starts what goes on all the time.
func (s *storm) begin() {
	s.t.Helper()
	s.start(s.now)
	admin := kadm.NewClient(s.client())
	for topic, partitions := range stormTopics {
		settings := map[string]*string{}
		for name, value := range stormSettings[topic] {
			settings[name] = kadm.StringPtr(value)
		}
		if _, err := admin.CreateTopic(s.ctx, partitions, 1, settings, topic); err != nil {
			s.t.Fatal(err)
		}
		for range 2 {
			client := s.client(kgo.RecordRetries(1<<30), kgo.MaxBufferedRecords(200), kgo.ProducerLinger(5*time.Millisecond))
			s.load.Go(func() { s.produce(client, topic) })
		}
		client := s.client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		s.watchers.Go(func() { s.watch(client, s.accounts[topic]) })
	}
	s.proxy.On(s.sky.decide)
}

// record is the next one of a topic, of so many bytes and some more at most.
func (s *storm) record(topic string, bytesMax int) *kgo.Record {
	number := s.numbers.Add(1)
	r := &kgo.Record{Topic: topic, Value: fmt.Appendf(nil, "%d %0*d", number, rand.IntN(bytesMax), 0)}
	if keys := s.accounts[topic].keys; keys > 0 {
		r.Key = fmt.Append(nil, number%keys)
	}
	return r
}

// acknowledged takes in that a record was.
func (s *storm) acknowledged(r *kgo.Record, err error) {
	if err == nil {
		a := s.accounts[r.Topic]
		a.note(a.acked, r.Partition, r.Offset, number(r.Value))
		s.acked.Add(1)
	}
}

// produce sends records until the storm is to end, and waits until each is acknowledged.
func (s *storm) produce(client *kgo.Client, topic string) {
	for !s.ending.Load() && s.ctx.Err() == nil {
		client.Produce(s.ctx, s.record(topic, stormPadding), s.acknowledged)
	}
	if err := client.Flush(s.ctx); err != nil {
		s.t.Errorf("flush: %v", err)
	}
}

// watch consumes a topic from its start until the storm is over.
func (s *storm) watch(client *kgo.Client, a *account) {
	for !s.ending.Load() && s.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(s.ctx, stormPoll)
		fetches := client.PollFetches(ctx)
		cancel()
		fetches.EachRecord(func(r *kgo.Record) { a.note(a.watched, r.Partition, r.Offset, number(r.Value)) })
	}
}

// awaitMore waits until n more records are acknowledged.
func (s *storm) awaitMore(n int64) {
	s.t.Helper()
	goal := s.acked.Load() + n
	s.await(fmt.Sprintf("%d more records", n), func() bool { return s.acked.Load() >= goal })
}

// awaitWork waits until the server has done so much of each kind of work since it was started, as far as there is any.
func (s *storm) awaitWork(n float64, kinds ...string) {
	s.t.Helper()
	s.await(fmt.Sprintf("%v of %v", n, kinds), func() bool {
		done := s.now.work(s.ctx)
		return !slices.ContainsFunc(kinds, func(kind string) bool { return done[kind] < n })
	})
}

// await waits until something holds.
func (s *storm) await(what string, holds func() bool) {
	s.t.Helper()
	for !holds() {
		select {
		case <-s.ctx.Done():
			s.t.Fatalf("time is over before this: %s; %d records are acknowledged", what, s.acked.Load())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kill ends the server, and starts it again.
func (s *storm) kill() {
	s.tally["SIGKILL"]++
	s.account(s.now)
	s.now.signal(syscall.SIGKILL)
	s.start(s.now)
}

// takeOver starts another server in the place of one that goes on: the bucket belongs to the new one, and whoever asks the old one
// for something is refused.
func (s *storm) takeOver() {
	s.tally["taken over"]++
	s.start(s.spare)
	s.tally["acknowledged by who was replaced"] += s.witness(s.now, stormPadding)
	s.tally["acknowledged by who replaced it"] += s.witness(s.spare, stormPadding)
	s.account(s.now)
	s.now.signal(syscall.SIGKILL)
	s.now, s.spare = s.spare, s.now
}

// witness sends some records to one server, and to no other, unless some are refused. It waits for as long as that takes.
func (s *storm) witness(which *server, bytesMax int) (acked int) {
	const records, refusalsMax = 20, 3
	only := func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, which.addr())
	}
	client := franz(s.t, which, kgo.Dialer(only), kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordRetries(0), kgo.RequestRetries(0), kgo.ProduceRequestTimeout(stormWait))
	for refused := 0; acked+refused < records && refused < refusalsMax; {
		client.Produce(s.ctx, s.record("orders", bytesMax), func(r *kgo.Record, err error) {
			if err == nil {
				acked++
			} else {
				refused++
			}
			s.acknowledged(r, err)
		})
		if err := client.Flush(s.ctx); err != nil {
			s.t.Errorf("flush: %v", err)
			break
		}
	}
	client.Close()
	return acked
}

// outage has the whole store be away for a moment.
func (s *storm) outage() {
	s.tally["store away"]++
	s.proxy.Away(func() {
		s.bucket.Stop()
		s.bucket.Restart(s.t)
	})
}

// account adds up what a server did, as far as its metrics tell.
func (s *storm) account(which *server) {
	for kind, n := range which.work(s.ctx) {
		s.work[kind] += n
	}
}

// work is what a server has done since it was started, by the kinds of storage operations.
func (s *server) work(ctx context.Context) map[string]float64 {
	done := map[string]float64{}
	for kind, n := range s.gauges(ctx, `heraclitus_storage_operations_total{op="`) {
		done[strings.TrimSuffix(kind, `"}`)] = n
	}
	return done
}

// gauges returns the metrics of a server whose names begin so, by the rest of their names; none if it does not answer.
func (s *server) gauges(ctx context.Context, prefix string) map[string]float64 {
	found := map[string]float64{}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/metrics", s.HTTP), nil)
	if err != nil {
		return found
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return found
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return found
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			var name string
			var n float64
			if _, err := fmt.Sscan(rest, &name, &n); err == nil {
				found[name] = n
			} else if _, err := fmt.Sscan(rest, &n); err == nil {
				found[""] = n
			}
		}
	}
	return found
}

// still ends the storm and the load.
func (s *storm) still() {
	s.sky.clear()
	s.ending.Store(true)
	s.load.Wait()
	s.watchers.Wait()
}

// end is still, and returns what is wrong then, with the first topic of which something is, or after the server is killed once more.
func (s *storm) end() (faults []string) {
	s.t.Helper()
	s.still()
	for range 2 {
		for topic, a := range s.accounts {
			if err := s.consume(topic, a); err != nil {
				faults = append(faults, err.Error())
			}
			if faults = append(faults, a.faults()...); len(faults) > 0 {
				return faults
			}
		}
		s.kill()
	}
	return nil
}

// consume reads a topic from its start to its end, as long as more can be read.
func (s *storm) consume(topic string, a *account) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	silence := time.AfterFunc(stormSilence, cancel)
	client := franz(s.t, s.now, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	a.seen = column{}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read %s, of which %v are left: %w", topic, left, err)
		}
		silence.Reset(stormSilence)
		fetches.EachRecord(func(r *kgo.Record) {
			a.note(a.seen, r.Partition, r.Offset, number(r.Value))
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return nil
}

// tidy waits until the objects below topics/ are the segments in use, and no more.
func (s *storm) tidy() {
	s.t.Helper()
	store := s.bucket.Open(s.t, stormPrefix)
	s.await("what lies below topics/ is what is in use", func() bool {
		objects, err := store.List(s.ctx, "topics/")
		return err == nil && len(objects) == int(s.now.gauges(s.ctx, "heraclitus_segments ")[""])
	})
}

// verify has heraclitus verify look at the bucket, beside the server.
func (s *storm) verify() {
	s.t.Helper()
	look := exec.CommandContext(s.ctx, binary, "verify", "--storage-path", s.now.Storage)
	look.Env = append(os.Environ(), s.now.Env...)
	out, err := look.CombinedOutput()
	if err != nil {
		s.t.Errorf("verify: %v", err)
	}
	s.t.Logf("verify says:\n%s", out)
}

// some are the first few of faults.
func some(faults []string) string {
	return fmt.Sprintf("%d faults, for example:\n%s", len(faults), strings.Join(faults[:min(len(faults), 10)], "\n"))
}

// number is what a record of a storm begins with.
func number(value []byte) (n int64) {
	fmt.Sscan(string(value), &n)
	return n
}

// report logs what happened. In a storm of some length everything has to.
func (s *storm) report(long bool) {
	befell := s.sky.befell()
	s.t.Logf("%d records acknowledged; servers: %v; requests: %v; at least this much was done: %v", s.acked.Load(), s.tally, befell, s.work)
	for what, n := range befell {
		if long && n == 0 {
			s.t.Errorf("no request was ever this: %s", what)
		}
	}
}

// longStorm is how long a storm takes at least in which every kind of fault is bound to occur.
const longStorm = time.Minute

// TestStorm has a storm of four kills and a takeover; STORM is how long it is to last instead, as in 10m.
func TestStorm(t *testing.T) {
	lasting, err := time.ParseDuration(cmp.Or(os.Getenv("STORM"), "0s"))
	if err != nil {
		t.Fatal(err)
	}
	s := newStorm(t, lasting+lasting/2+5*time.Minute)
	s.begin()
	s.awaitWork(1, stormWork...)
	began := time.Now()
	ways := []func(){s.kill, s.takeOver, s.kill, s.outage}
	for round := 0; round < len(ways) || time.Since(began) < lasting; round++ {
		s.awaitMore(200 + rand.Int64N(5000))
		s.awaitWork(float64(rand.IntN(5)), "archive")
		ways[round%len(ways)]()
		t.Logf("after %v: %d acknowledged, %v", time.Since(began).Round(time.Second), s.acked.Load(), s.tally)
	}
	s.awaitMore(200)
	if faults := s.end(); len(faults) > 0 {
		t.Error(some(faults))
	}
	if n := s.tally["acknowledged by who was replaced"]; n > 0 {
		t.Errorf("%d records were acknowledged by servers that others had replaced", n)
	}
	s.tidy()
	s.verify()
	s.report(lasting >= longStorm)
}

// TestStormOverUnconditionalPuts shows that the check finds what is lost where the store overlooks that an object is there: then
// two servers write one journal. Nobody else sends anything meanwhile, so that which of them comes first is no matter of luck.
func TestStormOverUnconditionalPuts(t *testing.T) {
	s := newStorm(t, time.Minute)
	s.begin()
	s.awaitMore(200)
	s.still()
	store := s.bucket.Open(t, stormPrefix)
	s.proxy.On(func(r *http.Request) s3test.Fault {
		_, key, ours := strings.Cut(r.URL.Path, "/"+stormPrefix+"/journal/")
		if ours && r.Method == http.MethodPut && r.Header.Get("If-None-Match") != "" {
			if err := store.Delete(r.Context(), "journal/"+key); err != nil {
				t.Error(err)
			}
		}
		return s3test.None
	})
	s.takeOver()
	lost := func(fault string) bool { return strings.HasPrefix(fault, "record") }
	if faults := s.end(); !slices.ContainsFunc(faults, lost) {
		t.Errorf("nothing is lost, though two servers wrote the same journal: %s, %v", some(faults), s.tally)
	}
}

// TestStormBelowTheFloor has a server be held up in a write while another one takes over, writes on, and trims the journal beyond that
// write. When it comes at last, what is left of the trimmed slots refuses it. Where that is gone, the broken twin, the write is
// acknowledged, and its records are lost: so the check finds that too.
func TestStormBelowTheFloor(t *testing.T) {
	f := func(guarded bool) (acked int, faults []string) {
		s := newStorm(t, 3*time.Minute)
		behind := s.bucket.Proxy(t)
		s.now = s.server(behind)
		s.addrs = []string{s.now.addr(), s.spare.addr()}
		s.begin()
		s.awaitMore(200)
		s.still()
		late := make(chan int)
		held, release := context.WithCancel(s.ctx)
		defer release()
		behind.On(func(r *http.Request) s3test.Fault {
			select {
			case <-held.Done():
			case <-r.Context().Done():
			}
			return s3test.None
		})
		go func() { late <- s.witness(s.now, stormPadding) }()
		s.start(s.spare)
		s.trimBeyond(s.spare, !guarded)
		release()
		acked = <-late
		s.now.signal(syscall.SIGKILL)
		s.now, s.spare = s.spare, s.now
		return acked, s.end()
	}
	if acked, faults := f(true); acked > 0 || len(faults) > 0 {
		t.Errorf("%d records were acknowledged that came late; %s", acked, some(faults))
	}
	lost := func(fault string) bool { return strings.HasPrefix(fault, "record") }
	if acked, faults := f(false); acked == 0 || !slices.ContainsFunc(faults, lost) {
		t.Errorf("%d records were acknowledged that came late, and none is lost, though nothing guards what is trimmed; %s", acked, some(faults))
	}
}

// trimBeyond sends records to a server that has just taken the bucket over, until it has trimmed the journal well beyond the slots that
// the server before may think to be the next, and deletes what guards those if it is to.
func (s *storm) trimBeyond(which *server, unguarded bool) {
	s.t.Helper()
	const entries = 20        // that were sent to the server before
	const bytesMax = 16 << 10 // of a record: a checkpoint, and a trim with it, is to be due soon
	store := s.bucket.Open(s.t, stormPrefix)
	first := s.floor(store) + int64(len(s.slots(store)))
	for s.floor(store) < first+entries {
		s.witness(which, bytesMax)
	}
	for _, key := range s.slots(store) {
		if unguarded && key < fmt.Sprintf("journal/%020d", s.floor(store)) {
			if err := store.Delete(s.ctx, key); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// slots are the keys of the objects in slots of the journal, also of trimmed ones.
func (s *storm) slots(store objstore.Store) (keys []string) {
	s.t.Helper()
	objects, err := store.List(s.ctx, "journal/0")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}

// floor is the floor of the journal.
func (s *storm) floor(store objstore.Store) (floor int64) {
	s.t.Helper()
	objects, err := store.List(s.ctx, "journal/floor/")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range objects {
		n, err := strconv.ParseInt(strings.TrimPrefix(o.Key, "journal/floor/"), 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		floor = max(floor, n)
	}
	return floor
}
