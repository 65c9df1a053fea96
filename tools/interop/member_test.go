package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// membership is what a consumer in a group of the churn is to be.
type membership struct {
	Addr, Topic, Group string
	Instance           string // of a static member, else empty
	Cooperative        bool
	Session            time.Duration
}

// consumer is a member under way, of whatever client and in whatever process.
type consumer interface {
	leave() // as the client does when it is closed in good order
	crash() // without a word
}

// lines are the connections of a client, to be cut all at once.
type lines struct {
	mu   sync.Mutex
	cut  bool
	open []net.Conn
}

var errCut = errors.New("the lines are cut")

// dial connects, until the lines are cut. It waits for a server that is not there at the moment: franz-go takes
// connections that are refused a few times for the end of its generation, and joins anew, where Kafka's own client
// goes on asking.
func (l *lines) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	for errors.Is(err, syscall.ECONNREFUSED) && ctx.Err() == nil && !l.isCut() {
		time.Sleep(dialPause)
		c, err = d.DialContext(ctx, network, addr)
	}
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		c.Close()
		return nil, errCut
	}
	l.open = append(l.open, c)
	return c, nil
}

func (l *lines) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

func (l *lines) cutAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for _, c := range l.open {
		c.Close()
	}
}

// franzMember is a consumer by franz-go. It commits what it has read before it lets a rebalance take it away.
type franzMember struct {
	membership
	tell   func(event)
	lines  lines
	client *kgo.Client
	owned  map[int32]bool // used by callbacks, of which there is one at a time
	stop   context.CancelFunc
	done   chan struct{}
}

const (
	pollTimeout    = 250 * time.Millisecond
	heartbeatPause = 250 * time.Millisecond
	dialPause      = 10 * time.Millisecond
)

func startFranz(s membership, tell func(event)) (*franzMember, error) {
	m := &franzMember{membership: s, tell: tell, owned: map[int32]bool{}, done: make(chan struct{})}
	balancer := kgo.RangeBalancer()
	if s.Cooperative {
		balancer = kgo.CooperativeStickyBalancer()
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(s.Addr), kgo.Dialer(m.lines.dial), kgo.ConsumerGroup(s.Group), kgo.ConsumeTopics(s.Topic),
		kgo.Balancers(balancer), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(s.Session), kgo.RebalanceTimeout(2 * s.Session), kgo.HeartbeatInterval(heartbeatPause),
		kgo.OnPartitionsAssigned(m.assigned), kgo.OnPartitionsRevoked(m.revoked), kgo.OnPartitionsLost(m.revoked),
	}
	if s.Instance != "" {
		opts = append(opts, kgo.InstanceID(s.Instance))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m.client, m.stop = client, stop
	go m.run(ctx)
	return m, nil
}

// run reads and commits until the member is stopped.
func (m *franzMember) run(ctx context.Context) {
	defer close(m.done)
	for ctx.Err() == nil {
		poll, cancel := context.WithTimeout(ctx, pollTimeout)
		fetches := m.client.PollFetches(poll)
		cancel()
		fetches.EachRecord(func(r *kgo.Record) { m.tell(reads(m.Group, r.Partition, r.Offset, value(r.Value))) })
		if head := m.client.UncommittedOffsets(); len(head) > 0 {
			m.client.CommitOffsetsSync(ctx, head, m.committed)
		}
		m.client.AllowRebalance()
	}
}

// committed tells which offsets of a commit were taken.
func (m *franzMember) committed(_ *kgo.Client, q *kmsg.OffsetCommitRequest, r *kmsg.OffsetCommitResponse, err error) {
	if err != nil {
		return
	}
	refused := map[int32]bool{}
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			refused[p.Partition] = p.ErrorCode != 0
		}
	}
	for _, t := range q.Topics {
		for _, p := range t.Partitions {
			if !refused[p.Partition] {
				m.tell(commits(m.Group, p.Partition, p.Offset))
			}
		}
	}
}

func (m *franzMember) assigned(_ context.Context, client *kgo.Client, added map[string][]int32) {
	for _, p := range added[m.Topic] {
		m.owned[p] = true
	}
	id, generation := client.GroupMetadata()
	if m.Instance != "" {
		id = m.Instance
	}
	m.tell(owns(m.Group, generation, id, slices.Sorted(maps.Keys(m.owned))...))
}

func (m *franzMember) revoked(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	for _, p := range lost[m.Topic] {
		delete(m.owned, p)
	}
}

func (m *franzMember) leave() {
	m.stop()
	<-m.done
	m.client.CloseAllowingRebalance()
}

func (m *franzMember) crash() {
	m.lines.cutAll()
	m.stop()
	<-m.done
	over, cancel := context.WithCancel(context.Background())
	cancel()
	m.client.AllowRebalance()
	m.client.LeaveGroupContext(over) // which cannot be said any more
	m.client.Close()
}

// value is the number that a record of the churn consists of.
func value(b []byte) int64 {
	var n int64
	fmt.Sscan(string(b), &n)
	return n
}

// childVariable has the test's binary be one member of a group: what it is to be, as JSON.
const childVariable = "HERACLITUS_CHURN_MEMBER"

// beChild is a member in a process of its own, which tells its events on its output, and leaves when its input ends.
func beChild(settings string) int {
	var s membership
	if err := json.Unmarshal([]byte(settings), &s); err != nil {
		fmt.Fprintln(os.Stderr, "read what to be:", err)
		return 1
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout) // unbuffered: what a member has read is told before it commits
	m, err := startFranz(s, func(e event) {
		mu.Lock()
		defer mu.Unlock()
		out.Encode(e)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	io.Copy(io.Discard, os.Stdin)
	m.leave()
	return 0
}

// child is a member in a process of its own.
type child struct {
	cmd   *exec.Cmd
	input io.Closer
	heard chan struct{} // closed once all that it said is told
}

func startChild(s membership, tell func(event)) (*child, error) {
	settings, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self), heard: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), childVariable+"="+string(settings))
	c.cmd.Stderr = os.Stderr
	if c.input, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go c.hear(output, tell)
	return c, nil
}

// hear passes on what a child tells. A line that its end cut off is not counted as told.
func (c *child) hear(output io.Reader, tell func(event)) {
	defer close(c.heard)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			tell(e)
		}
	}
}

func (c *child) leave() { c.end(c.input.Close) }
func (c *child) crash() { c.end(c.cmd.Process.Kill) }

func (c *child) end(how func() error) {
	how()
	<-c.heard
	c.cmd.Wait()
}

// TestHearsWhatIsCutOff shows that what a killed member said counts up to its last whole line.
func TestHearsWhatIsCutOff(t *testing.T) {
	var told []event
	c := &child{heard: make(chan struct{})}
	c.hear(strings.NewReader("{\"Kind\":\"read\",\"Group\":\"g\",\"Offset\":7,\"Value\":3}\n{\"Kind\":\"read\",\"Gro"), func(e event) { told = append(told, e) })
	if len(told) != 1 || told[0].Offset != 7 || told[0].Value != 3 {
		t.Errorf("heard %v", told)
	}
}
