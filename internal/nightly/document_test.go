package nightly

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The worked example of docs/reconciliation.md is what the program does, to the byte.
func TestWorkedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/reconciliation.md")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)```(?:csv|json) (\\S+)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		files[block[1]] = block[2]
	}
	dir := t.TempDir()
	for _, name := range []string{"expected.csv", "events.jsonl"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	reporter := &Reporter{Log: quiet()}
	report, err := reporter.Report(t.Context(), ReportRequest{
		From: from, To: from.AddDate(0, 0, 1), Expected: filepath.Join(dir, "expected.csv"), Journals: []string{filepath.Join(dir, "events.jsonl")}, Out: filepath.Join(dir, "report"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"balances.csv", "payments.csv"} {
		got, err := os.ReadFile(filepath.Join(report.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != files[name] {
			t.Errorf("%s is\n%s\nand the document says\n%s", name, got, files[name])
		}
	}
	total := report.Summary.RollForward
	if len(total) != 1 || total[0].Opening != "655.00" || total[0].Paid != "570.00" || total[0].Closing != "85.00" || report.Breaks != 1 {
		t.Errorf("%+v, %d breaks", total, report.Breaks)
	}
	exceptions, err := os.ReadFile(filepath.Join(report.Dir, "exceptions.csv"))
	if err != nil || strings.Count(string(exceptions), "differs by one character") != 3 {
		t.Errorf("%s, %v", exceptions, err)
	}
}
