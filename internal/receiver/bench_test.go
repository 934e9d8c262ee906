package receiver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tallyman/internal/journal"
)

const benchBody = `{"id":"evt_2341234567890abcdef","type":"obligation.amount_applied","data":{"id":"ob_N2a38DJQWPL8K4X42354234",` +
	`"amount":15000,"currency":"ZAR","payment_id":"pay_1313235234843nmafdsa","customer_id":"bcus_2a38DJQWPL8K4X42354234",` +
	`"created_at":"2025-06-18T08:45:00Z","updated_at":"2025-06-18T08:45:00Z","metadata":{"event_id":"wellness_joburg_2025"}}}`

// reference is the least that a receiver can be: it verifies, appends and
// answers after a sync that concurrent deliveries share. It knows no chain, no
// duplicates, no window and no limits.
type reference struct {
	secrets journal.Secrets
	file    *os.File
	queue   chan referenceLine
}

type referenceLine struct {
	text []byte
	done chan error
}

func (f *reference) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	id, stamp, signature := r.Header.Get(headerID), r.Header.Get(headerTimestamp), r.Header.Get(headerSignature)
	if _, ok := f.secrets.Verify(id, stamp, signature, body); !ok || err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	line := referenceLine{done: make(chan error)}
	line.text = fmt.Appendf(nil, "{\"id\":%q,\"timestamp\":%s,\"signature\":%q,\"event\":%s}\n", id, stamp, signature, body)
	f.queue <- line
	if <-line.done != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *reference) run() {
	var text []byte
	var batch []referenceLine
	for line := range f.queue {
		text, batch = append(text[:0], line.text...), append(batch[:0], line)
		for more := true; more && len(batch) < 1024; {
			select {
			case line, more = <-f.queue:
				text, batch = append(text, line.text...), append(batch, line)
			default:
				more = false
			}
		}
		_, err := f.file.Write(text)
		if err == nil {
			err = f.file.Sync()
		}
		for _, line := range batch {
			line.done <- err
		}
	}
}

// benchServer serves a handler as Serve does and returns its address.
func benchServer(b *testing.B, handler http.Handler) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, ServeOptions{Handler: handler}) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return l.Addr().String()
}

func benchSecret(b *testing.B) journal.Secret {
	b.Helper()
	s, err := journal.ParseSecret(secretText(0))
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func benchReceiver(b *testing.B, s journal.Secret) string {
	b.Helper()
	w, err := journal.Open(b.Context(), b.TempDir(), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.Close() })
	rc, err := New(Options{Journal: w, Secrets: journal.Secrets{s}, Path: path, AddressLimit: 50})
	if err != nil {
		b.Fatal(err)
	}
	return benchServer(b, rc)
}

func benchReference(b *testing.B, s journal.Secret) string {
	b.Helper()
	file, err := os.OpenFile(filepath.Join(b.TempDir(), "events"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	f := &reference{secrets: journal.Secrets{s}, file: file, queue: make(chan referenceLine)}
	var wg sync.WaitGroup
	wg.Go(f.run)
	b.Cleanup(func() {
		close(f.queue)
		wg.Wait()
		_ = file.Close()
	})
	return benchServer(b, f)
}

// wire is a connection that speaks just enough HTTP to cost little beside the
// server.
type wire struct {
	conn    net.Conn
	from    *bufio.Reader
	request []byte
	secret  journal.Secret
}

func dial(b *testing.B, addr string, s journal.Secret) *wire {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return &wire{conn: conn, from: bufio.NewReader(conn), secret: s}
}

// deliver signs and sends one event and waits for its answer.
func (w *wire) deliver(id string) error {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	signature := w.secret.Sign(id, stamp, []byte(benchBody))
	w.request = fmt.Appendf(w.request[:0], "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nWebhook-Id: %s\r\nWebhook-Timestamp: %s\r\nWebhook-Signature: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, id, stamp, signature, len(benchBody), benchBody)
	if _, err := w.conn.Write(w.request); err != nil {
		return err
	}
	status, err := w.from.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 204")) {
		return fmt.Errorf("answer %q", status)
	}
	for len(bytes.TrimSpace(status)) > 0 {
		if status, err = w.from.ReadSlice('\n'); err != nil {
			return err
		}
	}
	return nil
}

const benchConnections = 64

// flood delivers count events over all connections and returns how long it took.
func flood(b *testing.B, wires []*wire, next *atomic.Int64, count int64) time.Duration {
	b.Helper()
	start, end := time.Now(), next.Load()+count
	var wg sync.WaitGroup
	for _, w := range wires {
		wg.Go(func() {
			for n := next.Add(1); n <= end; n = next.Add(1) {
				if err := w.deliver("msg_" + strconv.FormatInt(n, 10)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	next.Store(end)
	return time.Since(start)
}

// BenchmarkReceiver delivers over 64 connections to our receiver and to the
// reference in turn, so that both meet the same machine, and reports how many
// events a second each took and the ratio of the two.
func BenchmarkReceiver(b *testing.B) {
	s := benchSecret(b)
	type side struct {
		wires []*wire
		next  atomic.Int64
		took  time.Duration
	}
	sides := [2]*side{{}, {}}
	for i, addr := range []string{benchReceiver(b, s), benchReference(b, s)} {
		for range benchConnections {
			sides[i].wires = append(sides[i].wires, dial(b, addr, s))
		}
	}
	const round = 4096
	b.ResetTimer()
	for left := b.N; left > 0; left -= round {
		for _, side := range sides {
			side.took += flood(b, side.wires, &side.next, int64(min(left, round)))
		}
	}
	rate := func(i int) float64 { return float64(b.N) / sides[i].took.Seconds() }
	b.ReportMetric(rate(0), "events/s")
	b.ReportMetric(rate(1), "reference/s")
	b.ReportMetric(rate(0)/rate(1), "ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkReceiverLatency delivers 500 events a second, whether or not the ones
// before are answered, and reports the time from the first byte to the answer.
func BenchmarkReceiverLatency(b *testing.B) {
	const pace = time.Second / 500
	s := benchSecret(b)
	addr := benchReceiver(b, s)
	free := make(chan *wire, benchConnections)
	for range benchConnections {
		free <- dial(b, addr, s)
	}
	took := make([]time.Duration, b.N)
	var wg sync.WaitGroup
	tick := time.NewTicker(pace)
	defer tick.Stop()
	b.ResetTimer()
	for i := range took {
		due := <-tick.C
		wg.Go(func() {
			w := <-free
			if err := w.deliver("msg_" + strconv.Itoa(i)); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(due)
			free <- w
		})
	}
	wg.Wait()
	slices.Sort(took)
	at := func(permille int) float64 {
		return float64(took[min(len(took)-1, len(took)*permille/1000)].Microseconds()) / 1000
	}
	b.ReportMetric(at(500), "p50-ms")
	b.ReportMetric(at(990), "p99-ms")
	b.ReportMetric(at(1000), "max-ms")
	b.ReportMetric(0, "ns/op")
}
