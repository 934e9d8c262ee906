package metric

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sample() Figures {
	at := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	return Figures{
		Version: "v1", Merchant: "acme", Mode: "test",
		Runs: []RunCount{{"run", "0", 2}, {"run", "3", 1}, {"run", "none", 1}},
		Last: []Run{{
			Command: "run", Start: at, End: at.Add(time.Minute), Exit: 3, Completed: at.Add(time.Minute),
			Rows: map[string]int64{"created": 5, "failed": 0}, Exceptions: map[string]int64{"break": 1, "notice": 2},
			Requests: map[string]int64{"201": 5, "none": 1}, Pace: 12.5, LatencyCount: 5, LatencySum: 250 * time.Millisecond,
			Latency: map[float64]uint64{0.1: 4, 1: 5},
		}},
		Files:    map[string]int64{"done": 1, "held": 0},
		Journal:  &Journal{Bytes: 100, Segments: 1, Events: 7, LastAt: at},
		Receiver: &Receiver{Deliveries: map[string]int64{"stored": 7}, Healthy: true},
	}
}

const wanted = `tallyman_files{state="done"} 1
tallyman_files{state="held"} 0
tallyman_info{merchant="acme",mode="test",version="v1"} 1
tallyman_journal_bytes 100
tallyman_journal_last_event_timestamp_seconds 1.79532e+09
tallyman_journal_last_seq 7
tallyman_journal_segments 1
tallyman_last_completed_timestamp_seconds{command="run"} 1.79532006e+09
tallyman_last_run_end_timestamp_seconds{command="run"} 1.79532006e+09
tallyman_last_run_exceptions{command="run",severity="break"} 1
tallyman_last_run_exceptions{command="run",severity="notice"} 2
tallyman_last_run_exit_code{command="run"} 3
tallyman_last_run_pace_requests_per_second{command="run"} 12.5
tallyman_last_run_request_duration_seconds_bucket{command="run",le="0.1"} 4
tallyman_last_run_request_duration_seconds_bucket{command="run",le="1"} 5
tallyman_last_run_request_duration_seconds_bucket{command="run",le="+Inf"} 5
tallyman_last_run_request_duration_seconds_sum{command="run"} 0.25
tallyman_last_run_request_duration_seconds_count{command="run"} 5
tallyman_last_run_requests{command="run",status="201"} 5
tallyman_last_run_requests{command="run",status="none"} 1
tallyman_last_run_rows{command="run",outcome="created"} 5
tallyman_last_run_rows{command="run",outcome="failed"} 0
tallyman_last_run_start_timestamp_seconds{command="run"} 1.79532e+09
tallyman_receiver_deliveries_total{result="stored"} 7
tallyman_receiver_healthy 1
tallyman_runs_total{command="run",exit_code="0"} 2
tallyman_runs_total{command="run",exit_code="3"} 1
tallyman_runs_total{command="run",exit_code="none"} 1
`

// values leaves out what explains the figures.
func values(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestTextfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tallyman.prom")
	for range 2 { // over an earlier one too
		if err := WriteTextfile(path, sample()); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, values(string(text))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	if err := WriteTextfile(filepath.Join(t.TempDir(), "none", "x.prom"), sample()); err == nil || !strings.Contains(err.Error(), "make the directory") {
		t.Errorf("no directory: %v", err)
	}
}

func TestServe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var broken error
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, listener, func(context.Context) (Figures, error) { return sample(), broken }, slog.New(slog.DiscardHandler))
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) (int, string) {
		t.Helper()
		resp, err := client.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	if code, text := get(Path); code != 200 || values(text) != wanted {
		t.Errorf("%d\n%s", code, cmp.Diff(wanted, values(text)))
	}
	if code, _ := get("/debug/pprof/"); code != 404 {
		t.Errorf("another path: %d", code)
	}
	broken = errors.New("the ledger is away")
	if code, text := get(Path); code != 500 || strings.Contains(text, "ledger") {
		t.Errorf("without figures: %d %s", code, text)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What is not known is not shown: 0 would be 1970, or a success.
func TestNothingYet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.prom")
	if err := WriteTextfile(path, Figures{Version: "v", Journal: &Journal{}, Last: []Run{{Command: "run"}}}); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	for _, not := range []string{"timestamp", "requests", "pace", "receiver"} {
		if strings.Contains(string(text), not) {
			t.Errorf("it shows %s:\n%s", not, text)
		}
	}
}
