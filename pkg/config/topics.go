package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/topic"
)

// TopicSettings are what topics have that do not set it themselves.
func (c *Config) TopicSettings() (topic.Settings, error) {
	s := topic.Defaults()
	t := &c.Topics
	for _, setting := range []struct{ name, value string }{
		{"retention.ms", strconv.FormatInt(t.RetentionMs, 10)},
		{"retention.bytes", strconv.FormatInt(t.RetentionBytes, 10)},
		{"max.message.bytes", strconv.FormatInt(t.MaxMessageBytes, 10)},
		{"message.timestamp.type", t.MessageTimestampType},
		{"compression.type", t.CompressionType},
		{"segment.bytes", strconv.FormatInt(t.SegmentBytes, 10)},
		{"segment.ms", strconv.FormatInt(t.SegmentMs, 10)},
	} {
		if err := s.Set(setting.name, setting.value); err != nil {
			// Without Kafka's code, which is for clients.
			return s, fmt.Errorf("topics.%s: %s", strings.ReplaceAll(setting.name, ".", "_"), strings.TrimSuffix(err.Error(), ": "+kerr.InvalidConfig.Error()))
		}
	}
	if level := int(c.Performance.CompressionLevel); level >= 0 {
		s.GzipLevel, s.LZ4Level, s.ZstdLevel = between(1, level, 9), between(1, level, 17), between(1, level, 22)
	}
	return s, s.Check()
}

// between is n, or the bound it lies beyond.
func between(low, n, high int) int { return max(low, min(n, high)) }
