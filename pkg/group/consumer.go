package group

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// consumerType is the protocol type of consumers, the only one whose members' words the server may understand.
const consumerType = "consumer"

// topicsOf is what a consumer subscribes to; nil when it is none, or its words are not understood. All versions of them
// begin as the first does, with the topics, and more is not read: some clients name a newer version than they speak.
func topicsOf(protocolType string, subscription []byte) map[string]bool {
	if protocolType != consumerType || len(subscription) < 2 {
		return nil
	}
	if version := int16(binary.BigEndian.Uint16(subscription)); version < 0 {
		return nil
	}
	var r kbin.Reader
	var s wire.ConsumerProtocolSubscription
	r.Reset(subscription[2:], 16*len(subscription)+1024)
	s.Decode(&r, 0)
	if r.Err() != nil {
		return nil
	}
	topics := map[string]bool{}
	for _, name := range s.Topics {
		topics[name] = true
	}
	return topics
}

// subscribed is what the members of the generation subscribe to; not ok when that cannot be told.
func (g *group) subscribed() (topics map[string]bool, ok bool) {
	topics = map[string]bool{}
	for _, m := range g.members {
		own := topicsOf(g.protocolType, m.metadata(g.protocol))
		if own == nil {
			return nil, false
		}
		maps.Copy(topics, own)
	}
	return topics, true
}

func sorted(names map[string]bool) []string { return slices.Sorted(maps.Keys(names)) }
