package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/heraclitus/heraclitus/pkg/topic"
)

// TestDefaults shows that default.toml names every setting, and nothing else, and that the defaults can be: also with the
// lines that are commented out, as an example.
func TestDefaults(t *testing.T) {
	f := func(text string) map[string]bool {
		t.Helper()
		var c Config
		meta, err := toml.Decode(text, &c)
		if err != nil {
			t.Fatal(err)
		}
		if unknown := meta.Undecoded(); len(unknown) > 0 {
			t.Errorf("default.toml has settings that are none: %v", unknown)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("the defaults are refused: %v", err)
		}
		named := map[string]bool{}
		for _, key := range meta.Keys() {
			named[key.String()] = true
		}
		return named
	}
	f(DefaultText)
	named := f(regexp.MustCompile(`(?m)^#(\S)`).ReplaceAllString(DefaultText, "$1"))
	for _, key := range Keys() {
		if !named[key] {
			t.Errorf("default.toml does not name %s", key)
		}
	}
}

// TestTopicSettings shows that the defaults of topics are Kafka's but for the age at which records become Parquet, that
// what is set reaches them, and that a compression level out of a codec's range becomes its nearest bound.
func TestTopicSettings(t *testing.T) {
	c := Default()
	want := topic.Defaults()
	want.SegmentMs = 600_000
	if s, err := c.TopicSettings(); err != nil || s != want {
		t.Errorf("by default %+v, %v\n  want %+v", s, err, want)
	}
	c.Topics.RetentionMs, c.Topics.RetentionBytes, c.Topics.MaxMessageBytes = 1, 2, 3
	c.Topics.MessageTimestampType, c.Topics.CompressionType = "LogAppendTime", "zstd"
	c.Performance.CompressionLevel = 12
	want.RetentionMs, want.RetentionBytes, want.MaxMessageBytes, want.LogAppendTime = 1, 2, 3, true
	want.CompressionType, want.GzipLevel, want.LZ4Level, want.ZstdLevel = "zstd", 9, 12, 12
	if s, err := c.TopicSettings(); err != nil || s != want {
		t.Errorf("got  %+v, %v\nwant %+v", s, err, want)
	}
	c.Topics.MessageTimestampType = "Sometime"
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "topics.message_timestamp_type") {
		t.Errorf("a timestamp type that is none: %v", err)
	}
}

// TestLoad shows that a file goes over the defaults, line by line.
func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heraclitus.toml")
	text := "kafka_port = 19092\n[storage]\ndsn = \"memory://\"\n[metrics]\nenabled = false\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.KafkaPort, want.Storage.Path, want.Metrics.Enabled = 19092, Memory, false
	if !reflect.DeepEqual(got, want) {
		t.Errorf("loaded %+v\n  want %+v", got, want)
	}
	if _, err := Load(path + "x"); err == nil || !strings.Contains(err.Error(), path+"x") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestNothingIsProposedFromAfar shows that a setting which is like none there is comes without a proposal.
func TestNothingIsProposedFromAfar(t *testing.T) {
	c := Default()
	err := c.decode("[topics]\ncleanup_policy = \"compact\"\n")
	if err == nil || err.Error() != "line 2: unknown setting topics.cleanup_policy" {
		t.Errorf("got %v", err)
	}
}

