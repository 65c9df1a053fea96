package metrics_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/metrics"
)

// export is what a scrape of m reads.
func export(m *metrics.Metrics) string {
	var b bytes.Buffer
	m.Write(&b)
	return b.String()
}

// TestExport shows that values reach the export under their prefixed names, labels included.
func TestExport(t *testing.T) {
	m := metrics.New("px")
	m.MessagesIn.Add(3)
	m.Connections.Set(2)
	m.CommitSeconds.Update(0.0007)
	m.API("Produce").Count(9)
	for range 2 {
		m.API("Produce").Refuse(6, func(int16) string { return "NOT_LEADER_OR_FOLLOWER" })
	}
	m.ConnectionsClosed("idle").Inc()
	m.SetVersion("1.2.3")
	m.Storage("append").Done(time.Now(), 4096, nil)
	m.Storage("append").Done(time.Now(), 1, errors.New("disk on fire"))

	text := export(m)
	f := func(line string) {
		t.Helper()
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	f(`# TYPE px_messages_in_total counter`)
	f(`px_messages_in_total 3`)
	f(`px_connections 2`)
	f(`px_commit_seconds_bucket{le="0.0005"} 0`)
	f(`px_commit_seconds_bucket{le="0.001"} 1`)
	f(`px_commit_seconds_count 1`)
	f(`px_requests_total{api="Produce",version="9"} 1`)
	f(`px_answer_errors_total{api="Produce",error="NOT_LEADER_OR_FOLLOWER"} 2`)
	f(`px_connections_closed_total{reason="idle"} 1`)
	f(`px_info{version="1.2.3"} 1`)
	f(`px_storage_operations_total{op="append"} 2`)
	f(`px_storage_errors_total{op="append"} 1`)
	f(`px_storage_bytes_total{op="append"} 4096`)
}

// TestFamilies shows that the list of families is the truth: every exported name of ours is one of them, with its help
// and type before it, every one is exported, and names and types agree with Prometheus' habits.
func TestFamilies(t *testing.T) {
	m := metrics.New("px")
	text := export(m)
	exported := regexp.MustCompile(`(?m)^# TYPE (px_\S+)`).FindAllStringSubmatch(text, -1)
	families := m.Families()
	if len(exported) != len(families) {
		t.Fatalf("%d families exported, %d listed", len(exported), len(families))
	}
	for i, f := range families {
		if exported[i][1] != f.Name {
			t.Errorf("exported %s where %s is listed", exported[i][1], f.Name)
		}
		if !strings.Contains(text, fmt.Sprintf("# HELP %s %s\n", f.Name, f.Help)) || f.Help == "" {
			t.Errorf("%s has no help text", f.Name)
		}
		if isTotal := strings.HasSuffix(f.Name, "_total"); isTotal != (f.Type == "counter") {
			t.Errorf("%s is a %s", f.Name, f.Type)
		}
	}
	for _, sample := range regexp.MustCompile(`(?m)^px_[a-z_]+`).FindAllString(text, -1) {
		base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(sample, "")
		if !strings.Contains(text, "# TYPE "+sample+" ") && !strings.Contains(text, "# TYPE "+base+" ") {
			t.Errorf("%s is exported and belongs to no family", sample)
		}
	}
}

// TestOnScrape shows that gauges set on demand are set before they are read.
func TestOnScrape(t *testing.T) {
	m := metrics.New("px")
	m.OnScrape(func() { m.Topics.Set(7) })
	if !strings.Contains(export(m), "\npx_topics 7\n") {
		t.Error("the export does not show the gauge as OnScrape sets it")
	}
}

// TestTable shows the README's form of the list.
func TestTable(t *testing.T) {
	var b bytes.Buffer
	metrics.New(metrics.DefaultPrefix).WriteTable(&b)
	if want := "| `heraclitus_connections` | gauge | Open client connections. |\n"; !strings.Contains(b.String(), want) {
		t.Errorf("no row %q in\n%s", want, b.String())
	}
}

// TestSeparate shows that two brokers of one process do not share metrics, and that the prefix may be empty.
func TestSeparate(t *testing.T) {
	a, b := metrics.New(""), metrics.New("")
	a.MessagesIn.Inc()
	if !strings.Contains(export(a), "\nmessages_in_total 1\n") || !strings.Contains(export(b), "\nmessages_in_total 0\n") {
		t.Error("the count of one set of metrics shows in the other")
	}
}

// TestConcurrentCount shows that no count is lost when connections meet a version for the first time together.
func TestConcurrentCount(t *testing.T) {
	m := metrics.New("px")
	api := m.API("Fetch")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for v := range int16(18) {
				api.Count(v)
			}
		})
	}
	wg.Wait()
	for v := range 18 {
		if line := fmt.Sprintf("px_requests_total{api=\"Fetch\",version=\"%d\"} 8\n", v); !strings.Contains(export(m), line) {
			t.Errorf("no line %q", line)
		}
	}
}

// TestUnknownCodes shows that an error code that cannot be one makes no series.
func TestUnknownCodes(t *testing.T) {
	m := metrics.New("px")
	for _, code := range []int16{-32768, -2, 255, 32767} {
		m.API("Fetch").Refuse(code, func(int16) string { return "NONSENSE" })
	}
	m.API("Fetch").Refuse(-1, func(int16) string { return "UNKNOWN_SERVER_ERROR" })
	if text := export(m); strings.Contains(text, "NONSENSE") || !strings.Contains(text, `error="UNKNOWN_SERVER_ERROR"} 1`) {
		t.Errorf("the export is\n%s", text)
	}
}
