// Package reporttest makes real reports for tests of what is made of them: several currencies, with 0, 2 and 3 digits,
// names that are hostile or written from right to left, references that look like numbers and formulas.
package reporttest

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/nightly"
)

// Hostile are names that somebody could give a customer.
var hostile = [...]string{
	`=HYPERLINK("https://evil.example/","pay here")`,
	`<script>document.title="owned"</script>`,
	`<img src=x onerror=alert(1)>`,
	"\u202egnp.egami",
	"مكتب الكهرباء والمياه",
	"שלום עולם",
	"'=1+1",
	`"><style>body{display:none}</style>`,
	"Zoë 🇿🇦 Ng'ang'a",
	"+27821234567",
	"-5",
	"@SUM(A1:A9)",
	"=cmd|' /C calc'!A0",
	"{{.Style}}",
	"WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
	"tab\tand\nline",
}

// Name is the name of the i-th customer.
func Name(i int) string { return hostile[i%len(hostile)] }

// Reference is the external reference of the i-th customer: with leading zeros, of 16 digits, or one that a spreadsheet
// would compute.
func Reference(i int) string {
	switch i % 4 {
	case 0:
		return fmt.Sprintf("%07d", i)
	case 1:
		return fmt.Sprintf("9007199254%06d", i)
	case 2:
		return fmt.Sprintf("-%d", i)
	}
	return fmt.Sprintf("SEP-%d", i)
}

// Options say what is in a report.
type Options struct {
	Customers int
	// Quiet leaves out what needs a person.
	Quiet bool
	// Rendering is what the reporter makes; none by default.
	Rendering nightly.Rendering
}

// Write makes a report in a new directory and returns it. The business date is 2026-11-22 in Johannesburg.
func Write(t testing.TB, o Options) string {
	t.Helper()
	dir := t.TempDir()
	expected, journal, out := filepath.Join(dir, "expected.csv"), filepath.Join(dir, "events.jsonl"), filepath.Join(dir, "report")
	writeLines(t, expected, func(w *bufio.Writer) { writeExpected(w, o.Customers) })
	writeLines(t, journal, func(w *bufio.Writer) { writeEvents(w, o) })
	zone, err := time.LoadLocation("Africa/Johannesburg")
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := config.NewCalendar(zone, "24:00")
	if err != nil {
		t.Fatal(err)
	}
	reporter := &nightly.Reporter{Calendar: calendar, Rendering: o.Rendering, Log: slog.New(slog.DiscardHandler)}
	if _, err := reporter.Report(t.Context(), nightly.ReportRequest{Date: "2026-11-22", Expected: expected, Journals: []string{journal}, Out: out}); err != nil {
		t.Fatal(err)
	}
	return out
}

func writeLines(t testing.TB, path string, write func(*bufio.Writer)) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	write(w)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Currency is the currency of the i-th customer.
func Currency(i int) string { return []string{"ZAR", "JPY", "BHD"}[i%3] }

func writeExpected(w *bufio.Writer, customers int) {
	_, _ = fmt.Fprintln(w, "customer_id,currency,balance,external_reference,name,due_date")
	for i := range customers {
		due := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -(i*13)%140).Format(time.DateOnly)
		_, _ = fmt.Fprintf(w, "bcus_%06d,%s,%d,%s,%s,%s\n", i, Currency(i), 10_000+i%977, Reference(i), quoted(Name(i)), due)
	}
}

func quoted(text string) string {
	out := `"`
	for _, r := range text {
		if r == '"' {
			out += `"`
		}
		out += string(r)
	}
	return out + `"`
}

// writeEvents lets two of three customers pay: most of them what they owe, some less, some more.
func writeEvents(w *bufio.Writer, o Options) {
	pay := func(n int, customer string, amount int, currency, at string) {
		_, _ = fmt.Fprintf(w, `{"id":"evt_%06d","type":"obligation.amount_applied","data":{"id":"ob_%d","payment_id":"%016d","customer_id":%q,"amount":%d,"currency":%q,"created_at":%q}}`+"\n",
			n, n, 4000000000000000+n, customer, amount, currency, at)
	}
	for i := range o.Customers {
		if i%3 == 1 && i%2 == 0 {
			continue
		}
		amount := 10_000 + i%977
		switch i % 7 {
		case 2:
			amount /= 2
		case 3:
			if !o.Quiet {
				amount += 777
			}
		}
		pay(i, fmt.Sprintf("bcus_%06d", i), amount, Currency(i), fmt.Sprintf("2026-11-22T%02d:%02d:00Z", i%22, i%60))
	}
	if o.Quiet {
		return
	}
	pay(o.Customers, "bcus_nobody", 12_345, "ZAR", "2026-11-22T09:00:00Z")
	pay(o.Customers+1, "bcus_000000", 12_345, "EUR", "2026-11-22T09:00:00Z")
	pay(o.Customers+2, "bcus_nobody", 1_234_567, "BHD", "2026-11-22T09:00:00Z")
}

// Replace changes a text in a file of a report, which must be there.
func Replace(t testing.TB, dir, name, from, to string) {
	t.Helper()
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%s does not hold %q", name, from)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), from, to)), 0o600); err != nil {
		t.Fatal(err)
	}
}
