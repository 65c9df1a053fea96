// Shown here: medians, paired ratios, marks and tables come out right for figures that can be checked by hand, failed
// and missing runs among them.
package main

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

func TestMedian(t *testing.T) {
	f := func(want float64, v ...float64) {
		t.Helper()
		if got := median(v); got != want {
			t.Errorf("median of %v is %v, want %v", v, got, want)
		}
	}
	f(3, 3)
	f(2, 3, 1, 2)
	f(2.5, 4, 1, 3, 2)
	if !math.IsNaN(median([]float64{})) {
		t.Error("nothing has a median")
	}
}

func speeds(v ...float64) []sample {
	var all []sample
	for _, v := range v {
		all = append(all, sample{RequestsPerSecond: v, MBps: v, CPUPerMB: 1 / v, P50: time.Second / time.Duration(v)})
	}
	return all
}

func TestRatiosArePairedByRound(t *testing.T) {
	r := results{"big": {"a": speeds(10, 100, 30), "b": speeds(20, 400, 10)}}
	if got := r.compare("big", "a", "b", ratio(throughput)); got != 0.5 { // of 0.5, 0.25 and 3
		t.Errorf("ratio %v, want 0.5", got)
	}
	if got := r.of("big", "a", throughput); got != 30 {
		t.Errorf("median %v, want 30", got)
	}
	r["big"]["b"][0].failed = errors.New("broken")
	if got := r.compare("big", "a", "b", ratio(throughput)); got != (0.25+3)/2 {
		t.Errorf("ratio without the failed round %v, want 1.625", got)
	}
	if got := r.compare("big", "a", "none", ratio(throughput)); !math.IsNaN(got) {
		t.Errorf("ratio to nothing %v", got)
	}
}

func TestSampleRelatesLoadTimeAndCost(t *testing.T) {
	load := &raw.Load{Requests: 1000, Bytes: 4e6, Elapsed: 2 * time.Second}
	for range 100 {
		load.Latency.Add(time.Millisecond)
	}
	s, err := sampleOf(load, 100*time.Millisecond, 3<<20)
	if err != nil {
		t.Fatal(err)
	}
	if s.MBps != 2 || s.RequestsPerSecond != 500 || s.CPUPerMB != 25 || s.ResidentMB != 3 {
		t.Errorf("%+v", s)
	}
	if off := (s.P50 - time.Millisecond).Abs(); off > 20*time.Microsecond || s.P50 != s.P999 {
		t.Errorf("p50 %v, p99.9 %v, want 1 ms", s.P50, s.P999)
	}
	if _, err := sampleOf(&raw.Load{}, 0, 0); err == nil {
		t.Error("a run without an answer is no error")
	}
}

func TestMarks(t *testing.T) {
	r := results{
		"big":   {heraclitusDisk: speeds(60), bareDisk: speeds(100)},
		"small": {heraclitusDisk: speeds(40), bareDisk: speeds(100)},
		"lone":  {heraclitusDisk: {{P50: 1500 * time.Microsecond}}, bareDisk: {{P50: time.Millisecond}}},
		"fetch": {heraclitusDisk: {{failed: errors.New("broken")}}, bareDisk: speeds(100)},
	}
	var got []string
	for _, m := range marks() {
		verdict, _ := m.verdict(r)
		got = append(got, verdict)
	}
	// throughput big, small; CPU big (1.67), small (2.5); lone (+0.5 ms); fetch failed; consume not run
	if want := []string{"pass", "miss", "pass", "miss", "miss", "-", "-"}; !slices.Equal(got, want) {
		t.Errorf("verdicts %v, want %v", got, want)
	}
}

func TestTables(t *testing.T) {
	w := []workload{{name: "big", rate: megabytes, speed: throughput}}
	servers := []target{{name: "a", upper: "b"}, {name: "b", upper: "b"}, {name: kfakeName, upper: "b"}}
	r := results{"big": {"a": speeds(50, 60), "b": speeds(100, 120), kfakeName: append(speeds(10), sample{failed: errors.New("broken")})}}
	var text, markdown strings.Builder
	tableOf(r, w, servers).text(&text)
	tableOf(r, w, servers).markdown(&markdown)
	f := func(got string, want ...string) {
		t.Helper()
		if !slices.Contains(strings.Split(got, "\n"), strings.Join(want, "")) {
			t.Errorf("no line %q in\n%s", strings.Join(want, ""), got)
		}
	}
	f(markdown.String(), "| big | a | 0.50 | 2.00 | 5.00 | 55.0 MB/s | 50.0-60.0 | 0.02 | 18.3 | - | - | - |")
	f(markdown.String(), "| big | kfake | 0.10 | 10.0 | 1.00 | 10.0 MB/s | 1 FAILED | 0.10 | 100 | - | - | - |")
	f(text.String(), "big       b               1.00        1.00           10.0    110 MB/s    100-120       0.01    9.17       -         -        -")
	if got := r.failed(); got != 1 {
		t.Errorf("%d failed runs, want 1", got)
	}
}
