package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tallyman/internal/sandbox"
)

// The benchmarks run the real program as a process of its own, so that peak memory is the program's: see
// docs/benchmarks.md.

// spent is what runs of a program have taken.
type spent struct {
	took, cpu time.Duration
	peak      int64 // of resident memory, in KiB
}

func (s *spent) add(o spent) { *s = spent{s.took + o.took, s.cpu + o.cpu, max(s.peak, o.peak)} }

// report reports things a second, the processor's time for one, and the peak of resident memory.
func (s *spent) report(b *testing.B, unit string, things int) {
	b.ReportMetric(float64(things)/s.took.Seconds(), unit+"/s")
	b.ReportMetric(float64(s.peak)/1024, "peak-MB")
	b.ReportMetric(s.cpu.Seconds()*1e6/float64(things), "cpu-µs/"+unit)
}

// spend runs a program once.
func spend(b *testing.B, cmd *exec.Cmd) (s spent) {
	b.Helper()
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stop, peak := make(chan struct{}), make(chan int64)
	go watchPeak(cmd.Process.Pid, stop, peak)
	err := cmd.Wait()
	s.took = time.Since(start)
	close(stop)
	s.peak, s.cpu = <-peak, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// measure runs the program once and reports what it has taken.
func measure(b *testing.B, unit string, things int, cmd *exec.Cmd) {
	b.Helper()
	s := spend(b, cmd)
	s.report(b, unit, things)
}

// watchPeak reads the high-water mark of a process's memory, in KiB, until it is told to stop. The resource usage that
// wait4 returns will not do: it holds the peak of the parent between fork and exec.
func watchPeak(pid int, stop <-chan struct{}, peak chan<- int64) {
	var most int64
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			peak <- most
			return
		case <-tick.C:
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			if field, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				if kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(field), " kB"), 10, 64); err == nil {
					most = max(most, kib)
				}
			}
		}
	}
}

// generate writes a file line by line.
func generate(b *testing.B, path string, lines int, line func(i int) string) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range lines {
		fmt.Fprintln(w, line(i))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

func customerLine(i int) string {
	if i == 0 {
		return "external_reference,name,email,phone,currency,balance,metadata.tariff,due_date"
	}
	return fmt.Sprintf("ACC-%d,Customer Number %d,customer%d@example.com,+2782%07d,ZAR,%d,home,2026-12-01", i, i, i, i%10_000_000, i%100_000)
}

// BenchmarkImport imports a file into the stand-in with the limit out of the way, every row recorded durably.
func BenchmarkImport(b *testing.B) {
	for _, rows := range []int{10_000, 50_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			for range b.N {
				dir := b.TempDir()
				api, err := sandbox.Start(b.Context(), sandbox.Options{Dir: filepath.Join(dir, "moment"), ForgetRequests: true})
				if err != nil {
					b.Fatal(err)
				}
				file, cfg := filepath.Join(dir, "customers.csv"), filepath.Join(dir, "tallyman.yaml")
				generate(b, file, rows+1, customerLine)
				generate(b, cfg, 1, func(int) string {
					return fmt.Sprintf("merchant: acme\napi: {base_url: %s, key: %s, rate: 1000000, concurrency: %d}", api.APIURL(), api.SecretKey(sandbox.Test), benchConcurrency)
				})
				measure(b, "rows", rows, exec.Command("tallyman", "import", "--quiet", "--config", cfg, file))
				if err := api.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDryRun decides for every row of a file and sends nothing.
func BenchmarkDryRun(b *testing.B) {
	for _, rows := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			dir := b.TempDir()
			file, cfg := filepath.Join(dir, "customers.csv"), filepath.Join(dir, "tallyman.yaml")
			generate(b, file, rows+1, customerLine)
			generate(b, cfg, 1, func(int) string { return "merchant: acme\napi: {key: sk_test_benchmark, mode: test}" })
			for range b.N {
				measure(b, "rows", rows, exec.Command("tallyman", "import", "--quiet", "--dry-run", "--config", cfg, file))
			}
		})
	}
}

// BenchmarkReconcile reconciles files alone: five events a customer, bare events as another receiver would log them.
func BenchmarkReconcile(b *testing.B) {
	for _, events := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(events), func(b *testing.B) {
			dir := b.TempDir()
			expected, journal := filepath.Join(dir, "expected.csv"), filepath.Join(dir, "events.jsonl")
			customers := events / 5
			generate(b, expected, customers+1, func(i int) string {
				if i == 0 {
					return "customer_id,external_reference,name,currency,balance"
				}
				return fmt.Sprintf("bcus_%026d,ACC-%d,Customer Number %d,ZAR,50000", i, i, i)
			})
			generate(b, journal, events, func(i int) string {
				return fmt.Sprintf(`{"id":"evt_%024d","type":"obligation.amount_applied","data":{"id":"ob_%020d","amount":%d,"currency":"ZAR","payment_id":"pay_%020d","customer_id":"bcus_%026d","created_at":"2026-11-22T08:45:00Z","updated_at":"2026-11-22T08:45:00Z"}}`,
					i, i, 1000+i%9000, i, 1+i*7919%customers)
			})
			for range b.N {
				measure(b, "events", events, exec.Command("tallyman", "reconcile", "--quiet", "--expected", expected, "--journal", journal, "--out", filepath.Join(dir, "report")))
			}
		})
	}
}
