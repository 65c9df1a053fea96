package replay

import (
	"github.com/heraclitus/heraclitus/pkg/wire"
	"github.com/heraclitus/heraclitus/tools/interop/differ"
)

// enter writes down the answers, then and now.
func (p *player) enter(title string, kafka, ours *differ.Book) {
	names := p.names.memberNames(p.all)
	for _, x := range p.all {
		nameMembers(x.recorded, names)
		nameMembers(x.live, names)
	}
	then := witness(p.all, func(x *exchange) wire.Message { return x.recorded })
	now := witness(p.all, func(x *exchange) wire.Message { return x.live })
	theirs, mine := map[int16][]differ.Answer{}, map[int16][]differ.Answer{}
	for _, x := range p.all {
		v, step := x.request.Version, x.name()
		switch {
		case x.live != nil && x.recorded != nil:
			theirs[v] = append(theirs[v], differ.Answer{Step: step, Fields: then.Write(x.recorded, x.response.Version)})
			mine[v] = append(mine[v], differ.Answer{Step: step, Fields: now.Write(x.live, x.version)})
		case x.outcome != "" && x.response.Number > 0:
			theirs[v] = append(theirs[v], differ.Answer{Step: step}) // that there was an answer says it all
			mine[v] = append(mine[v], differ.Answer{Step: step, Fields: differ.NoAnswer(x.outcome)})
		}
	}
	for v, answers := range theirs {
		kafka.Put(title, v, "Kafka", answers)
	}
	for v, answers := range mine {
		ours.Put(title, v, "Heraclitus", answers)
	}
}

// witness is one for the server that gave those answers, which say what it is called.
func witness(all []*exchange, answer func(*exchange) wire.Message) *differ.Witness {
	for _, x := range all {
		if m, ok := answer(x).(*wire.MetadataResponse); ok && len(m.Brokers) > 0 {
			return differ.NewWitness(m.Brokers[0].Host, m.Brokers[0].Port, m.Brokers[0].NodeID)
		}
	}
	return differ.NewWitness("", 0, 0)
}
