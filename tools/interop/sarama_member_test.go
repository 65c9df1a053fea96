package interop

import (
	"context"
	"net"

	"github.com/IBM/sarama"
)

// commitEvery is how many records of a partition a sarama member reads at most between commits.
const commitEvery = 20

// saramaMember is a consumer by sarama. It commits what it has read when there is no more, and every so often.
type saramaMember struct {
	membership
	tell  func(event)
	lines lines
	group sarama.ConsumerGroup
	stop  context.CancelFunc
	done  chan struct{}
}

func startSarama(s membership, tell func(event)) (*saramaMember, error) {
	m := &saramaMember{membership: s, tell: tell, done: make(chan struct{})}
	config := sarama.NewConfig()
	config.Version = sarama.V2_3_0_0
	config.Net.Proxy.Enable, config.Net.Proxy.Dialer = true, dialer{&m.lines}
	config.Metadata.Retry.Max = 0
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.InstanceId = s.Instance
	config.Consumer.Group.Session.Timeout = s.Session
	config.Consumer.Group.Heartbeat.Interval = heartbeatPause
	config.Consumer.Group.Rebalance.Timeout = 2 * s.Session
	group, err := sarama.NewConsumerGroup([]string{s.Addr}, s.Group, config)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m.group, m.stop = group, stop
	go m.run(ctx)
	return m, nil
}

// dialer is what sarama takes for a proxy.
type dialer struct{ *lines }

func (d dialer) Dial(network, addr string) (net.Conn, error) {
	return d.dial(context.Background(), network, addr)
}

// run takes part in one generation after the other until the member is stopped.
func (m *saramaMember) run(ctx context.Context) {
	defer close(m.done)
	for ctx.Err() == nil {
		m.group.Consume(ctx, []string{m.Topic}, generation{m}) // an error is a generation that failed
	}
}

func (m *saramaMember) leave() {
	m.stop()
	<-m.done
	m.group.Close()
}

func (m *saramaMember) crash() {
	m.lines.cutAll()
	m.leave() // which cannot be said any more
}

// generation is one session of a sarama member.
type generation struct{ *saramaMember }

func (g generation) Setup(s sarama.ConsumerGroupSession) error {
	id := s.MemberID()
	if g.Instance != "" {
		id = g.Instance
	}
	g.tell(owns(g.Group, s.GenerationID(), id, s.Claims()[g.Topic]...))
	return nil
}

func (generation) Cleanup(sarama.ConsumerGroupSession) error { return nil }

// ConsumeClaim reads one partition. Sarama does not say whether a commit was taken: what an administrator finds has to do.
func (g generation) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for r := range claim.Messages() {
		g.tell(reads(g.Group, r.Partition, r.Offset, value(r.Value)))
		s.MarkMessage(r, "")
		if claim.HighWaterMarkOffset() == r.Offset+1 || r.Offset%commitEvery == 0 {
			s.Commit()
		}
	}
	return nil
}
