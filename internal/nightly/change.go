package nightly

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tallyman/formats"
)

// comparison says what is another figure in a report than in an earlier one of the same date. It reads what both have
// written, so that it says what a reader of both would find.
type comparison struct {
	date        string
	before, now string // directories
	rows        *formats.ChangeWriter
}

// compareReports writes all rows of changes.csv: events, assertions, customers, totals.
func compareReports(rows *formats.ChangeWriter, earlier *earlierReport, report *Report) error {
	c := comparison{date: report.Summary.BusinessDate, before: earlier.dir, now: report.Dir, rows: rows}
	for _, part := range []struct {
		file    string
		compare func() error
	}{{"payments.csv", c.events}, {assertionsFile, c.assertions}, {"balances.csv", c.customers}} {
		if hash := hashFile(filepath.Join(c.before, part.file)); hash == "" || hash == hashFile(filepath.Join(c.now, part.file)) {
			continue
		}
		if err := part.compare(); err != nil {
			return err
		}
	}
	return c.totals(earlier.summary, report.Summary)
}

// reportTable is one file of a report that is read row by row.
type reportTable struct {
	file *os.File
	rows *formats.ReportReader
}

func openTable(dir, name string, columns ...string) (*reportTable, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	rows, err := formats.NewReportReader(f, columns...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	return &reportTable{f, rows}, nil
}

// next returns the next row, or nil after the last one.
func (t *reportTable) next() ([]string, error) {
	cells, err := t.rows.Next()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.file.Name(), err)
	}
	return cells, nil
}

func (t *reportTable) close() { _ = t.file.Close() }

// openBoth opens a file of both reports.
func (c *comparison) openBoth(name string, columns ...string) (before, now *reportTable, err error) {
	if before, err = openTable(c.before, name, columns...); err != nil {
		return nil, nil, err
	}
	if now, err = openTable(c.now, name, columns...); err != nil {
		before.close()
		return nil, nil, err
	}
	return before, now, nil
}

// write adds a row for every figure that differs. figures names the texts of before and now, which are nil where the
// report has none.
func (c *comparison) write(about formats.ChangeRow, figures, before, now []string) error {
	for i, figure := range figures {
		row := about
		row.BusinessDate, row.Figure = c.date, figure
		if before != nil {
			row.Old = before[i]
		}
		if now != nil {
			row.New = now[i]
		}
		if row.Old == row.New {
			continue
		}
		if err := c.rows.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// customers compares the rows of balances.csv, which stand in the same order in both reports.
func (c *comparison) customers() error {
	figures := []string{"opening_balance", "billed", "paid", "closing_balance", "status", "due_date"}
	before, now, err := c.openBoth("balances.csv", append([]string{"external_reference", "customer_id", "currency"}, figures...)...)
	if err != nil {
		return err
	}
	defer before.close()
	defer now.close()
	o, err := before.next()
	if err != nil {
		return err
	}
	n, err := now.next()
	for err == nil && (o != nil || n != nil) {
		order := 0
		switch {
		case o == nil:
			order = 1
		case n == nil:
			order = -1
		default:
			order = slices.Compare(o[:3], n[:3])
		}
		key, figuresOf := n, func(cells []string) []string { return cells[3:] }
		if order < 0 {
			key = o
		}
		about := formats.ChangeRow{Kind: formats.ChangeCustomer, ExternalReference: key[0], CustomerID: key[1], Currency: key[2]}
		switch {
		case order < 0:
			err = c.write(about, figures, figuresOf(o), nil)
		case order > 0:
			err = c.write(about, figures, nil, figuresOf(n))
		default:
			err = c.write(about, figures, figuresOf(o), figuresOf(n))
		}
		if err == nil && order <= 0 {
			o, err = before.next()
		}
		if err == nil && order >= 0 {
			n, err = now.next()
		}
	}
	return err
}

// asserted is the last balance asserted for a customer on a business date.
type asserted struct{ date, reference, customer, currency, balance, dueDate, source string }

func (c *comparison) assertions() error {
	before, now, err := c.openBoth(assertionsFile, "business_date", "external_reference", "customer_id", "currency", "balance", "due_date", "source")
	if err != nil {
		return err
	}
	defer before.close()
	defer now.close()
	type pair struct{ before, now *asserted }
	pairs := map[string]*pair{}
	read := func(t *reportTable, put func(*pair, *asserted)) error {
		for {
			cells, err := t.next()
			if cells == nil {
				return err
			}
			a := &asserted{cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6]}
			key := strings.Join([]string{a.date, a.reference, a.customer}, "\x00")
			if pairs[key] == nil {
				pairs[key] = &pair{}
			}
			put(pairs[key], a)
		}
	}
	err = errors.Join(
		read(before, func(p *pair, a *asserted) { p.before = a }),
		read(now, func(p *pair, a *asserted) { p.now = a }))
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		if err := c.assertion(pairs[key].before, pairs[key].now); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) assertion(before, now *asserted) error {
	about := cmp.Or(now, before)
	row := formats.ChangeRow{
		Kind: formats.ChangeAssertion, ExternalReference: about.reference, CustomerID: about.customer, Currency: about.currency, JournalRef: about.source,
	}
	figures := func(a *asserted) []string {
		if a == nil {
			return nil
		}
		return []string{a.currency, a.balance, a.dueDate}
	}
	switch {
	case before == nil:
		row.Detail = "This balance was asserted after the last report."
	case now == nil:
		row.Detail = "The last report knew of this balance; it is not on record any more."
	default:
		row.Detail = "Another balance was asserted after the last report; it stood in " + before.source + " before."
	}
	return c.write(row, []string{"currency", "balance", "due_date"}, figures(before), figures(now))
}

// totals compares the control totals and how much needs a person.
func (c *comparison) totals(before, now formats.Summary) error {
	figures := []string{"opening", "billed", "paid", "closing"}
	type pair struct{ before, now []string }
	pairs := map[string]pair{}
	for _, t := range before.RollForward {
		pairs[t.Currency] = pair{before: []string{t.Opening, t.Billed, t.Paid, t.Closing}}
	}
	for _, t := range now.RollForward {
		pairs[t.Currency] = pair{pairs[t.Currency].before, []string{t.Opening, t.Billed, t.Paid, t.Closing}}
	}
	for _, currency := range slices.Sorted(maps.Keys(pairs)) {
		p := pairs[currency]
		if err := c.write(formats.ChangeRow{Kind: formats.ChangeTotal, Currency: currency}, figures, p.before, p.now); err != nil {
			return err
		}
	}
	return c.write(formats.ChangeRow{Kind: formats.ChangeTotal}, []string{"breaks", "notices"}, severities(before), severities(now))
}

// severities counts the breaks and the notices of a report.
func severities(s formats.Summary) []string {
	var breaks, notices int64
	for _, e := range s.Exceptions {
		switch e.Severity {
		case formats.SeverityBreak:
			breaks += e.Count
		case formats.SeverityNotice:
			notices += e.Count
		}
	}
	return []string{strconv.FormatInt(breaks, 10), strconv.FormatInt(notices, 10)}
}
