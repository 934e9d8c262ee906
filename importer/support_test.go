package importer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tallyman/formats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// header is that of the tests' files.
const header = "external_reference,name,email,balance,metadata.tariff,due_date\n"

// fileText returns a customer file with the rows given.
func fileText(rows ...string) string { return header + strings.Join(rows, "\n") + "\n" }

// fileOf returns a file with a text, in ZAR.
func fileOf(content string, records Ledger) File {
	return File{
		Open:    func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
		Customs: formats.CustomerOptions{Currency: "ZAR"}, Scratch: os.TempDir(), Ledger: records, // nothing is spilled below 65,536 records

	}
}

// quick are waits for tests in real time.
func quick() Waits {
	return Waits{First: time.Millisecond, Most: 5 * time.Millisecond, Stale: time.Millisecond, Tries: 4}
}

func optionsFor(t testing.TB) Options {
	return Options{
		Merchant: "acme", Mode: "test", Existing: Update, Concurrency: 4, Waits: quick(), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// told is what an import told of itself.
type told struct {
	account  *Account
	err      error // of Send
	outcomes []byte
	rejects  []byte
	rows     []formats.OutcomeRow
}

// row returns the outcome of a reference's first record.
func (r told) row(t testing.TB, reference string) formats.OutcomeRow {
	t.Helper()
	i := slices.IndexFunc(r.rows, func(o formats.OutcomeRow) bool { return o.ExternalReference == reference })
	if i < 0 {
		t.Fatalf("no outcome for %s in\n%s", reference, r.outcomes)
	}
	return r.rows[i]
}

// outcome is an outcome with its reason: "created", "in_doubt balance_moved".
func (r told) outcome(t testing.TB, reference string) string {
	t.Helper()
	o := r.row(t, reference)
	return strings.TrimSpace(string(o.Outcome) + " " + o.Reason)
}

// run surveys, sends and accounts for a file.
func run(ctx context.Context, t testing.TB, api API, o Options, f File) told {
	t.Helper()
	im := New(api, o)
	s, err := im.Survey(ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	sent := im.Send(ctx, f, s)
	return account(context.WithoutCancel(ctx), t, im, f, s, sent)
}

func account(ctx context.Context, t testing.TB, im *Importer, f File, s *Survey, sent error) told {
	t.Helper()
	var outcomes, rejects bytes.Buffer
	a, err := im.Account(ctx, f, s, &outcomes, &rejects)
	if err != nil {
		t.Fatal(err)
	}
	return told{account: a, err: sent, outcomes: outcomes.Bytes(), rejects: rejects.Bytes(), rows: parseOutcomes(t, outcomes.Bytes())}
}

// parseOutcomes reads an outcome file by its column names, with other code than wrote it.
func parseOutcomes(t testing.TB, data []byte) []formats.OutcomeRow {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := "line,external_reference,outcome,customer_id,currency,balance,payable,http_status,attempts,reason,detail"
	if got := strings.Join(records[0], ","); got != want {
		t.Fatalf("header %s", got)
	}
	var rows []formats.OutcomeRow
	for _, r := range records[1:] {
		var o formats.OutcomeRow
		o.ExternalReference, o.Outcome, o.CustomerID, o.Currency, o.Payable = r[1], formats.Outcome(r[2]), r[3], r[4], r[6]
		o.Reason, o.Detail = r[9], r[10]
		for _, n := range []struct {
			to   *int
			text string
		}{{&o.Line, r[0]}, {&o.HTTPStatus, r[7]}, {&o.Attempts, r[8]}} {
			if n.text != "" {
				if _, err := fmt.Sscan(n.text, n.to); err != nil {
					t.Fatal(err)
				}
			}
		}
		if r[5] != "" {
			o.Balance.Set = true
			if _, err := fmt.Sscan(r[5], &o.Balance.Minor); err != nil {
				t.Fatal(err)
			}
		}
		rows = append(rows, o)
	}
	return rows
}

func digest(body []byte) [32]byte { return sha256.Sum256(body) }
