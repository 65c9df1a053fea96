package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// median returns the middle of v, the mean of the two middle ones if their number is even; NaN of nothing.
func median[T ~float64 | ~int64](v []T) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Clone(v)
	slices.Sort(v)
	return (float64(v[(len(v)-1)/2]) + float64(v[len(v)/2])) / 2
}

// of returns the median of a figure over the rounds that went well; NaN if none did.
func (r results) of(workload, target string, figure func(sample) float64) float64 {
	var v []float64
	for _, s := range r[workload][target] {
		if s.failed == nil {
			v = append(v, figure(s))
		}
	}
	return median(v)
}

// compare returns the median, over the rounds in which both went well, of how a figure of one target compares with the
// same round's figure of another. Pairing keeps the machine's slow minutes out of a ratio.
func (r results) compare(workload, target, with string, how func(target, with sample) float64) float64 {
	var v []float64
	theirs := r[workload][with]
	for i, s := range r[workload][target] {
		if i < len(theirs) && s.failed == nil && theirs[i].failed == nil {
			v = append(v, how(s, theirs[i]))
		}
	}
	return median(v)
}

// ratio makes a comparison of a figure: how many times the other's it is.
func ratio(figure func(sample) float64) func(a, b sample) float64 {
	return func(a, b sample) float64 { return figure(a) / figure(b) }
}

func cpuPerMB(s sample) float64 { return s.CPUPerMB }

// table is rows of cells, the first of them the heading.
type table [][]string

// tableOf lays the results out, ratios first.
func tableOf(r results, workloads []workload, targets []target) table {
	t := table{{"workload", "server", "speed ÷ bare", "CPU ÷ bare", "speed ÷ kfake", "throughput", "spread", "CPU ms/MB", "p50 ms", "p99 ms", "p99.9 ms", "peak MB"}}
	for _, w := range workloads {
		for _, target := range targets {
			t = append(t, row(r, w, target))
		}
	}
	return t
}

func row(r results, w workload, t target) []string {
	cells := []string{w.name, t.name}
	cells = append(cells,
		number(r.compare(w.name, t.name, t.upper, ratio(w.speed))),
		number(r.compare(w.name, t.name, t.upper, ratio(cpuPerMB))),
		number(r.compare(w.name, t.name, kfakeName, ratio(w.speed))))
	rate := number(r.of(w.name, t.name, w.rate.of))
	if rate != "-" {
		rate += " " + w.rate.unit
	}
	cells = append(cells, rate, spread(r[w.name][t.name], w.rate), number(r.of(w.name, t.name, cpuPerMB)))
	for _, figure := range []func(sample) time.Duration{
		func(s sample) time.Duration { return s.P50 },
		func(s sample) time.Duration { return s.P99 },
		func(s sample) time.Duration { return s.P999 },
	} {
		cells = append(cells, number(r.of(w.name, t.name, milliseconds(figure))))
	}
	return append(cells, number(r.of(w.name, t.name, func(s sample) float64 { return math.Round(s.ResidentMB) })))
}

func milliseconds(figure func(sample) time.Duration) func(sample) float64 {
	return func(s sample) float64 { return figure(s).Seconds() * 1000 }
}

// spread says how far the rounds lie apart, or how many of them failed.
func spread(samples []sample, rate rate) string {
	failed, low, high := 0, math.Inf(1), 0.0
	for _, s := range samples {
		if s.failed != nil {
			failed++
			continue
		}
		low, high = min(low, rate.of(s)), max(high, rate.of(s))
	}
	switch {
	case failed > 0:
		return fmt.Sprintf("%d FAILED", failed)
	case len(samples) < 2:
		return "-"
	}
	return number(low) + "-" + number(high)
}

// number writes a figure with three digits that count; "-" for one that was not measured.
func number(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0) || v == 0:
		return "-"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// text writes the table for a terminal. Rows that begin alike stand together.
func (t table) text(w io.Writer) {
	widths := make([]int, len(t[0]))
	for _, cells := range t {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, cells := range t {
		if n > 0 && n+1 < len(t) && cells[0] != t[n-1][0] && cells[0] == t[n+1][0] {
			fmt.Fprintln(w)
		}
		var line strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < 2 {
				line.WriteString(cell + pad + "  ")
			} else {
				line.WriteString(pad + cell + "  ")
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// markdown writes the table as Markdown.
func (t table) markdown(w io.Writer) {
	for n, cells := range t {
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		if n == 0 {
			fmt.Fprintf(w, "|---|---|%s\n", strings.Repeat("---:|", len(cells)-2))
		}
	}
}

// mark is what Heraclitus on disk has to reach.
type mark struct {
	text     string
	workload string
	with     string // target it is compared with
	figure   func(heraclitus, with sample) float64
	bound    float64
	least    bool // the figure has to be at least bound; else at most
}

// marks lists the marks of the first version.
func marks() []mark {
	lonelier := func(a, b sample) float64 { return (a.P50 - b.P50).Seconds() * 1000 }
	return []mark{
		{"big batches, throughput ÷ bare", "big", bareDisk, ratio(throughput), 0.6, true},
		{"small requests, throughput ÷ bare", "small", bareDisk, ratio(throughput), 0.6, true},
		{"big batches, CPU per MB ÷ bare", "big", bareDisk, ratio(cpuPerMB), 2, false},
		{"small requests, CPU per MB ÷ bare", "small", bareDisk, ratio(cpuPerMB), 2, false},
		{"lone producer, p50 - bare's, ms", "lone", bareDisk, lonelier, 0.3, false},
		{"hot fetch, throughput ÷ bare", "fetch", bareDisk, ratio(throughput), 0.6, true},
		{"consume, throughput ÷ kfake", "consume", kfakeName, ratio(throughput), 1.5, true},
	}
}

// verdict says whether m is met: "pass", "miss", or "-" if it was not measured.
func (m mark) verdict(r results) (verdict string, value float64) {
	value = r.compare(m.workload, heraclitusDisk, m.with, m.figure)
	order := cmp.Compare(value, m.bound)
	switch {
	case math.IsNaN(value):
		return "-", value
	case m.least && order >= 0, !m.least && order <= 0:
		return "pass", value
	}
	return "miss", value
}

// tableOfMarks lays the marks out.
func tableOfMarks(r results) table {
	t := table{{"mark, Heraclitus on disk", "verdict", "measured", "wanted"}}
	for _, m := range marks() {
		verdict, value := m.verdict(r)
		sign := "<="
		if m.least {
			sign = ">="
		}
		measured := "-"
		if !math.IsNaN(value) {
			measured = fmt.Sprintf("%.2f", value)
		}
		t = append(t, []string{m.text, verdict, measured, fmt.Sprintf("%s %.1f", sign, m.bound)})
	}
	return t
}
