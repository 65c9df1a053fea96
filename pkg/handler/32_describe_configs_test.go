package handler

import (
	"fmt"
	"strings"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/topic"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// asked is a resource in a request.
func asked(kind int8, name string, keys ...string) wire.DescribeConfigsRequestDescribeConfigsResource {
	return wire.DescribeConfigsRequestDescribeConfigsResource{ResourceType: kind, ResourceName: name, ConfigurationKeys: keys}
}

// describe asks for settings and writes the answer down: kind:name code, and each setting as name=value@source.
func (w *world) describe(version int16, resources ...wire.DescribeConfigsRequestDescribeConfigsResource) []string {
	w.Helper()
	r := ask[wire.DescribeConfigsResponse](w, wire.KeyDescribeConfigs, version, &wire.DescribeConfigsRequest{Resources: resources})
	var all []string
	for _, x := range r.Results {
		line := fmt.Sprintf("%d:%s %v", x.ResourceType, x.ResourceName, kerr.Code(x.ErrorCode))
		for _, c := range x.Configs {
			line += fmt.Sprintf(" %s=%s@%d", c.Name, text(c.Value), c.ConfigSource)
		}
		all = append(all, line)
	}
	return all
}

// TestDescribeConfigsEveryVersion shows what each version tells of a setting that was set on its topic and of one that
// was not.
func TestDescribeConfigsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	w.create("mine", 1, "retention.ms", "5")
	eachVersion(wire.KeyDescribeConfigs, 0, func(v int16) {
		q := &wire.DescribeConfigsRequest{Resources: []wire.DescribeConfigsRequestDescribeConfigsResource{asked(2, "mine", "segment.ms", "retention.ms", "nonsense")}}
		q.IncludeSynonyms, q.IncludeDocumentation = v >= 1, v >= 3
		r := ask[wire.DescribeConfigsResponse](w, wire.KeyDescribeConfigs, v, q)
		if len(r.Results) != 1 || r.Results[0].ErrorCode != 0 || len(r.Results[0].Configs) != 2 {
			t.Fatalf("v%d: %+v", v, r)
		}
		set, other := r.Results[0].Configs[0], r.Results[0].Configs[1]
		if set.Name != "retention.ms" || *set.Value != "5" || other.Name != "segment.ms" || *other.Value != "604800000" || set.ReadOnly || set.IsSensitive {
			t.Errorf("v%d: %+v, %+v", v, set, other)
		}
		if v == 0 && (set.IsDefault || !other.IsDefault) {
			t.Errorf("v%d: default: %v, %v", v, set.IsDefault, other.IsDefault)
		}
		if v >= 1 && (set.ConfigSource != sourceTopic || other.ConfigSource != sourceDefault || fmt.Sprint(synonyms(set)) != "[5@1 604800000@5]" || fmt.Sprint(synonyms(other)) != "[604800000@5]") {
			t.Errorf("v%d: sources %d, %d, synonyms %v, %v", v, set.ConfigSource, other.ConfigSource, synonyms(set), synonyms(other))
		}
		if v >= 3 && (topic.Kind(set.ConfigType) != topic.Long || !strings.Contains(text(set.Documentation), "record")) {
			t.Errorf("v%d: type %d, %s", v, set.ConfigType, text(set.Documentation))
		}
	})
}

// synonyms are those of a setting, as value@source.
func synonyms(c wire.DescribeConfigsResponseDescribeConfigsResourceResult) (all []string) {
	for _, s := range c.Synonyms {
		all = append(all, fmt.Sprintf("%s@%d", *s.Value, s.Source))
	}
	return all
}

