package workbook

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"tallyman/internal/overview"
)

// groupBy are the columns that totals are kept by, where a file has them.
var groupBy = [...]string{"currency", "status", "severity", "reason"}

// group is the rows of one currency, status, severity and reason.
type group [len(groupBy)]string

// total is what the rows of a group add up to.
type total struct {
	rows  int64
	money map[string]*overview.Decimal // by column
}

// totals are the exact sums of a table's rows: what its formulas will show, for programs that do not calculate.
type totals map[group]*total

func (t *totals) add(r overview.Row, columns []string) error {
	var key group
	for i, column := range groupBy {
		key[i] = r.Cell(column)
	}
	if *t == nil {
		*t = totals{}
	}
	sum := (*t)[key]
	if sum == nil {
		sum = &total{money: map[string]*overview.Decimal{}}
		(*t)[key] = sum
	}
	sum.rows++
	for i, column := range columns {
		cell := r.Cells()[i]
		if overview.KindOf(column) != overview.Money || cell == "" {
			continue
		}
		value, err := overview.ParseDecimal(cell)
		if err != nil {
			return fmt.Errorf("%s: %w", column, err)
		}
		if sum.money[column] == nil {
			sum.money[column] = &overview.Decimal{}
		}
		sum.money[column].Add(value)
	}
	return nil
}

// where says which rows are meant: a column and the text that stands in it.
type where []struct{ column, equals string }

// match reports whether the rows of a group are meant.
func (w where) match(g group) bool {
	for _, c := range w {
		for i, column := range groupBy {
			if column == c.column && g[i] != c.equals {
				return false
			}
		}
	}
	return true
}

// count returns how many rows are meant.
func (t totals) count(w where) int64 {
	var n int64
	for g, sum := range t {
		if w.match(g) {
			n += sum.rows
		}
	}
	return n
}

// sum returns what a column of the rows meant adds up to.
func (t totals) sum(column string, w where) *overview.Decimal {
	all := &overview.Decimal{}
	for g, sum := range t {
		if w.match(g) && sum.money[column] != nil {
			all.Add(sum.money[column])
		}
	}
	return all
}

// countFormula is a formula that counts the rows meant, over all sheets of the table.
func (t *table) countFormula(w where) string {
	return t.formula(func(s sheet) string {
		return fmt.Sprintf("COUNTIFS(%s)", t.criteria(s, w))
	})
}

// sumFormula is a formula that adds up a column of the rows meant.
func (t *table) sumFormula(column string, w where) string {
	return t.formula(func(s sheet) string {
		return fmt.Sprintf("SUMIFS(%s,%s)", t.cells(s, column), t.criteria(s, w))
	})
}

// formula adds up what there is to say of each sheet. A table without rows, and one that is left out, has no formula.
func (t *table) formula(of func(sheet) string) string {
	var parts []string
	for _, s := range t.sheets {
		if s.last > 1 {
			parts = append(parts, of(s))
		}
	}
	return strings.Join(parts, "+")
}

func (t *table) criteria(s sheet, w where) string {
	var parts []string
	for _, c := range w {
		parts = append(parts, t.cells(s, c.column), `"=`+c.equals+`"`)
	}
	return strings.Join(parts, ",")
}

// cells is the range of a column's rows on a sheet: 'Payments 2'!$H$2:$H$100.
func (t *table) cells(s sheet, column string) string {
	for i, name := range t.columns {
		if name == column {
			letter, _ := excelize.ColumnNumberToName(i + 1)
			return fmt.Sprintf("'%s'!$%s$2:$%s$%d", s.name, letter, letter, s.last)
		}
	}
	return ""
}

// plain reports whether a text means nothing but itself in a formula's criterion: the words of tallyman and the codes of
// currencies do, what a stranger wrote into an event need not.
func plain(text string) bool {
	return len(text) <= 40 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") == ""
}