// TestRefusedFiles shows what is said of files that cannot be right: the line, the setting, and the one that was meant.
func TestRefusedFiles(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		c := Default()
		err := c.decode(text)
		if err == nil {
			t.Errorf("%q was accepted", text)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %q does not say %q", text, err, w)
			}
		}
	}
	f("kafka_prot = 1\n", "line 1: unknown setting kafka_prot; did you mean kafka_port?")
	f("kafka_port = 1\n\n[storage]\n# where\n path=\"x\"\npaht = \"y\"\n", "line 6: unknown setting storage.paht; did you mean storage.path?")
	f("path = \"x\"\n", "line 1: unknown setting path; did you mean storage.path?")
	f("[topics]\nretention.ms = 5\n", "line 2: unknown setting topics.retention.ms; did you mean topics.retention_ms?")
	f("[ topics ]\nretention = 1\n[limits]\nfetch_byte_max = 1", "line 2: unknown setting topics.retention", "line 4: unknown setting limits.fetch_byte_max; did you mean limits.fetch_bytes_max?")
	f("[storrage]\npath = \"x\"\n", "line 1: unknown setting storrage; did you mean storage?")
	f("storage = { paht = \"x\" }\n", "unknown setting storage.paht; did you mean storage.path?")
	f("[quux]\nxyzzy = 1\n", "line 1: unknown setting quux")
	f("kafka_port = \"9092\"\n", "line 1: kafka_port is of the wrong type: should be a whole number, without quotes, as in kafka_port = 9092")
	f("[storage]\njournal_file_bytes = 6.5e7\n", "line 2: storage.journal_file_bytes is of the wrong type: should be a whole number, without quotes, as in journal_file_bytes = 67108864")
	f("[metrics]\nenabled = \"yes\"\n", "line 2: metrics.enabled is of the wrong type: should be true or false, without quotes, as in enabled = true")
	f("listen_host = 1\n", `line 1: listen_host is of the wrong type: should be text in quotes, as in listen_host = "localhost"`)
	f("tls = true\n", "line 1: tls is of the wrong type: should be a table, which begins with [tls]")
	f("[listeners]\nport = 1\n", "listeners is of the wrong type: should be tables, each of which begins with [[listeners]]")
	f("[[listeners]]\nport = \"9094\"\n", "line 2: listeners.port is of the wrong type: should be a whole number, without quotes, as in port = 9094")
	f("[[listeners]]\nporrt = 9094\n", "line 2: unknown setting listeners.porrt; did you mean listeners.port?")
	f("[storage\n", "line 2")
	f("[storage]\npath = \"a\"\ndsn = \"b\"\n", "storage.dsn", "storage.path", "keep one")
}

// TestWrongTypeHidesItsValue shows that a password written without its quotes is not in the error about it.
func TestWrongTypeHidesItsValue(t *testing.T) {
	c := Default()
	if err := c.decode("[auth]\nplain_password = 271828\n"); err == nil || strings.Contains(err.Error(), "271828") {
		t.Errorf("got %v", err)
	}
}

