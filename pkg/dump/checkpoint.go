package dump

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/state"
)

// checkpoint writes a state.
func (d *dumper) checkpoint() error {
	b, err := d.whole()
	if err != nil {
		return err
	}
	s, err := state.Restore(b)
	if err != nil {
		return err
	}
	secret := "no secret"
	if len(s.Secret()) > 0 {
		secret = "a secret, which is not shown"
	}
	d.line(0, "checkpoint, %d bytes, checksum ok: the journal goes on at slot %d", len(b), s.Next())
	d.line(0, "cluster %q, next producer id %d, %s", s.ClusterID(), s.NextProducerID(), secret)
	for t := range s.Topics() {
		d.topic(t)
		if err := d.failed(); err != nil {
			return err
		}
	}
	for g := range s.Groups() {
		d.group(s, g)
		if err := d.failed(); err != nil {
			return err
		}
	}
	for u := range s.Users() {
		d.line(0, "user %q", u.Name)
		for _, c := range u.Credentials {
			d.line(1, "%s", credential(c))
		}
	}
	return nil
}

func (d *dumper) topic(t *state.Topic) {
	d.line(0, "topic %q, id %s, made %s%s", t.Name, t.ID, clock(t.CreatedMs), settings(t.Config))
	for n, p := range t.Partitions {
		d.line(1, "partition %d: log start %d, high watermark %d, compacted to %d, %d bytes", n, p.LogStart, p.HighWatermark, p.CleanedTo, p.Bytes)
		for g := range p.Segments(0) {
			d.line(2, "%s", segmentLine(g))
		}
		for x := range p.Extents(0) {
			d.line(2, "extent from offset %d: %d bytes at byte %d of slot %d, largest timestamp %s, came %s", x.Base, x.Bytes, x.Pos, x.Slot, clock(x.MaxTimestamp), clock(x.CameMs))
		}
		for k := range p.Producers() {
			d.line(2, "producer %d/%d: last sequence %d, last seen %s", k.ID, k.Epoch, k.LastSequence, clock(k.LastMs))
		}
	}
}

// segmentLine is what the state says of a segment.
func segmentLine(g state.Segment) string {
	cleaned := "not compacted"
	if g.CleanedMs != 0 {
		cleaned = "compacted " + clock(g.CleanedMs)
	}
	return fmt.Sprintf("segment %016x of offsets %d to %d: %d records, %d bytes, largest timestamp %s, came %s, %s",
		g.Unique, g.Base, g.End-1, g.Records, g.Bytes, clock(g.MaxTimestamp), clock(g.CameMs), cleaned)
}

func (d *dumper) group(s *state.State, g *state.Group) {
	d.line(0, "group %q: %s", g.ID, generation(&g.Generation))
	d.members(1, g.Members)
	for at, o := range g.Offsets() {
		topic := at.Topic.String()
		if t := s.Topic(at.Topic); t != nil {
			topic = t.Name
		}
		d.line(1, "%q/%d: %s", topic, at.Partition, committed(o))
	}
}

func generation(g *state.Generation) string {
	return fmt.Sprintf("generation %d since %s, type %q, protocol %q, leader %q, %d members", g.Number, clock(g.SinceMs), g.ProtocolType, g.Protocol, g.Leader, len(g.Members))
}

func (d *dumper) members(depth int, members []state.Member) {
	for _, m := range members {
		d.line(depth, "member %q, instance %q, client %q at %q, session %d ms, rebalance %d ms, subscription of %d bytes, assignment of %d",
			m.ID, m.InstanceID, m.ClientID, m.ClientHost, m.SessionTimeoutMs, m.RebalanceTimeoutMs, len(m.Subscription), len(m.Assignment))
	}
}

func committed(o state.Offset) string {
	return fmt.Sprintf("offset %d, leader epoch %d, metadata %q, committed %s, expires %s", o.Offset, o.LeaderEpoch, o.Metadata, clock(o.CommitMs), clock(o.ExpireMs))
}

// credential leaves out salt and keys.
func credential(c state.Credential) string {
	return fmt.Sprintf("%s, %d iterations", mechanism(c.Mechanism), c.Iterations)
}

func mechanism(m int8) string {
	switch m {
	case state.ScramSHA256:
		return "SCRAM-SHA-256"
	case state.ScramSHA512:
		return "SCRAM-SHA-512"
	}
	return fmt.Sprint(m)
}
