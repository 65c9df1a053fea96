package dump

import (
	"fmt"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/record"
	"github.com/heraclitus/heraclitus/pkg/state"
)

// entry writes the commands of a journal entry.
func (d *dumper) entry(entry []byte) {
	for c, err := range state.Commands(entry) {
		if err != nil {
			d.line(1, "%v", err)
			return
		}
		d.command(c)
	}
}

// command writes a command, without what is secret in it: a new one has to be added here, field by field.
func (d *dumper) command(p state.Placed) {
	say := func(format string, args ...any) { d.line(1, "byte %d: %s", p.At, fmt.Sprintf(format, args...)) }
	switch c := p.Command.(type) {
	case state.Produced:
		say("produce to %s/%d at %s", c.ID, c.Partition, clock(c.CameMs))
		d.batch(c.Batch)
	case state.CreateCluster:
		say("create cluster %q", c.ClusterID)
	case state.CreateTopic:
		say("create topic %q, id %s, %d partitions,%s at %s", c.Name, c.ID, c.Partitions, settings(c.Config), clock(c.NowMs))
	case state.DeleteTopic:
		say("delete topic %s", c.ID)
	case state.AddPartitions:
		say("raise the partitions of topic %s to %d", c.ID, c.Count)
	case state.ConfigureTopic:
		say("configure topic %s:%s without %q", c.ID, settings(c.Set), c.Unset)
	case state.AllocateProducerID:
		say("allocate a producer id")
	case state.MoveLogStart:
		say("move the log start of %s/%d to %d", c.ID, c.Partition, c.Offset)
	case state.ExpireProducers:
		say("expire producers that are silent since before %s", clock(c.BeforeMs))
	case state.ReplaceSegments:
		say("replace offsets %d to %d of %s/%d, segments %016x, compacted to %d", c.From, c.To-1, c.ID, c.Partition, c.Replaces, c.CleanedTo)
		for _, g := range c.Segments {
			d.line(2, "by %s", segmentLine(g))
		}
	default:
		d.groupCommand(say, c)
	}
}

// groupCommand writes a command about groups or users.
func (d *dumper) groupCommand(say func(format string, args ...any), command any) {
	switch c := command.(type) {
	case state.StoreGroup:
		say("store group %q: %s", c.GroupID, generation(&c.Generation))
		d.members(2, c.Members)
	case state.DeleteGroup:
		say("delete group %q", c.GroupID)
	case state.CommitOffsets:
		say("commit offsets of group %q", c.GroupID)
		for _, o := range c.Offsets {
			d.line(2, "%s/%d: %s", o.Topic, o.Partition, committed(o.Offset))
		}
	case state.DeleteOffsets:
		say("delete offsets of group %q", c.GroupID)
		for _, p := range c.Partitions {
			d.line(2, "%s/%d", p.Topic, p.Partition)
		}
	case state.ExpireOffsets:
		say("expire offsets of group %q at %s: from before %s, empty since %s, but not of %q", c.GroupID, clock(c.NowMs), clock(c.BeforeMs), clock(c.SinceMs), c.Subscribed)
	case state.UpsertCredential:
		say("give user %q a credential: %s", c.User, credential(c.Credential))
	case state.DeleteCredential:
		say("take a credential of user %q away: mechanism %s", c.User, mechanism(c.Mechanism))
	case state.CreateSecret:
		say("create the secret of the cluster, which is not shown")
	default:
		say("%T", c)
	}
}

// settings writes the settings of a topic.
func settings(all []state.ConfigEntry) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, " %q=%q", s.Name, s.Value)
	}
	return b.String()
}

// batch writes a batch as its producer sent it, and its records if they are wanted.
func (d *dumper) batch(b record.Batch) {
	if b.Magic() != record.Magic || b.Size() != len(b) {
		d.line(2, "batch of magic %d and %d bytes, in %d", b.Magic(), b.Size(), len(b))
		return
	}
	checksum := "ok"
	if !b.Intact() {
		checksum = "does not match"
	}
	kinds := []string{"create time", "append time"}[min(1, b.TimestampType())]
	for _, k := range []struct {
		is   bool
		name string
	}{{b.IsTransactional(), ", transactional"}, {b.IsControl(), ", control"}} {
		if k.is {
			kinds += k.name
		}
	}
	d.line(2, "batch: %d bytes, checksum %s, %d records, last offset delta %d, %s, %s, from %s to %s, producer %d/%d, sequence %d",
		len(b), checksum, b.Count(), b.LastOffsetDelta(), b.Codec(), kinds, clock(b.BaseTimestamp()), clock(b.MaxTimestamp()), b.ProducerID(), b.ProducerEpoch(), b.BaseSequence())
	if !d.Records {
		return
	}
	for r, err := range b.Records() {
		if err != nil {
			d.line(3, "%v", err)
			return
		}
		d.record(3, &r)
		if d.failed() != nil {
			return
		}
	}
}

// record writes a record.
func (d *dumper) record(depth int, r *record.Record) {
	var headers strings.Builder
	for h := range r.Headers.All() {
		fmt.Fprintf(&headers, " %s=%s", d.quoted(h.Key), d.quoted(h.Value))
	}
	d.line(depth, "%d: %s key=%s value=%s%s", r.Offset, clock(r.Timestamp), d.quoted(r.Key), d.quoted(r.Value), headers.String())
}
