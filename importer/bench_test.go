package importer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tallyman/formats"
	"tallyman/internal/sandbox"
)

// benchmarkConcurrency is how many requests are in flight in the benchmarks.
const benchmarkConcurrency = 64

// BenchmarkImport imports customers that are all new, every row recorded durably, against a sandbox on this machine with the
// limit out of the way; one operation is one row. BenchmarkBareClient is what to compare it with.
func BenchmarkImport(b *testing.B) {
	s := startSandbox(b, sandbox.Options{ForgetRequests: true})
	c := clientOf(b, s, benchmarkConcurrency)
	l := openLedger(b, b.TempDir())
	o := optionsFor(b)
	o.Concurrency = benchmarkConcurrency
	f := fileOnDisk(b, b.N, begin(b, l, "2026-11-22", "a"))
	im := New(overHTTP{c}, o)
	b.ReportAllocs()
	b.ResetTimer()
	cpu := cpuTime(b)
	survey, err := im.Survey(b.Context(), f)
	if err != nil {
		b.Fatal(err)
	}
	if err := im.Send(b.Context(), f, survey); err != nil {
		b.Fatal(err)
	}
	a, err := im.Account(b.Context(), f, survey, io.Discard, io.Discard)
	if err != nil || a.Counts[formats.Created] != b.N {
		b.Fatal(a, err)
	}
	report(b, cpu)
}

// BenchmarkBareClient sends the same requests from as many goroutines with nothing but net/http, and records nothing.
func BenchmarkBareClient(b *testing.B) {
	s := startSandbox(b, sandbox.Options{ForgetRequests: true})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchmarkConcurrency}}
	b.Cleanup(client.CloseIdleConnections)
	im := New(nil, optionsFor(b))
	b.ReportAllocs()
	b.ResetTimer()
	cpu := cpuTime(b)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range benchmarkConcurrency {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				reference := fmt.Sprint("C-", n)
				body := createBody(formats.Customer{ExternalReference: reference, Name: "Ada Ngcobo", Email: "ada@example.com", Currency: "ZAR", Balance: formats.BalanceOf(24000)})
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.APIURL()+"/billing/customers", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+s.SecretKey(sandbox.Test))
				req.Header.Set("Idempotency-Key", im.idempotencyKey(operationCreate, reference, body, 0))
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	report(b, cpu)
}

// BenchmarkDryRun decides about customers that are all new, without a ledger; one operation is one row.
func BenchmarkDryRun(b *testing.B) {
	o := optionsFor(b)
	o.DryRun = true
	f := fileOnDisk(b, b.N, nothing{})
	im := New(nil, o)
	b.ReportAllocs()
	b.ResetTimer()
	survey, err := im.Survey(b.Context(), f)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := im.Account(b.Context(), f, survey, io.Discard, io.Discard); err != nil {
		b.Fatal(err)
	}
}

// nothing is on record.
type nothing struct{ Ledger }

func (nothing) Rows(context.Context, int, int) ([]*Row, error) { return nil, nil }
func (nothing) Standings(context.Context, []string) (map[string]Standing, error) {
	return nil, nil
}

// fileOnDisk writes a customer file of n rows.
func fileOnDisk(b *testing.B, n int, records Ledger) File {
	b.Helper()
	path := filepath.Join(b.TempDir(), "customers.csv")
	var content bytes.Buffer
	content.WriteString(header)
	for i := range n {
		fmt.Fprintf(&content, "C-%d,Ada Ngcobo,ada@example.com,24000,,\n", i+1)
	}
	if err := os.WriteFile(path, content.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	f := fileOf("", records)
	f.Open = func() (io.ReadCloser, error) { return os.Open(path) }
	f.Scratch = b.TempDir()
	return f
}

// cpuTime returns the processor time that this process has used, the sandbox's included.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(b *testing.B, before time.Duration) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/row")
}
