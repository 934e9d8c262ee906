package metric

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// registry returns the figures in a registry of their own.
func registry(f Figures) (*prometheus.Registry, error) {
	r := prometheus.NewRegistry()
	return r, r.Register(collector{f})
}

// collector shows figures as they were when it was made.
type collector struct{ figures Figures }

var _ prometheus.Collector = collector{}

// Describe names nothing: which figures there are depends on what is on record.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect shows the figures.
func (c collector) Collect(out chan<- prometheus.Metric) {
	f, o := c.figures, output{out}
	o.gauge("tallyman_info", "Version and what it works for; always 1.", 1, "version", f.Version, "merchant", f.Merchant, "mode", f.Mode)
	for _, r := range f.Runs {
		o.counter("tallyman_runs_total", "Runs on record by how they ended; none: at work, or killed.", r.Count, "command", r.Command, "exit_code", r.Exit)
	}
	for _, r := range f.Last {
		o.run(r)
	}
	for _, state := range sorted(f.Files) {
		o.gauge("tallyman_files", "Customer files on record by state.", float64(f.Files[state]), "state", state)
	}
	if j := f.Journal; j != nil {
		o.gauge("tallyman_journal_bytes", "Size of the event journal on disk.", float64(j.Bytes))
		o.gauge("tallyman_journal_segments", "Files of the event journal.", float64(j.Segments))
		o.gauge("tallyman_journal_last_seq", "Number of the last event in the journal.", float64(j.Events))
		o.instant("tallyman_journal_last_event_timestamp_seconds", "When the last event was received.", j.LastAt)
	}
	if r := f.Receiver; r != nil {
		for _, result := range sorted(r.Deliveries) {
			o.counter("tallyman_receiver_deliveries_total", "Webhook deliveries since the receiver started, by what became of them.", r.Deliveries[result], "result", result)
		}
		healthy := 0.0
		if r.Healthy {
			healthy = 1
		}
		o.gauge("tallyman_receiver_healthy", "1 while events are taken, 0 while the journal cannot be written.", healthy)
	}
}

// output makes metrics of names, helps, values and pairs of label and value.
type output struct{ to chan<- prometheus.Metric }

// run shows the last run of a command.
func (o output) run(r Run) {
	command := []string{"command", r.Command}
	with := func(label, value string) []string { return append(slices.Clone(command), label, value) }
	o.instant("tallyman_last_run_start_timestamp_seconds", "When the last run that ended began.", r.Start, command...)
	o.instant("tallyman_last_run_end_timestamp_seconds", "When the last run ended.", r.End, command...)
	o.gauge("tallyman_last_run_exit_code", "How the last run ended.", float64(r.Exit), command...)
	o.instant("tallyman_last_completed_timestamp_seconds", "When a run last came to its end, with exit code 0 or 3.", r.Completed, command...)
	o.instant("tallyman_last_success_timestamp_seconds", "When a run last ended with exit code 0.", r.Success, command...)
	for _, outcome := range sorted(r.Rows) {
		o.gauge("tallyman_last_run_rows", "Records of the last run by outcome.", float64(r.Rows[outcome]), with("outcome", outcome)...)
	}
	for _, severity := range sorted(r.Exceptions) {
		o.gauge("tallyman_last_run_exceptions", "Exceptions in the report of the last run by severity.", float64(r.Exceptions[severity]), with("severity", severity)...)
	}
	if r.Requests == nil {
		return
	}
	for _, status := range sorted(r.Requests) {
		o.gauge("tallyman_last_run_requests", "Requests of the last run to the API by HTTP status; none: no usable answer came.", float64(r.Requests[status]), with("status", status)...)
	}
	o.gauge("tallyman_last_run_pace_requests_per_second", "How many requests a second could start at the end of the last run.", r.Pace, command...)
	desc, labels := describe("tallyman_last_run_request_duration_seconds", "How long answers of the API took in the last run.", command)
	o.to <- prometheus.MustNewConstHistogram(desc, r.LatencyCount, r.LatencySum.Seconds(), r.Latency, labels...)
}

func (o output) gauge(name, help string, value float64, pairs ...string) {
	desc, labels := describe(name, help, pairs)
	o.to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func (o output) counter(name, help string, value int64, pairs ...string) {
	desc, labels := describe(name, help, pairs)
	o.to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
}

// instant shows a time; one that never was is left out, for 0 would be 1970.
func (o output) instant(name, help string, at time.Time, pairs ...string) {
	if !at.IsZero() {
		o.gauge(name, help, float64(at.UnixMilli())/1000, pairs...)
	}
}

func describe(name, help string, pairs []string) (desc *prometheus.Desc, values []string) {
	var names []string
	for i := 0; i+1 < len(pairs); i += 2 {
		names, values = append(names, pairs[i]), append(values, pairs[i+1])
	}
	return prometheus.NewDesc(name, help, names, nil), values
}

func sorted(m map[string]int64) []string { return slices.Sorted(maps.Keys(m)) }

// ExitLabel is the label of an exit code.
func ExitLabel(ended bool, code int) string {
	if !ended {
		return "none"
	}
	return strconv.Itoa(code)
}
