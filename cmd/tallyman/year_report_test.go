package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
	"tallyman/internal/sandbox"
)

// reported is a row of balances.csv.
type reported struct{ opening, billed, paid, closing, count, status string }

// knownNeed is what a night of the year may need a person for.
var knownNeed = regexp.MustCompile(`^the report has \d+ breaks?: see |^no day file has (ever )?come for |^\S+ \(\w+\) is held: `)

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// cents prints minor units of a currency with two digits.
func cents(v int64) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	return fmt.Sprintf("%s%d.%02d", sign, v/100, v%100)
}

// agree compares the model's books with the sandbox's, the ledger, and the report of yesterday.
func (y *year) agree(report string) {
	y.t.Helper()
	y.agreeWithMoment()
	y.agreeWithLedger()
	yesterday := y.today - 1
	y.agreeWithReport(report, yesterday)
	if !y.continues(yesterday) {
		// Something of the date before has come to light. Its report, made again, has the figures that yesterday begins with.
		y.did["restated"]++
		y.restate(yesterday - 1)
		if !y.continues(yesterday) {
			y.t.Errorf("%s does not open as %s closed, even made again", y.date(yesterday), y.date(yesterday-1))
		}
	}
	if y.books.plain(yesterday) && y.draw("Moment's report", 8) {
		y.agreeWithMomentsReport(yesterday)
	}
	y.decideTwins(report, yesterday)
}

func (y *year) agreeWithMoment() {
	y.t.Helper()
	there := map[string]sandbox.Customer{}
	for _, c := range y.api.Customers(sandbox.Test) {
		if _, twice := there[c.ExternalReference]; twice {
			y.t.Errorf("%s stands there twice", c.ExternalReference)
		}
		there[c.ExternalReference] = c
	}
	for _, ref := range y.books.order {
		c := y.books.customers[ref]
		stands, found := there[ref]
		if found != (len(c.asserted) > 0) || found && *stands.Balance != c.shown {
			y.t.Errorf("Moment shows %+v for %s, the model %d", stands.Balance, ref, c.shown)
		}
	}
	y.noViolations()
}

func (y *year) agreeWithLedger() {
	y.t.Helper()
	l, err := ledger.OpenExisting(y.t.Context(), filepath.Join(y.dir, "data"))
	if err != nil {
		y.t.Fatal(err)
	}
	last, count := map[string]int64{}, 0
	err = l.Assertions(y.t.Context(), "9999-12-31", func(a ledger.Assertion) error {
		last[a.ExternalReference] = a.Balance
		count++
		return nil
	})
	if err := l.Close(); err != nil {
		y.t.Fatal(err)
	}
	if err != nil || count != y.books.assertions {
		y.t.Errorf("the ledger has %d assertions, the model %d; %v", count, y.books.assertions, err)
	}
	for _, ref := range y.books.order {
		c := y.books.customers[ref]
		if n := len(c.asserted); n > 0 && c.asserted[n-1].balance != last[ref] {
			y.t.Errorf("the ledger says %d for %s, the model %d", last[ref], ref, c.asserted[n-1].balance)
		}
	}
}

// agreeWithReport compares every figure of a report with the model's, and keeps its closing balances.
func (y *year) agreeWithReport(dir string, day int) {
	y.t.Helper()
	rows := map[string]reported{}
	for _, r := range table(y.t, filepath.Join(dir, "balances.csv")) {
		rows[r["external_reference"]] = reported{r["opening_balance"], r["billed"], r["paid"], r["closing_balance"], r["payment_count"], r["status"]}
	}
	want := y.books.report(day)
	for _, ref := range slices.Sorted(maps.Keys(want)) {
		if rows[ref] != want[ref] {
			y.t.Errorf("%s of %s: the report says %+v, the model %+v", ref, y.date(day), rows[ref], want[ref])
		}
	}
	if len(rows) != len(want) {
		y.t.Errorf("the report has %d customers, the model %d", len(rows), len(want))
	}
	y.known[y.date(day)] = rows
	y.agreeWithPayments(dir, day)
	y.agreeWithSummary(dir, day)
}

// report is what balances.csv of a date has to say.
func (b *modelBooks) report(day int) map[string]reported {
	rows := map[string]reported{}
	for _, ref := range b.order {
		c := b.customers[ref]
		closing, any := b.position(c, day)
		if !any {
			continue
		}
		opening, _ := b.position(c, day-1)
		var paid int64
		count := 0
		for _, l := range b.lines {
			if place, moves := b.placeOfLine(l, day); l.ref == ref && moves && strings.HasPrefix(place, "applied") {
				paid += l.amount
				count++
			}
		}
		rows[ref] = reported{cents(opening), cents(closing - opening + paid), cents(paid), cents(closing), fmt.Sprint(count), statusOf(closing, count)}
	}
	return rows
}

func statusOf(closing int64, payments int) string {
	paid := []string{"overpaid", "settled", "part_paid"}
	unpaid := []string{"in_credit", "nothing_due", "unpaid"}
	sign := 1
	switch {
	case closing < 0:
		sign = 0
	case closing > 0:
		sign = 2
	}
	if payments > 0 {
		return paid[sign]
	}
	return unpaid[sign]
}

