package metrics

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/VictoriaMetrics/metrics"
)

// Family is one metric name with what a reader needs to know of it.
type Family struct {
	Name string // with its prefix
	Type string // counter, gauge or histogram
	Help string // one line

	// Each family is a set of its own: the library exports sets without help texts, and so they can be written between.
	set *metrics.Set
}

// registry makes and exports families. New fills it; only OnScrape changes it afterwards.
type registry struct {
	prefix   string
	families []Family
	scrapes  struct {
		sync.Mutex
		before []func()
	}
}

// OnScrape has f called before every export: the place to set gauges that somebody already counts.
func (r *registry) OnScrape(f func()) {
	r.scrapes.Lock()
	defer r.scrapes.Unlock()
	r.scrapes.before = append(r.scrapes.before, f)
}

// refresh runs what OnScrape was given, outside the lock: a scrape must not hold up a part that is starting.
func (r *registry) refresh() {
	r.scrapes.Lock()
	before := slices.Clone(r.scrapes.before)
	r.scrapes.Unlock()
	for _, f := range before {
		f()
	}
}

// Families lists every metric in the order they are exported.
func (r *registry) Families() []Family { return r.families }

// Write writes every metric in the Prometheus text format, followed by those of the Go runtime and the process.
func (r *registry) Write(w io.Writer) {
	r.refresh()
	for _, f := range r.families {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.Name, f.Help, f.Name, f.Type)
		f.set.WritePrometheus(w)
	}
	metrics.WriteProcessMetrics(w)
}

// WriteTable writes every metric as a row of a Markdown table, as the README shows it.
func (r *registry) WriteTable(w io.Writer) {
	fmt.Fprintf(w, "| metric | type | meaning |\n|---|---|---|\n")
	for _, f := range r.families {
		fmt.Fprintf(w, "| `%s` | %s | %s |\n", f.Name, f.Type, f.Help)
	}
}

func (r *registry) add(name, kind, help string) Family {
	if r.prefix != "" {
		name = r.prefix + "_" + name
	}
	f := Family{Name: name, Type: kind, Help: help, set: metrics.NewSet()}
	r.families = append(r.families, f)
	return f
}

func (r *registry) counter(name, help string) *Counter {
	f := r.add(name, "counter", help)
	return f.set.NewCounter(f.Name)
}

func (r *registry) gauge(name, help string) *Gauge {
	f := r.add(name, "gauge", help)
	return f.set.NewGauge(f.Name, nil)
}

func (r *registry) histogram(name, help string, buckets []float64) *Histogram {
	f := r.add(name, "histogram", help)
	return f.set.NewPrometheusHistogramExt(f.Name, buckets)
}

func (r *registry) counters(name, help string, labels ...string) *vec[*Counter] {
	f := r.add(name, "counter", help)
	return &vec[*Counter]{name: f.Name, labels: labels, make: f.set.NewCounter}
}

func (r *registry) gauges(name, help string, labels ...string) *vec[*Gauge] {
	f := r.add(name, "gauge", help)
	return &vec[*Gauge]{name: f.Name, labels: labels, make: func(n string) *Gauge { return f.set.NewGauge(n, nil) }}
}

func (r *registry) histograms(name, help string, buckets []float64, labels ...string) *vec[*Histogram] {
	f := r.add(name, "histogram", help)
	return &vec[*Histogram]{name: f.Name, labels: labels, make: func(n string) *Histogram {
		return f.set.NewPrometheusHistogramExt(n, buckets)
	}}
}

// vec is a family with labels. Its users take label values from fixed lists (APIs, versions, operations, reasons), never
// from what a client sends, and so the number of series is bounded.
type vec[M any] struct {
	name   string
	labels []string
	make   func(series string) M
	series sync.Map // label values joined by commas -> M
	mu     sync.Mutex
}

// with returns the metric of these label values, making it the first time.
func (v *vec[M]) with(values ...string) M {
	key := strings.Join(values, ",")
	if m, ok := v.series.Load(key); ok {
		return m.(M)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if m, ok := v.series.Load(key); ok {
		return m.(M)
	}
	m := v.make(v.seriesName(values))
	v.series.Store(key, m)
	return m
}

// seriesName is the name of one series as the text format writes it: name{label="value",...}.
func (v *vec[M]) seriesName(values []string) string {
	pairs := make([]string, len(v.labels))
	for i, label := range v.labels {
		pairs[i] = fmt.Sprintf("%s=%q", label, values[i])
	}
	return v.name + "{" + strings.Join(pairs, ",") + "}"
}
