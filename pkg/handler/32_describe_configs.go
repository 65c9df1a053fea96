package handler

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/state"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DescribeConfigs: key 32, versions 0 to 4.
//
//   - v0: the settings of topics and of the broker, all or those named (KIP-133).
//   - v1: where each comes from instead of whether it is a default; synonyms, the settings that this one overrides (KIP-226).
//   - v2: clients expect throttling after the response (KIP-219).
//   - v3: the type of each and a sentence on it (KIP-569).
//   - v4: flexible (KIP-482).
//
// A topic has every setting Kafka 4 gives one, sorted by name. Unknown names are left out of the answer; no names, like
// null, means all of them. As in Kafka a broker is asked for by its id, and by the empty name for what is set on all
// brokers, which is nothing here.
//
// Different from Kafka: what is named twice is answered once, and the broker is 1, not 01: else one request could ask for
// its settings any number of times. Of the broker's settings those are there which this server has too, under Kafka's
// names: what topics become by themselves, where clients are sent, limits and timeouts. They stand in the server's
// configuration file and are read-only. Loggers, groups and client metrics have no settings here.

// Types of what has settings; Kafka's ConfigResource.Type.
const (
	resourceTopic  int8 = 2
	resourceBroker int8 = 4
)

// resource is something that has settings.
type resource struct {
	kind int8
	name string
}

func (h *Handler) describeConfigs(c *Call, q *wire.DescribeConfigsRequest, r *wire.DescribeConfigsResponse) error {
	if err := h.checkCount(len(q.Resources), "resources"); err != nil {
		return err
	}
	answered := map[resource]bool{}
	for i := range q.Resources {
		in := &q.Resources[i]
		what := resource{in.ResourceType, in.ResourceName}
		if answered[what] {
			continue
		}
		answered[what] = true
		out := kbin.Add(&r.Results)
		out.ResourceType, out.ResourceName, out.ErrorMessage = in.ResourceType, in.ResourceName, new("")
		settings, err := h.settings(c, in)
		if err != nil {
			out.ErrorCode, out.ErrorMessage = int16(kerr.Of(err)), cmp.Or(message(err), out.ErrorMessage)
			continue
		}
		for j := range settings {
			if s := &settings[j]; len(in.ConfigurationKeys) == 0 || slices.Contains(in.ConfigurationKeys, s.name) {
				s.tell(q, kbin.Add(&out.Configs))
			}
		}
	}
	return nil
}

// setting is one setting of a topic or of the broker.
type setting struct {
	name, value, doc string
	kind             topic.Kind
	source           int8
	readOnly         bool
	goesOver         []synonym // the value itself, then what would hold without it
}

type synonym = wire.DescribeConfigsResponseDescribeConfigsSynonym

// tell writes a setting into the response, with as much of it as was asked for.
func (s *setting) tell(q *wire.DescribeConfigsRequest, out *wire.DescribeConfigsResponseDescribeConfigsResourceResult) {
	out.Name, out.Value, out.ConfigSource, out.ConfigType = s.name, &s.value, s.source, int8(s.kind)
	out.ReadOnly, out.IsDefault = s.readOnly, s.source == sourceDefault
	if q.IncludeSynonyms {
		out.Synonyms = append(out.Synonyms, s.goesOver...)
	}
	out.Documentation = nil // though the spec's default is empty: what was not asked for is null
	if q.IncludeDocumentation {
		out.Documentation = &s.doc
	}
}

// settings are those of a topic or of the broker.
func (h *Handler) settings(c *Call, in *wire.DescribeConfigsRequestDescribeConfigsResource) ([]setting, error) {
	switch in.ResourceType {
	case resourceTopic:
		return h.topicSettings(in.ResourceName)
	case resourceBroker:
		return h.brokerSettings(c, in.ResourceName)
	}
	return nil, fmt.Errorf("nothing of type %d has settings here: %w", in.ResourceType, kerr.InvalidRequest)
}