// TestDescribeConfigsSynonyms shows that what a setting goes over bears the broker's name, as in Kafka.
func TestDescribeConfigsSynonyms(t *testing.T) {
	defaults := topic.Defaults()
	defaults.MaxMessageBytes = 99
	w := newWorldWith(t, Options{}, defaults)
	w.create("mine", 1, "max.message.bytes", "5")
	q := &wire.DescribeConfigsRequest{IncludeSynonyms: true, Resources: []wire.DescribeConfigsRequestDescribeConfigsResource{
		asked(2, "mine", "max.message.bytes", "remote.storage.enable", "min.insync.replicas"), asked(4, "1", "message.max.bytes")}}
	var got []string
	for _, x := range ask[wire.DescribeConfigsResponse](w, wire.KeyDescribeConfigs, 4, q).Results {
		for _, c := range x.Configs {
			line := fmt.Sprint(c.Name, " ", c.ReadOnly)
			for _, s := range c.Synonyms {
				line += fmt.Sprintf(" %s=%s@%d", s.Name, *s.Value, s.Source)
			}
			got = append(got, line)
		}
	}
	w.expect("synonyms", got, "max.message.bytes false max.message.bytes=5@1 message.max.bytes=99@4 message.max.bytes=1048588@5",
		"min.insync.replicas false min.insync.replicas=1@5", "remote.storage.enable false",
		"message.max.bytes true message.max.bytes=99@4 message.max.bytes=1048588@5")
}

// TestDescribeConfigs shows what can be asked for, how Kafka words what cannot, and that nothing is answered twice.
func TestDescribeConfigs(t *testing.T) {
	defaults := topic.Defaults()
	defaults.RetentionBytes = 1 << 30
	w := newWorldWith(t, Options{NumPartitions: 3, AutoCreateTopics: true, RequestPartitionMax: 4}, defaults)
	w.create("mine", 1)
	w.expect("the server's own default", w.describe(4, asked(2, "mine", "retention.bytes")), "2:mine NONE retention.bytes=1073741824@4")
	w.create("loose", 1, "retention.ms", " 5 ", "preallocate", "TRUE", "cleanup.policy", "delete, compact")
	w.expect("values as Kafka reads them", w.describe(4, asked(2, "loose", "retention.ms", "preallocate", "cleanup.policy")),
		"2:loose NONE cleanup.policy=delete,compact@1 preallocate=true@1 retention.ms=5@1")
	w.expect("twice", w.describe(4, asked(2, "mine", "preallocate"), asked(2, "mine")), "2:mine NONE preallocate=false@5")
	w.expect("topics that are none", w.describe(4, asked(2, "other"), asked(2, "a/b")), "2:other UNKNOWN_TOPIC_OR_PARTITION", "2:a/b INVALID_TOPIC_EXCEPTION")
	w.expect("the broker", w.describe(4, asked(4, "1", "advertised.listeners", "num.partitions", "auto.create.topics.enable"), asked(4, "")),
		"4:1 NONE advertised.listeners=://here.example:9092@4 auto.create.topics.enable=true@5 num.partitions=3@4", "4: NONE")
	w.expect("other brokers", w.describe(4, asked(4, "2"), asked(4, "x")), "4:2 INVALID_REQUEST", "4:x INVALID_REQUEST")
	w.expect("this one by other names", w.describe(4, asked(4, "01"), asked(4, "+1")), "4:01 INVALID_REQUEST", "4:+1 INVALID_REQUEST")
	w.expect("other resources", w.describe(4, asked(8, "1"), asked(3, "")), "8:1 INVALID_REQUEST", "3: INVALID_REQUEST")
	w.handler.options.Broker = []BrokerSetting{{Name: "max.connections", Kind: topic.Int, Value: 9, Kafka: 7, Doc: "x"}}
	w.expect("the broker's own", w.describe(4, asked(4, "1", "max.connections", "log.retention.bytes", "message.max.bytes")),
		"4:1 NONE log.retention.bytes=1073741824@4 max.connections=9@4 message.max.bytes=1048588@5")
	five := wire.DescribeConfigsRequest{Resources: make([]wire.DescribeConfigsRequestDescribeConfigsResource, 5)}
	if _, err := try[wire.DescribeConfigsResponse](w, wire.KeyDescribeConfigs, 4, &five); err == nil {
		t.Error("more than the limit are answered")
	}
	if all := strings.Fields(w.describe(4, asked(2, "mine"))[0]); len(all) != 2+33 {
		t.Errorf("%d settings of a topic: %v", len(all)-2, all)
	}
}
