package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tallyman/formats"
)

const benchBody = `{"id":"evt_2341234567890abcdef","type":"obligation.amount_applied","data":{"id":"ob_N2a38DJQWPL8K4X42354234",` +
	`"amount":15000,"currency":"ZAR","payment_id":"pay_1313235234843nmafdsa","customer_id":"bcus_2a38DJQWPL8K4X42354234",` +
	`"created_at":"2025-06-18T08:45:00Z","updated_at":"2025-06-18T08:45:00Z","metadata":{"event_id":"wellness_joburg_2025"}}}`

// BenchmarkAppend appends from 64 goroutines, as 64 connections would.
func BenchmarkAppend(b *testing.B) {
	w, err := Open(context.Background(), b.TempDir(), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	s := testSecret(b, 0)
	d := signed(s, "msg", benchBody)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range 64 {
		wg.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				mine := d
				mine.WebhookID = fmt.Sprint("msg_", n)
				if _, err := w.Append(context.Background(), mine); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(residentMB(b), "rss-MB")
}

// residentMB returns the memory that this process has, in MB; -benchtime
// 5000000x shows what a writer needs for a long life.
func residentMB(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kB int
	if _, rest, ok := strings.Cut(string(text), "VmRSS:"); ok {
		if _, err := fmt.Sscan(rest, &kB); err != nil {
			b.Fatal(err)
		}
	}
	return float64(kB) / 1024
}

// BenchmarkVerify verifies the chain and the signatures of 100,000 lines.
func BenchmarkVerify(b *testing.B) {
	const count = 100_000
	dir := b.TempDir()
	s := testSecret(b, 0)
	line := formats.JournalRecord{ReceivedAt: noon, WebhookTimestamp: noon.Unix(), Key: s.ID(), Prev: formats.JournalGenesis, Body: []byte(benchBody)}
	var all bytes.Buffer
	c := newChain(&findings{}, &findings{}, nil)
	for n := int64(1); n <= count; n++ {
		line.Seq = n
		line.WebhookID = fmt.Sprint("msg_", n)
		line.WebhookSignature = s.Sign(line.WebhookID, fmt.Sprint(noon.Unix()), line.Body)
		text := line.AppendLine(nil)
		c.add(&line, sha256.Sum256(text), position{})
		_, line.Prev = c.end()
		all.Write(append(text, '\n'))
	}
	writeBytes(b, all.Bytes(), dir, pages[0])
	_, hash := c.end()
	writeBytes(b, Witness{Seq: count, Hash: hash}.text(), dir, headName)
	b.SetBytes(int64(all.Len()))
	b.ReportAllocs()
	start := time.Now()
	b.ResetTimer()
	for b.Loop() {
		r, err := Verify(context.Background(), dir, Secrets{s})
		if err != nil || r.DamageCount != 0 || r.Verified != count {
			b.Fatalf("%d verified, damage %v, error %v", r.Verified, r.Damage, err)
		}
	}
	b.ReportMetric(float64(b.N)*count/time.Since(start).Seconds(), "lines/s")
}

// BenchmarkOpen opens a journal of 100,000 lines of the last days.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	w, err := Open(context.Background(), dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for n := range 1600 {
				_, err := w.Append(context.Background(), Delivery{WebhookID: fmt.Sprint(g, "_", n), Body: []byte(benchBody), Signature: strings.Repeat("v", 47)})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		w, err := Open(context.Background(), dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