// TestUnknownTable shows that a mistyped table is told of once, not again for each key in it. TestParsingHidesSecrets
// shows that no piece of a name or password that is not written as TOML is in the error, which says what would be right;
// of other settings it says what was found.
func TestParsingHidesSecrets(t *testing.T) {
	f := func(value string) {
		t.Helper()
		for _, setting := range []string{"plain_username", "plain_password"} {
			for _, text := range []string{"[auth]\n" + setting + " = ", "auth." + setting + " = ", "[auth]\n\"" + setting + "\"=", "auth = {enabled = true, " + setting + " = "} {
				c := Default()
				err := c.decode("kafka_port = 9092\n" + text + value + "\n")
				if err == nil || strings.ContainsAny(strings.Replace(err.Error(), setting, "", -1), "XYZ7") || !strings.Contains(err.Error(), "text in quotes") {
					t.Errorf("%s%s: %v", text, value, err)
				}
			}
		}
	}
	for _, value := range []string{"XYZ7", "trueXYZ", "trXYZ", "7XYZ", "\"XYZ", "'XYZ", "7.7.7", "0xXYZ", "-XYZ", "_XYZ", `"\X"`, `"\u7XYZ"`, "\"\"\"XYZ", "\"X\"YZ", "[XYZ", "{XYZ=XYZ", "{a=XYZ", "77777777777777777777", "2026-11-24X", "\"X\x01Z\"", "\"X\xffZ\""} {
		f(value)
	}
	for _, text := range []string{"[storage]\npath = XYZ\n", "[auth]\nenabled = trXYZ\n"} {
		c := Default()
		if err := c.decode(text); err == nil || !strings.Contains(err.Error(), "XYZ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestUnknownTable(t *testing.T) {
	c := Default()
	err := c.decode("[storrage]\npath = \"x\"\nfsync = \"commit\"\n")
	if got := strings.Count(err.Error(), "unknown setting"); got != 1 {
		t.Errorf("told %d times: %v", got, err)
	}
}

// TestValidate shows that a setting that cannot be is named with its value and with what it could be.
func TestValidate(t *testing.T) {
	f := func(change func(*Config), want string) {
		t.Helper()
		c := Default()
		change(&c)
		if err := c.Validate(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	f(func(c *Config) { c.KafkaPort = 70000 }, "kafka_port = 70000: should be from 0 to 65535")
	f(func(c *Config) { c.HTTPPort = c.KafkaPort }, "http_port = 9092: should be another port than kafka_port")
	f(func(c *Config) { c.ListenHost = "" }, `listen_host = "": should be "localhost", "0.0.0.0" for every network, or an address of this machine`)
	f(func(c *Config) { c.AdvertisedHost = "0.0.0.0" }, `advertised_host = "0.0.0.0": should be a name or address that clients can connect to`)
	f(func(c *Config) { c.AdvertisedHost = "kafka:9092" }, `advertised_host = "kafka:9092": should be a name or address alone; the port is advertised_port`)
	f(func(c *Config) { c.Storage.Path = "" }, `storage.path = "": should be a directory, "s3://bucket/prefix", or "memory://"`)
	f(func(c *Config) { c.Storage.Path = "s3:///p" }, `storage.path = "s3:///p": should be "s3://bucket" or "s3://bucket/prefix"`)
	for _, path := range []string{"s3:/b/p", "S3://b", "gs://b", "memory:", "file:/x"} {
		f(func(c *Config) { c.Storage.Path = path }, fmt.Sprintf(`storage.path = %q: should be a directory, written as a plain path, "s3://bucket/prefix", or "memory://"`, path))
	}
	f(func(c *Config) { c.Storage.Path = "~/data" }, `storage.path = "~/data": should be written out: only a shell knows what ~ stands for`)
	f(func(c *Config) { c.Storage.Path = "file:///x" }, `storage.path = "file:///x": should be a directory, written as a plain path, "s3://bucket/prefix", or "memory://"`)
	f(func(c *Config) { c.Storage.Fsync = "never" }, `storage.fsync = "never": should be "commit", or "interval", with which a power cut loses the newest records`)
	f(func(c *Config) { c.Storage.JournalFileBytes = 4096 }, "storage.journal_file_bytes = 4096: should be from 1048576 to 4294963200")
	f(func(c *Config) { c.Storage.JournalFileBytes = 5000000 }, "storage.journal_file_bytes = 5000000: should be a multiple of 4096")
	f(func(c *Config) { c.Storage.JournalSpareBytes = -1 }, "storage.journal_spare_bytes = -1: should be from 0 to 1099511627776")
	f(func(c *Config) { c.Storage.CheckpointBytes = 1000 }, "storage.checkpoint_bytes = 1000: should be at least 65536")
	f(func(c *Config) { c.Auth.Enabled, c.Auth.PlainUsername = true, "u" }, `auth.plain_password = "": should be the password that clients come with, or auth.enabled = false, which lets everybody in`)
	f(func(c *Config) { c.Auth.Enabled, c.Auth.PlainPassword = true, "p" }, `auth.plain_username = "": should be the name that clients come by, or auth.enabled = false, which lets everybody in`)
	f(func(c *Config) { c.Auth = Auth{true, "PLAIN", "u", "a\x00b", 0} }, "auth.plain_password: should have at most 4096 bytes, none of them NUL")
	f(func(c *Config) { c.Auth.Enabled, c.Auth.Mechanism, c.Storage.Path = true, "SCRAM-SHA-512", Memory },
		`auth.mechanism = "SCRAM-SHA-512": should be with "PLAIN" in it: in memory there are no users yet, and nobody could log in to make the first`)
	f(func(c *Config) { c.Auth = Auth{true, "PLAIN", strings.Repeat("u", 4097), "p", 0} }, "auth.plain_username: should have at most 4096 bytes, none of them NUL")
	const mechanisms = ": should be one or more of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, each once, with commas between them"
	f(func(c *Config) { c.Auth.Mechanism = "GSSAPI" }, `auth.mechanism = "GSSAPI"`+mechanisms)
	f(func(c *Config) { c.Auth.Mechanism = "" }, `auth.mechanism = ""`+mechanisms)
	f(func(c *Config) { c.Auth.Mechanism = "PLAIN,SCRAM-SHA-256,PLAIN,x" }, `auth.mechanism = "PLAIN,SCRAM-SHA-256,PLAIN,x"`+mechanisms)
	f(func(c *Config) { c.Auth = Auth{true, "SCRAM-SHA-256,PLAIN", "u", "", 0} }, `auth.plain_password = "": should be the password that clients come with, or auth.enabled = false, which lets everybody in`)
	f(func(c *Config) { c.Auth.SessionLifetimeMs = -1 }, "auth.session_lifetime_ms = -1: should be 0, which is for ever, or from 2000 to 31536000000")
	f(func(c *Config) { c.Auth.SessionLifetimeMs = 1999 }, "auth.session_lifetime_ms = 1999: should be 0, which is for ever, or from 2000 to 31536000000")
	f(func(c *Config) { c.Metrics.Prefix = "9lives" }, `metrics.prefix = "9lives": should be letters, digits and underscores, not beginning with a digit`)
	f(func(c *Config) { c.Limits.RequestsBytesMax = 1 << 20 }, "limits.requests_bytes_max = 1048576: should be at least 104857600")
	f(func(c *Config) { c.Performance.CompressionLevel = 99 }, "performance.compression_level = 99: should be from -1 to 22")
	f(func(c *Config) { c.Storage.FsyncIntervalMs, c.Limits.ConnectionsMax = 0, 0 },
		"storage.fsync_interval_ms = 0: should be from 1 to 3600000\nlimits.connections_max = 0: should be from 1 to 10000000")
}

// TestAcceptedValues shows settings that look odd and are right.
func TestAcceptedValues(t *testing.T) {
	f := func(change func(*Config)) {
		t.Helper()
		c := Default()
		change(&c)
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	f(func(c *Config) { c.KafkaPort, c.HTTPPort = 0, 0 })
	f(func(c *Config) { c.AdvertisedHost = "fd00::1" })
	f(func(c *Config) { c.ListenHost = "::" })
	f(func(c *Config) { c.Storage.Path = "C:/data" })
	f(func(c *Config) { c.Storage.Fsync = FsyncInterval })
	f(func(c *Config) { c.Metrics.Prefix = "" })
	f(func(c *Config) { c.Auth = Auth{true, "SCRAM-SHA-512", "", "", 2000} })
	f(func(c *Config) { c.Auth = Auth{true, "PLAIN, SCRAM-SHA-512 ,SCRAM-SHA-256", "u", "p", 0} })
	f(func(c *Config) { c.Auth = Auth{true, "PLAIN", "u", "pä ss", 0} })
}

// TestMechanisms shows what the list in a string is.
func TestMechanisms(t *testing.T) {
	f := func(setting string, scram bool, want ...string) {
		t.Helper()
		a := Auth{Mechanism: setting}
		if got := a.Mechanisms(); !slices.Equal(got, want) || a.Scram() != scram {
			t.Errorf("%q: %q, SCRAM %v", setting, got, a.Scram())
		}
	}
	f("PLAIN", false, "PLAIN")
	f("SCRAM-SHA-512", true, "SCRAM-SHA-512")
	f("PLAIN, SCRAM-SHA-256", true, "PLAIN", "SCRAM-SHA-256")
}
