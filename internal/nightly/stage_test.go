package nightly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/ledger"
	"tallyman/internal/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a wall clock that the test sets.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// at sets the clock to a time of RFC 3339.
func (c *clock) at(t *testing.T, text string) {
	t.Helper()
	now, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	c.now = now
}

// world is a sandbox with a configuration for it, a clock and a journal that is written to directly.
type world struct {
	t     *testing.T
	dir   string
	api   *sandbox.Sandbox
	cfg   *config.Config
	clock *clock
	key   journal.Secret
}

func newWorld(t *testing.T, o sandbox.Options) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: &clock{}}
	w.clock.at(t, "2026-03-16T04:30:00Z")
	o.Dir = filepath.Join(w.dir, "sandbox")
	var err error
	if w.api, err = sandbox.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.api.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := w.api.WriteConfig(); err != nil {
		t.Fatal(err)
	}
	w.cfg, err = config.Load(w.api.ConfigPath(), config.Environment{}, config.SectionMerchant|config.SectionDataDir|config.SectionAPI|
		config.SectionInbox|config.SectionReconcile|config.SectionReports|config.SectionReceiver)
	if err != nil {
		t.Fatal(err)
	}
	w.cfg.API.Rate, w.cfg.Inbox.Settle, w.cfg.Inbox.ExpectBy = 5000, 0, ""
	if w.key, err = journal.ParseSecret(w.api.WebhookSecret()); err != nil {
		t.Fatal(err)
	}
	return w
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func (w *world) open(command string) *Night {
	w.t.Helper()
	n, err := Open(w.t.Context(), Options{Config: w.cfg, Command: command, Version: "test", Log: quiet(), Now: w.clock.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// night runs a pass for a business date.
func (w *world) night(date string) *Result {
	w.t.Helper()
	n := w.open("run")
	r, err := n.Run(w.t.Context(), RunRequest{Date: date, Secrets: journal.Secrets{w.key}})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// leave puts a day file into the inbox.
func (w *world) leave(date string, rows ...string) {
	w.t.Helper()
	text := "external_reference,name,currency,balance,due_date\n" + strings.Join(rows, "\n") + "\n"
	name := "za_sandbox_dailyfile_" + date + ".csv"
	if err := os.WriteFile(filepath.Join(w.api.InboxDir(), name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// id returns Moment's id of a customer.
func (w *world) id(reference string) string {
	w.t.Helper()
	c, ok := w.api.Customer(sandbox.Test, reference)
	if !ok {
		w.t.Fatalf("%s is not there", reference)
	}
	return c.ID
}

// pay journals a payment as the receiver would, at the clock's time, with a time of its own.
func (w *world) pay(event, customer string, amount int64, createdAt string) {
	w.t.Helper()
	w.payAs(event, event, customer, amount, createdAt)
}

// payAs is pay for money that may have come under another event id.
func (w *world) payAs(event, money, customer string, amount int64, createdAt string) {
	w.t.Helper()
	body := fmt.Sprintf(`{"id":"evt_%s","type":"obligation.amount_applied","data":{"id":"ob_%s","amount":%d,"currency":"ZAR","payment_id":"pay_%s","customer_id":"%s","created_at":"%s"}}`,
		event, money, amount, money, customer, createdAt)
	j, err := journal.Open(w.t.Context(), filepath.Join(w.cfg.DataDir, "journal"), journal.Options{Log: quiet(), Now: w.clock.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	at := w.clock.now.Unix()
	d := journal.Delivery{WebhookID: "msg_" + event, Timestamp: at, Key: w.key.ID(), Body: []byte(body)}
	d.Signature = w.key.Sign(d.WebhookID, strconv.FormatInt(at, 10), d.Body)
	if _, err := j.Append(w.t.Context(), d); err != nil {
		w.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// dry is what a dry run of a day file says of its records.
func (w *world) dry(rows ...string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, "za_sandbox_dailyfile_"+w.clock.now.Format(time.DateOnly)+".csv")
	if err := os.WriteFile(path, []byte("external_reference,name,currency,balance,due_date\n"+strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	n, err := Open(w.t.Context(), Options{Config: w.cfg, Command: "import", Version: "test", Log: quiet(), Now: w.clock.Now, DryRun: true})
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := n.Import(w.t.Context(), ImportRequest{Sources: []string{path}})
	if err := errors.Join(err, n.Close()); err != nil {
		w.t.Fatal(err)
	}
	return w.outcomes(r)
}

// outcomes returns the outcome file of a run with one file.
func (w *world) outcomes(r *Result) string {
	w.t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.cfg.DataDir, "runs", r.RunID, "*.outcome.csv"))
	if err != nil || len(paths) != 1 {
		w.t.Fatalf("outcome files %v, %v", paths, err)
	}
	text, err := os.ReadFile(paths[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// balance returns a customer's row of a report.
func (w *world) balance(r *Report, reference string) map[string]string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.Dir, "balances.csv"))
	if err != nil {
		w.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	names := strings.Split(lines[0], ",")
	for _, line := range lines[1:] {
		cells := strings.Split(line, ",")
		row := map[string]string{}
		for i, name := range names {
			row[name] = cells[i]
		}
		if row["external_reference"] == reference {
			return row
		}
	}
	w.t.Fatalf("%s is not in the report:\n%s", reference, text)
	return nil
}

// figures are the roll-forward of a balance row in one text.
func figures(row map[string]string) string {
	return fmt.Sprintf("%s + %s - %s = %s %s", row["opening_balance"], row["billed"], row["paid"], row["closing_balance"], row["status"])
}

func openLedger(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.WithoutCancel(t.Context()), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}
