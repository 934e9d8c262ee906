package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// agreeWithMomentsReport gives the reconciliation of a date Moment's own report of it, in which there are refunds that no
// event announces. What the journal has is found there to the cent; what it has not yet, and the refunds, are told apart.
func (y *year) agreeWithMomentsReport(day int) {
	y.t.Helper()
	text, want := y.books.momentsReport(day, y.date(day))
	dir := filepath.Join(y.dir, "matched", y.date(day))
	path := y.leave(filepath.Join(y.dir, "moment_"+y.date(day)+".csv"), text)
	code, out, stderr := y.output("reconcile", "--date", y.date(day), "--moment-report", path, "--out", dir)
	if code != 0 && code != 3 {
		y.t.Fatalf("exit %d\n%s\n%s", code, out, stderr)
	}
	y.agreeWithReport(dir, day) // a refund moves no balance
	for _, row := range table(y.t, filepath.Join(dir, "matches.csv")) {
		id := row["report_id"]
		got := strings.Join([]string{row["status"], row["transaction_type"], row["webhook_amount"], row["report_amount"]}, " ")
		if got != want[id] {
			y.t.Errorf("matches.csv of %s says %q of %q, the model %q", y.date(day), got, id, want[id])
		}
		delete(want, id)
	}
	if len(want) > 0 {
		y.t.Errorf("matches.csv of %s lacks %v", y.date(day), want)
	}
}

// plain reports whether it is beyond doubt which money of a date is which: all of it is of known customers, was told of
// under one event id, and what was not told of yet has no other payment near it that it could be taken for.
func (b *modelBooks) plain(day int) bool {
	told := map[*money]bool{}
	for _, l := range b.lines {
		told[l.money] = true
		if l.day == day && l.kind == twin {
			return false
		}
	}
	for _, m := range b.moneys {
		if m.day != day {
			continue
		}
		near := func(l line) bool { return l.ref == m.ref && l.day != day && l.day >= day-3 && l.day <= day+3 }
		if m.ref == "" || !told[m] && slices.ContainsFunc(b.lines, near) {
			return false
		}
	}
	return true
}

// momentsReport is Moment's reconciliation report of a date, and what matches.csv has to say of each of its rows: status,
// type, and the amounts that journal and report have.
func (b *modelBooks) momentsReport(day int, date string) (text string, want map[string]string) {
	var rows strings.Builder
	fmt.Fprintf(&rows, "From/Start Date,%s\nTo/End Date,%s\n", date, date)
	rows.WriteString("Transaction Type,Transaction Timestamp,Moment Transaction ID,Customer Reference,Amount,Currency,Payment ID\n")
	delivered := map[*money]bool{}
	for _, l := range b.lines {
		delivered[l.money] = true
	}
	want = map[string]string{}
	row := func(kind string, at time.Time, ref string, amount int64, payment, known string) {
		id := fmt.Sprintf("r%d", len(want)+1)
		fmt.Fprintf(&rows, "%s,%s,%s,%s,%s,ZAR,%s\n", kind, at.UTC().Format(time.RFC3339), id, ref, cents(amount), payment)
		want[id] = known
	}
	for _, m := range b.moneys {
		if m.day != day {
			continue
		}
		kind := "Payment"
		if m.amount < 0 {
			kind = "Refund"
		}
		known := fmt.Sprintf("report_only %s  %s", kind, cents(m.amount))
		if delivered[m] {
			known = fmt.Sprintf("both %s %s %s", kind, cents(m.amount), cents(m.amount))
		}
		row(kind, m.at, m.ref, m.amount, m.event.Payment.PaymentID, known)
	}
	for i := range day % 3 {
		amount := int64(100 + i)
		row("Refund", instantOf(day, 20, i), fmt.Sprintf("GONE-%d", i), amount, "", "report_only Refund  "+cents(-amount))
	}
	return rows.String(), want
}
