package formats

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every column, status and reason that a report can hold stands in docs/reports.md.
func TestReportsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/reports.md")
	check(t, err)
	sections := map[string]string{}
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		name, rest, _ := strings.Cut(section, "\n")
		sections[name] = rest
	}
	has := func(section, word string) {
		t.Helper()
		if !strings.Contains(sections[section], "`"+word+"`") {
			t.Errorf("docs/reports.md does not say in %q what %s is", section, word)
		}
	}
	header := func(begin func(io.Writer) error) []string {
		var file bytes.Buffer
		check(t, begin(&file))
		return strings.Split(strings.TrimSpace(file.String()), ",")
	}
	for name, columns := range map[string][]string{
		"balances.csv": header(func(w io.Writer) error {
			b, err := NewBalanceWriter(w)
			return errorOr(err, b.Flush)
		}),
		"payments.csv": header(func(w io.Writer) error {
			p, err := NewPaymentWriter(w)
			return errorOr(err, p.Flush)
		}),
		"exceptions.csv": exceptionColumns(), "changes.csv": changeColumns(), "assertions.csv": assertionColumns(), "matches.csv": matchColumns(),
	} {
		for _, column := range columns {
			has(name, column)
		}
	}
	for _, word := range []string{StatusSettled, StatusPartPaid, StatusOverpaid, StatusUnpaid, StatusInCredit, StatusNothingDue} {
		has("balances.csv", word)
	}
	for _, word := range []string{StatusApplied, StatusUnapplied, StatusHeld, StatusDuplicate, StatusExcluded, SignatureVerified, SignatureUnverified, SignatureFailed} {
		has("payments.csv", word)
	}
	for _, word := range []string{SeverityBreak, SeverityNotice, SeverityClosed} {
		has("exceptions.csv", word)
	}
	for _, word := range []string{MatchBoth, MatchWebhookOnly, MatchReportOnly} {
		has("matches.csv", word)
	}
	for _, reason := range reasons(t) {
		has("Reasons, and what to do", reason)
		severity, listed := Severity(reason)
		if listed && !strings.Contains(sections["Reasons, and what to do"], "| `"+reason+"` | "+severity+" |") {
			t.Errorf("docs/reports.md does not say that %s is a %s", reason, severity)
		}
	}
}

// reasons are the values of all constants named Reason….
func reasons(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, file := range []string{"report_payment.go", "report_exception.go"} {
		source, err := os.ReadFile(file)
		check(t, err)
		for _, match := range regexp.MustCompile(`(?m)^\tReason\w+\s+= "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
			found = append(found, match[1])
		}
	}
	if !slices.Contains(found, ReasonReversal) || !slices.Contains(found, ReasonReportGap) {
		t.Fatalf("the source has only %q", found)
	}
	return found
}

func errorOr(err error, f func() error) error {
	if err != nil {
		return err
	}
	return f()
}
