package differ

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heraclitus/heraclitus/pkg/wire"
)

// talksMax is how many conversations are held with a server at a time. They mostly wait.
const talksMax = 4

// Target is a server that scripts are held with.
type Target struct {
	Name string // what reports call it: "4.3.1" is a release of Apache Kafka
	SASL string // where it asks clients who they are; empty if nowhere, and then nobody is asked

	addr     string
	host     string
	port     int32
	versions map[int16]Span // what it says it serves
	node     int32          // its id
	base     int64          // a time two hours ago that scripts count from, in milliseconds
	talks    atomic.Int32   // conversations begun
	visits   atomic.Int32   // connections to SASL
	groups   sync.Once      // done when the server coordinates groups
}

// Open asks a server what it is.
func Open(name, addr string) (*Target, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		return nil, err
	}
	t := &Target{Name: name, addr: addr, host: host, port: int32(n)}
	t.base = time.Now().Add(-2 * time.Hour).Truncate(time.Second).UnixMilli()
	if err := t.introduce(); err != nil {
		return nil, fmt.Errorf("ask %s what it is: %w", name, err)
	}
	return t, nil
}

// introduce learns the versions that the server says it serves, and its node id.
func (t *Target) introduce() error {
	c := t.converse(0)
	defer c.end()
	t.versions = map[int16]Span{}
	for _, a := range call[*wire.ApiVersionsResponse](c, 0, &wire.ApiVersionsRequest{}).ApiKeys {
		t.versions[a.ApiKey] = Span{a.MinVersion, a.MaxVersion}
	}
	t.mendProduce()
	cluster := call[*wire.MetadataResponse](c, 1, &wire.MetadataRequest{Topics: []wire.MetadataRequestTopic{}})
	if c.err != nil {
		return c.err
	}
	if len(cluster.Brokers) != 1 {
		return fmt.Errorf("%d brokers instead of one", len(cluster.Brokers))
	}
	t.node = cluster.Brokers[0].NodeID
	return nil
}

// mendProduce takes back what Kafka 4 only pretends, for the sake of librdkafka: that it serves Produce 0 to 2
// (KAFKA-18659). It dropped Fetch 0 to 3 at the same time, and says so.
func (t *Target) mendProduce() {
	p := t.versions[wire.KeyProduce]
	if t.versions[wire.KeyFetch].Min >= 4 {
		p.Min = max(p.Min, 3)
	}
	t.versions[wire.KeyProduce] = p
}

// serves says whether s can be held in version v.
func (t *Target) serves(s Script, v int16) bool {
	if s.SASL && t.SASL == "" {
		return false
	}
	for _, n := range append([]Need{{s.Key, v}}, s.Needs...) {
		if served, ok := t.versions[n.Key]; !ok || !served.Has(n.Version) {
			return false
		}
	}
	return true
}

// Hold holds the scripts, each in all of its versions that the target says it serves, and returns what was answered.
func (t *Target) Hold(scripts []Script) (*Book, error) {
	var (
		book  = NewBook()
		mu    sync.Mutex
		fault error
		slots = make(chan struct{}, talksMax)
		done  sync.WaitGroup
	)
	for _, s := range scripts {
		for v := s.Versions().Min; v <= s.Versions().Max; v++ {
			if !t.serves(s, v) {
				continue
			}
			slots <- struct{}{}
			done.Go(func() {
				defer func() { <-slots }()
				answers, err := t.hold(s, v)
				mu.Lock()
				defer mu.Unlock()
				book.Put(s.Title(), v, t.Name, answers)
				if err != nil && fault == nil {
					fault = fmt.Errorf("%s, version %d, with %s: %w", s.Title(), v, t.Name, err)
				}
			})
		}
	}
	done.Wait()
	return book, fault
}

// hold holds one script in one version.
func (t *Target) hold(s Script, v int16) ([]Answer, error) {
	c := t.converse(v)
	defer c.end()
	s.Hold(c)
	c.clean()
	return c.answers, c.err
}
