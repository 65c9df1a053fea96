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

// topicsOf is what a consumer subscribes to; nil when it is none, or its words are not understood.
func topicsOf(protocolType string, subscription []byte) map[string]bool {
	if protocolType != consumerType || len(subscription) < 2 {
		return nil
	}
	version := int16(binary.BigEndian.Uint16(subscription))
	if version < 0 {
		return nil
	}
	var r kbin.Reader
	var s wire.ConsumerProtocolSubscription
	r.Reset(subscription[2:], 16*len(subscription)+1024)
	s.Decode(&r, min(version, subscriptionVersionMax))
	if r.Err() != nil {
		return nil
	}
	topics := map[string]bool{}
	for _, name := range s.Topics {
		topics[name] = true
	}
	return topics
}

// subscriptionVersionMax is the newest version of subscriptions that we know. A newer one begins as it does.
const subscriptionVersionMax = 3

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
