package nightly

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tallyman/internal/ledger"
	"tallyman/internal/overview"
	"tallyman/internal/sandbox"
)

// The formats of the configuration decide what is made and what is delivered, each with its checksum.
func TestFormats(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", "A,Ann,ZAR,10000,2026-03-01")
	w.cfg.Reports.Formats = []string{"xlsx"}
	w.cfg.Reports.ExcelCSV.Separator = ";"
	r := w.night("2026-03-16")
	for _, name := range []string{"balances.csv", "summary.json", "report.xlsx", "balances.excel.csv", "changes.excel.csv"} {
		if _, err := os.Stat(filepath.Join(r.Report.Dir, name)); err != nil || !slices.Contains(r.Report.Files, name) {
			t.Errorf("%s: %v, %v", name, err, r.Report.Files)
		}
	}
	if _, err := os.Stat(filepath.Join(r.Report.Dir, "report.html")); err == nil {
		t.Error("there is a page")
	}
	delivered := names(t, w.api.DeliverDir())
	for _, name := range []string{"sandbox_2026-03-16_report.xlsx", "sandbox_2026-03-16_summary.json", "sandbox_2026-03-16_balances.excel.csv", "za_sandbox_dailyfile_2026-03-16.outcome.csv"} {
		if !slices.Contains(delivered, name) || !slices.Contains(delivered, name+".sha256") {
			t.Errorf("%s was not delivered with its checksum: %v", name, delivered)
		}
	}
	if slices.Contains(delivered, "sandbox_2026-03-16_balances.csv") {
		t.Error("balances.csv was delivered, and csv is no format")
	}
	sum, err := sha256Of(filepath.Join(w.api.DeliverDir(), "sandbox_2026-03-16_report.xlsx"))
	text, err2 := os.ReadFile(filepath.Join(w.api.DeliverDir(), "sandbox_2026-03-16_report.xlsx.sha256"))
	if err != nil || err2 != nil || string(text) != sum+"  sandbox_2026-03-16_report.xlsx\n" {
		t.Errorf("%q, %v, %v", text, err, err2)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// A report that is made again in the same directory with fewer formats leaves nothing there that does not agree.
func TestStaleRenderingsGo(t *testing.T) {
	dir := t.TempDir()
	expected, events := filepath.Join(dir, "expected.csv"), filepath.Join(dir, "events.jsonl")
	if err := os.WriteFile(expected, []byte("customer_id,currency,balance\nbcus_1,ZAR,100\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(events, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Reporter{Log: quiet(), Rendering: EveryFormat()}
	r.Rendering.Excel = ExcelCSV{Separator: ';', Decimal: ","}
	q := ReportRequest{Expected: expected, Journals: []string{events}, Out: filepath.Join(dir, "report")}
	for _, want := range []bool{true, false} {
		report, err := r.Report(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"report.xlsx", "report.html", "payments.excel.csv"} {
			if _, err := os.Stat(filepath.Join(report.Dir, name)); (err == nil) != want {
				t.Errorf("%s: %v", name, err)
			}
		}
		r.Rendering = Rendering{}
	}
}

func TestExcelCells(t *testing.T) {
	zone, err := time.LoadLocation("Africa/Johannesburg")
	if err != nil {
		t.Fatal(err)
	}
	e := ExcelCSV{Separator: ';', Decimal: ","}
	for _, c := range []struct {
		kind       overview.Kind
		cell, want string
	}{
		{overview.Money, "-1234.50", "-1234,50"},
		{overview.Money, "", ""},
		{overview.Count, "-3", "-3"},
		{overview.Date, "2026-03-16", "2026-03-16"},
		{overview.Instant, "2026-03-16T22:30:00.5Z", "2026-03-17 00:30:00"},
		{overview.ID, "0042", `="0042"`},
		{overview.ID, "4000000000000042", `="4000000000000042"`},
		{overview.ID, "SEP-2", `="SEP-2"`},
		{overview.ID, "=1+1", `="=1+1"`},
		{overview.ID, `"&HYPERLINK("x")&"`, `="""&HYPERLINK(""x"")&"""`},
		{overview.ID, "", ""},
		{overview.ID, "a\tb", "a\tb"},
		{overview.ID, "\t=1", "'\t=1"},
		{overview.ID, "=" + strings.Repeat("9", 300), "'=" + strings.Repeat("9", 300)},
		{overview.Text, "=1+1", "'=1+1"},
		{overview.Text, "Zoë", "Zoë"},
		{overview.Text, "1/2", `="1/2"`},
		{overview.Instant, "never", "never"},
	} {
		if got := e.cell(c.kind, c.cell, zone); got != c.want {
			t.Errorf("%d %q: %q, want %q", c.kind, c.cell, got, c.want)
		}
	}
}

// The rendering begins with a byte order mark, and the machine file beside it is untouched.
func TestExcelFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payments.csv")
	text := "event_id,amount,status\nevt_1,1.50,applied\n'=x,,held\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := (ExcelCSV{Separator: ';', Decimal: ","}).write(&b, path, time.UTC); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffevent_id;amount;status\r\n\"=\"\"evt_1\"\"\";1,50;applied\r\n\"=\"\"=x\"\"\";;held\r\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestMoved(t *testing.T) {
	figure := func(name, value string) ledger.Figure { return ledger.Figure{Name: name, Value: value} }
	signed := []ledger.Figure{figure("ZAR paid", "1.00"), figure("JPY paid", "5"), figure("breaks", "0"), figure(positions, "ab")}
	for _, c := range []struct {
		name string
		now  []ledger.Figure
		want []overview.Moved
	}{
		{"nothing", signed, []overview.Moved{}},
		{"a total", []ledger.Figure{figure("ZAR paid", "2.00"), figure("JPY paid", "5"), figure("breaks", "0"), figure(positions, "cd")}, []overview.Moved{{Figure: "ZAR paid", Signed: "1.00", Now: "2.00"}}},
		{"a customer", []ledger.Figure{figure("ZAR paid", "1.00"), figure("JPY paid", "5"), figure("breaks", "0"), figure(positions, "cd")}, []overview.Moved{{Figure: positions, Signed: "as signed", Now: "other figures"}}},
		{"a currency gone", []ledger.Figure{figure("ZAR paid", "1.00"), figure("breaks", "0"), figure(positions, "ab")}, []overview.Moved{{Figure: "JPY paid", Signed: "5", Now: "nothing"}}},
		{"a currency more", append(slices.Clone(signed), figure("BHD paid", "1.000")), []overview.Moved{{Figure: "BHD paid", Signed: "nothing", Now: "1.000"}}},
	} {
		if diff := cmp.Diff(c.want, Moved(signed, c.now)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