// agreeWithPayments requires every journal line in its place.
func (y *year) agreeWithPayments(dir string, day int) {
	y.t.Helper()
	got, want := map[string]int{}, map[string]int{}
	for _, r := range table(y.t, filepath.Join(dir, "payments.csv")) {
		got[r["event_id"]+" "+r["amount"]+" "+r["status"]+" "+r["reason"]+" "+r["signature"]]++
	}
	for _, l := range y.books.lines {
		place, _ := y.books.placeOfLine(l, day)
		want[l.eventID()+" "+cents(l.amount)+" "+place+" verified"]++
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			y.t.Errorf("payments.csv of %s has %d lines %q, the model %d", y.date(day), got[key], key, want[key])
		}
		delete(got, key)
	}
	for key, n := range got {
		if n > 0 && want[key] == 0 {
			y.t.Errorf("payments.csv of %s has a line that the model has not: %q", y.date(day), key)
		}
	}
	breaks := map[string]bool{}
	for _, r := range table(y.t, filepath.Join(dir, "exceptions.csv")) {
		if r["severity"] != "break" {
			continue
		}
		switch r["reason"] {
		case "crossed_payment":
			breaks[r["external_reference"]] = true
		case "other_obligation", "unknown_customer", "possible_duplicate":
		default:
			y.t.Errorf("the report of %s has a break that the model does not know: %v", y.date(day), r)
		}
	}
	for ref := range y.books.crossed(day) {
		if !breaks[ref] {
			y.t.Errorf("a balance of %s crossed a payment on %s, and the report does not say so", ref, y.date(day))
		}
	}
}

// agreeWithSummary requires the control totals, and that the report's own checks hold.
func (y *year) agreeWithSummary(dir string, day int) {
	y.t.Helper()
	var summary struct {
		RollForward []struct{ Opening, Billed, Paid, Closing string } `json:"roll_forward"`
		Checks      []struct {
			Name string
			OK   bool
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		y.t.Fatal(err)
	}
	decode(y.t, text, &summary)
	for _, c := range summary.Checks {
		if !c.OK {
			y.t.Errorf("the report of %s does not foot: %s", y.date(day), c.Name)
		}
	}
	var opening, closing, paid int64
	some := false
	for _, ref := range y.books.order {
		c := y.books.customers[ref]
		o, _ := y.books.position(c, day-1)
		e, any := y.books.position(c, day)
		opening, closing, some = opening+o, closing+e, some || any
	}
	for _, l := range y.books.lines {
		if l.day == day && y.books.counts(l) {
			paid += l.amount
		}
	}
	if !some {
		return
	}
	want := fmt.Sprint([]string{cents(opening), cents(closing - opening + paid), cents(paid), cents(closing)})
	if len(summary.RollForward) != 1 {
		y.t.Fatalf("roll-forward %+v", summary.RollForward)
	}
	r := summary.RollForward[0]
	if got := fmt.Sprint([]string{r.Opening, r.Billed, r.Paid, r.Closing}); got != want {
		y.t.Errorf("%s rolls forward as %s, the model says %s", y.date(day), got, want)
	}
}

// continues reports whether a date opens as the one before closed, as they were last reported.
func (y *year) continues(day int) bool {
	before, ok := y.known[y.date(day-1)]
	if !ok {
		return true
	}
	for ref, row := range y.known[y.date(day)] {
		closed := before[ref].closing
		if closed == "" {
			closed = cents(0)
		}
		if row.opening != closed {
			return false
		}
	}
	return true
}

// restate makes the report of a date again. What is another figure than before is in its changes.csv, and nothing else is.
func (y *year) restate(day int) {
	y.t.Helper()
	before := y.known[y.date(day)]
	var r nightly.Report
	code, out, stderr := y.output("reconcile", "--date", y.date(day), "--json")
	if code != 0 && code != 3 {
		y.t.Fatalf("reconcile --date %s: exit %d\n%s\n%s", y.date(day), code, out, stderr)
	}
	decode(y.t, out, &r)
	y.agreeWithReport(r.Dir, day)
	changes := map[string][2]string{}
	for _, c := range table(y.t, filepath.Join(r.Dir, "changes.csv")) {
		if c["kind"] == "customer" && c["figure"] == "closing_balance" {
			changes[c["external_reference"]] = [2]string{c["old_value"], c["new_value"]}
		}
	}
	for ref, now := range y.known[y.date(day)] {
		was := before[ref].closing
		want := [2]string{was, now.closing}
		if was != now.closing && changes[ref] != want {
			y.t.Errorf("%s of %s closes with %s now and did with %s; changes.csv says %v", ref, y.date(day), now.closing, was, changes[ref])
		}
		if was == now.closing && changes[ref] != [2]string{} {
			y.t.Errorf("changes.csv of %s says %v for %s, and nothing is different", y.date(day), changes[ref], ref)
		}
	}
}

// decideTwins decides about the money that was told of twice, one way or the other.
func (y *year) decideTwins(report string, day int) {
	y.t.Helper()
	for _, row := range table(y.t, filepath.Join(report, "exceptions.csv")) {
		if row["reason"] != "possible_duplicate" || row["severity"] != "break" {
			continue
		}
		for _, l := range y.books.lines {
			if l.kind == twin && l.twinID() == row["event_id"] && l.day == day && l.decision == "" {
				l.decision = []string{"apply", "drop"}[y.random.IntN(2)]
				y.did["decided to "+l.decision]++
				y.run(0, "decide", row["exception_id"], l.decision, "--reason", "asked the bank")
			}
		}
	}
}