func (h *Handler) topicSettings(name string) ([]setting, error) {
	if err := topic.CheckName(name); err != nil {
		return nil, err
	}
	t, ok := h.engine.Topic(name)
	if !ok {
		return nil, kerr.UnknownTopicOrPartition
	}
	var all []setting
	server, kafka := h.engine.Defaults(), topic.Defaults()
	for d := range topic.All() {
		s := over(d.BrokerName(), d.Kind, d.Doc, d.Value(&server), d.Value(&kafka))
		s.name = d.Name
		if set, ok := setOn(t.Config, d.Name); ok {
			s.value, s.source = d.Shown(set), sourceTopic
			s.goesOver = slices.Insert(s.goesOver, 0, synonym{Name: d.Name, Value: new(s.value), Source: sourceTopic})
		}
		all = append(all, s)
	}
	return all, nil
}

// over is a setting to which the server's configuration may have given another value than Kafka's; that is empty where
// Kafka has none. The name is the broker's: without one, the setting overrides nothing.
func over(name string, kind topic.Kind, doc, value, kafka string) setting {
	s := setting{name: name, value: value, doc: doc, kind: kind, source: sourceDefault}
	if value != kafka {
		s.source = sourceServer
	}
	if name != "" && value != kafka {
		s.goesOver = append(s.goesOver, synonym{Name: name, Value: &value, Source: sourceServer})
	}
	if name != "" && kafka != "" {
		s.goesOver = append(s.goesOver, synonym{Name: name, Value: &kafka, Source: sourceDefault})
	}
	return s
}

// setOn returns what was set on a topic under a name.
func setOn(config []state.ConfigEntry, name string) (value string, ok bool) {
	i, ok := slices.BinarySearchFunc(config, name, func(c state.ConfigEntry, name string) int { return cmp.Compare(c.Name, name) })
	if !ok {
		return "", false
	}
	return config[i].Value, true
}

func (h *Handler) brokerSettings(c *Call, id string) ([]setting, error) {
	if id == "" {
		return nil, nil
	}
	node := fmt.Sprint(nodeID)
	if _, err := strconv.Atoi(id); err != nil {
		return nil, fmt.Errorf("broker id must be an integer, but it is: %s: %w", id, kerr.InvalidRequest)
	}
	if id != node {
		return nil, fmt.Errorf("unexpected broker id, expected %d or empty string, but received %s: %w", nodeID, id, kerr.InvalidRequest)
	}
	here := c.Conn.Listener + "://" + net.JoinHostPort(c.Conn.AdvertisedHost, fmt.Sprint(c.Conn.AdvertisedPort))
	all := []setting{
		over("advertised.listeners", topic.List, "Where the clients of this listener are told to connect.", here, ""),
		over("auto.create.topics.enable", topic.Boolean, "Whether a topic that a client asks for is created.", fmt.Sprint(h.options.AutoCreateTopics), "true"),
		over("broker.id", topic.Int, "The id of this broker.", node, "-1"),
		over("default.replication.factor", topic.Int, "There is one broker, and one copy of each partition.", "1", "1"),
		over("delete.topic.enable", topic.Boolean, "Topics can be deleted.", "true", "true"),
		over("node.id", topic.Int, "The id of this broker.", node, ""),
		over("num.partitions", topic.Int, "How many partitions a topic has that is created without a count.", fmt.Sprint(h.options.NumPartitions), "1"),
	}
	for _, b := range h.options.Broker {
		all = append(all, over(b.Name, b.Kind, b.Doc, fmt.Sprint(b.Value), fmt.Sprint(b.Kafka)))
	}
	server, kafka := h.engine.Defaults(), topic.Defaults()
	for d := range topic.All() {
		if name := d.BrokerName(); name != "" {
			all = append(all, over(name, d.Kind, d.Doc, d.Value(&server), d.Value(&kafka)))
		}
	}
	for i := range all {
		all[i].readOnly = true
	}
	slices.SortFunc(all, func(a, b setting) int { return cmp.Compare(a.name, b.name) })
	return all, nil
}
