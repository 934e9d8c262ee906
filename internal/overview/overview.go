// Package overview reads back what a report says, from the files that were written: the figures of summary.json, and what
// only the rows tell (ageing, the money behind each reason, what changed). The workbook, the page and the terminal show
// these, so that they always agree with the machine files.
package overview

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"tallyman/formats"
)

// Most is how many rows of breaks and of changes an overview shows; the files have all of them.
const Most = 12

// Overview is a report on one page.
type Overview struct {
	Dir     string
	Summary formats.Summary
	// Ageing has what is owed (positive closing balances) by bucket, in the order of currency, then age.
	Ageing []Ageing
	// Exceptions has the rows of exceptions.csv by severity and reason, in the order of the file.
	Exceptions []ExceptionGroup
	// Breaks are the first rows that need a person, oldest first, at most Most.
	Breaks []Exception
	// Changes are the first rows of changes.csv, at most Most; ChangeCount counts all.
	Changes     []Change
	ChangeCount int
	// Differences says where the rows do not add up to summary.json; a report that was left alone has none.
	Differences []string
	// Positions is the SHA-256, hex, of every customer's figures, without what Moment shows of them now: the same if and
	// only if no position is another one.
	Positions string
	// Signed is the last signature for this business date, nil if nobody has signed.
	Signed *Signed
}

// Ageing is one bucket of one currency.
type Ageing struct {
	Currency, Bucket string // Bucket "" for customers without a due date
	Customers        int64
	Owed             string // major units
}

// ExceptionGroup counts the exceptions of one severity and reason.
type ExceptionGroup struct {
	Severity, Reason string
	Count            int64
	Amounts          []Amount // by currency; none where no row has an amount
}

// Amount is money in one currency.
type Amount struct{ Currency, Amount string }

// Exception is one row of exceptions.csv.
type Exception struct {
	ID, Reason, Reference, Customer, Currency, Amount, Detail, AgeDays, Owner string
}

// Change is one row of changes.csv.
type Change struct {
	Kind, Reference, Customer, Event, Currency, Figure, Old, New, Detail string
}

// Read reads a report's directory. changes.csv need not be there. What cannot be read is an error that names the file.
func Read(dir string) (*Overview, error) { return read(dir, readBalances) }

// ReadBeside is Read for who has just written the report, and has added up the rows of balances.csv as they were printed.
func ReadBeside(dir string, balances *Balances) (*Overview, error) {
	return read(dir, func(string) (*Balances, error) { return balances, nil })
}

func read(dir string, balances func(dir string) (*Balances, error)) (*Overview, error) {
	o := &Overview{Dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if err := json.Unmarshal(text, &o.Summary); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, "summary.json"), err)
	}
	rows, err := balances(dir)
	if err != nil {
		return nil, err
	}
	rows.tell(o)
	for _, step := range []func() error{o.readExceptions, o.readChanges} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *Overview) readExceptions() error {
	type group struct {
		ExceptionGroup
		sums currencySums
	}
	var groups []*group
	err := Rows(filepath.Join(o.Dir, "exceptions.csv"), func(r Row) error {
		severity, reason := r.Cell("severity"), r.Cell("reason")
		i := slices.IndexFunc(groups, func(g *group) bool { return g.Severity == severity && g.Reason == reason })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{ExceptionGroup: ExceptionGroup{Severity: severity, Reason: reason}})
		}
		groups[i].Count++
		if severity == formats.SeverityBreak && len(o.Breaks) < Most {
			o.Breaks = append(o.Breaks, Exception{
				ID: r.Cell("exception_id"), Reason: reason, Reference: r.Cell("external_reference"), Customer: r.Cell("customer_id"),
				Currency: r.Cell("currency"), Amount: r.Cell("amount"), Detail: r.Cell("detail"), AgeDays: r.Cell("age_days"), Owner: r.Cell("owner"),
			})
		}
		return groups[i].sums.add(r.Cell("currency"), r.Cell("amount"))
	})
	for _, g := range groups {
		g.Amounts = g.sums.amounts()
		o.Exceptions = append(o.Exceptions, g.ExceptionGroup)
	}
	return err
}

// readChanges takes the control totals before what moved them; in the file they come last.
func (o *Overview) readChanges() error {
	var totals, others []Change
	err := Rows(filepath.Join(o.Dir, "changes.csv"), func(r Row) error {
		o.ChangeCount++
		list := &others
		if r.Cell("kind") == formats.ChangeTotal {
			list = &totals
		}
		if len(*list) < Most {
			*list = append(*list, Change{
				Kind: r.Cell("kind"), Reference: r.Cell("external_reference"), Customer: r.Cell("customer_id"), Event: r.Cell("event_id"),
				Currency: r.Cell("currency"), Figure: r.Cell("figure"), Old: r.Cell("old_value"), New: r.Cell("new_value"), Detail: r.Cell("detail"),
			})
		}
		return nil
	})
	all := append(totals, others...)
	o.Changes = all[:min(len(all), Most)]
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
