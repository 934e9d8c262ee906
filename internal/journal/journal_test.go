package journal

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tallyman/formats"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		os.Exit(victim(dir))
	}
	goleak.VerifyTestMain(m)
}

// noon is when most tests take place.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: noon} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// testLog hands what is logged to the test.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, nil))
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// testSecret returns a secret that depends on n alone.
func testSecret(t testing.TB, n byte) Secret {
	t.Helper()
	key := []byte(strings.Repeat(string(rune('a'+n)), 32))
	s, err := ParseSecret("whsec_" + base64.StdEncoding.EncodeToString(key))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signed returns a delivery that s has signed.
func signed(s Secret, id, body string) Delivery {
	return Delivery{
		WebhookID: id, Timestamp: noon.Unix(), Key: s.ID(), Body: []byte(body),
		Signature: s.Sign(id, fmt.Sprint(noon.Unix()), []byte(body)),
	}
}

func openWriter(t testing.TB, dir string, opt Options) *Writer {
	t.Helper()
	if opt.Now == nil {
		opt.Now = newClock().Now
	}
	if opt.Log == nil {
		opt.Log = testLog(t)
	}
	w, err := Open(t.Context(), dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func closeWriter(t testing.TB, w *Writer) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func appendOne(t testing.TB, w *Writer, d Delivery) Result {
	t.Helper()
	r, err := w.Append(t.Context(), d)
	if err != nil {
		t.Fatalf("append %s: %v", d.WebhookID, err)
	}
	return r
}

// fill makes a journal of count lines in dir, half of them a day later, and
// closes it.
func fill(t testing.TB, dir string, count int) Secret {
	t.Helper()
	c := newClock()
	w := openWriter(t, dir, Options{Now: c.Now})
	s := testSecret(t, 0)
	for i := 1; i <= count; i++ {
		if i == count/2+1 {
			c.set(noon.AddDate(0, 0, 1))
		}
		body := fmt.Sprintf(`{"id":"evt_%d","type":"t"}`, i)
		switch i % 5 {
		case 3:
			body = fmt.Sprintf("text %d\n", i)
		case 4:
			body = fmt.Sprintf("\xff%d", i)
		}
		appendOne(t, w, signed(s, fmt.Sprintf("msg_%d", i), body))
	}
	closeWriter(t, w)
	return s
}

func readBytes(t testing.TB, elem ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeBytes(t testing.TB, b []byte, elem ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(elem...), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// lines returns what Read hands out of path, and what it found.
func lines(t testing.TB, path string) ([]Line, Summary) {
	t.Helper()
	var all []Line
	s, err := Read(context.Background(), path, func(l Line) error {
		l.Raw = append([]byte(nil), l.Raw...)
		l.Record.Body = append([]byte(nil), l.Record.Body...)
		all = append(all, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, s
}

func verify(t testing.TB, path string, secrets ...Secret) Report {
	t.Helper()
	r, err := Verify(context.Background(), path, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sound fails unless the journal in dir has count lines, all verified by s, and
// no damage.
func sound(t testing.TB, dir string, count int64, s Secret) Report {
	t.Helper()
	r := verify(t, dir, s)
	if r.DamageCount != 0 || r.Lines != count || r.Seq != count || r.Verified != count {
		t.Fatalf("%d lines, %d verified, seq %d, damage %v; want %d whole lines", r.Lines, r.Verified, r.Seq, r.Damage, count)
	}
	return r
}

// describe prints findings as "kind file:line".
func describe(list []Finding) string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("%s %s:%d", f.Kind, f.File, f.Line))
	}
	return strings.Join(out, ", ")
}

func parse(t testing.TB, line []byte) formats.JournalRecord {
	t.Helper()
	r, err := formats.ParseJournalLine(line)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
