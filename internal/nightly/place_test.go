package nightly

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// oddJournal makes a journal in which everything that can be wrong with a line is wrong with some, in a random order.
func oddJournal(seed uint64, lines int) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for range lines {
		n := r.IntN(lines)
		event := fmt.Sprintf(`{"id":"evt_%d","type":"obligation.amount_applied","data":{"id":"ob_%d","amount":%d,"currency":"ZAR","payment_id":"pay_%d","customer_id":"bcus_%d","created_at":"2026-11-22T%02d:45:00Z"}}`,
			n, n, 100+n, n/2, n%40, n%24)
		switch r.IntN(16) {
		case 0:
			event = strings.ReplaceAll(event, `,"`, `, "`) // the strict reader's
		case 1:
			event = strings.Replace(event, "bcus_", "b\\u0063us_", 1)
		case 2:
			event = strings.Replace(event, `"ZAR"`, `"USD"`, 1)
		case 3:
			event = strings.Replace(event, `"customer_id":"bcus_`, `"account_id":"bacc_`, 1)
		case 4:
			event = strings.Replace(event, `"amount":`, `"amount":-`, 1)
		case 5:
			event = event[:r.IntN(len(event))]
		case 6:
			event = strings.Replace(event, "evt_", "evt_again_", 1)
		case 7:
			event = ""
		case 8:
			event = strings.Replace(event, `"amount":1`, `"amount":9`, 1)
		case 9:
			event = strings.Replace(event, "2026-11-22T", "0001-01-01T", 1)
		case 10:
			event = strings.Replace(event, "obligation.amount_applied", "payment.succeeded", 1)
		}
		b.WriteString(event)
		b.WriteByte('\n')
	}
	return b.String()
}

// reportFiles reconciles and returns every byte of the report.
func reportFiles(t *testing.T, r *Reporter, q ReportRequest) string {
	t.Helper()
	q.Out = t.TempDir()
	r.Log = slog.New(slog.DiscardHandler)
	if _, err := r.Report(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range []string{"balances.csv", "payments.csv", "exceptions.csv", "summary.json"} {
		text, err := os.ReadFile(filepath.Join(q.Out, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "-- %s --\n%s", name, text)
	}
	return all.String()
}

// oddInputs writes an expected file and a journal.
func oddInputs(t *testing.T, seed uint64, lines int) (expected, journal string) {
	t.Helper()
	dir := t.TempDir()
	var customers strings.Builder
	customers.WriteString("customer_id,external_reference,name,currency,balance,due_date\n")
	for i := range 30 {
		fmt.Fprintf(&customers, "bcus_%d,-A%d,Zoë %d,ZAR,%d,2026-11-%02d\n", i, i%7, i, i*100, i%28+1)
	}
	expected, journal = filepath.Join(dir, "expected.csv"), filepath.Join(dir, "events.jsonl")
	for path, text := range map[string]string{expected: customers.String(), journal: oddJournal(seed, lines)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return expected, journal
}

// The report is the same to the byte if what is remembered of its events goes to disk.
func TestReportSpilled(t *testing.T) {
	expected, journal := oddInputs(t, 5, 70_000)
	out := filepath.Dir(expected)
	q := ReportRequest{Expected: expected, Journals: []string{journal}}
	want := reportFiles(t, &Reporter{}, q)
	if got := reportFiles(t, &Reporter{Memory: 1}, q); got != want {
		t.Error("another report")
	}
	files := &spillFiles{dir: out}
	f, err := files.create()
	if err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(out, ".spill*")); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	if err := errors.Join(f.Close(), f.Close(), files.close()); err != nil {
		t.Error(err)
	}
}

// The report is the same to the byte, whatever number of workers read the journal and wherever its blocks end: of all there
// is, and of a period that most events lie outside of.
func TestReportByWorkersAndBlocks(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for seed, q := range []ReportRequest{{}, {From: noon, To: noon.Add(6 * time.Hour)}} {
		expected, journal := oddInputs(t, uint64(seed), 400)
		q.Expected, q.Journals = expected, []string{journal}
		want := reportFiles(t, &Reporter{Workers: 1}, q)
		if strings.Count(want, "applied") < 50 || strings.Count(want, "held") < 20 || strings.Contains(want, "out_of_period") == q.From.IsZero() {
			t.Fatal("the journal is too poor to prove anything")
		}
		for workers := 1; workers <= 8; workers++ {
			for _, block := range []int{1, 777, 0} {
				if got := reportFiles(t, &Reporter{Workers: workers, Block: block}, q); got != want {
					t.Fatalf("%d workers, blocks of %d bytes: another report:\n%s\nwant\n%s", workers, block, got, want)
				}
			}
		}
	}
}
