package formats

import (
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// ExpectedRow is one row of an expected file: what a customer owes before any of the events.
type ExpectedRow struct {
	CustomerID        string // bcus_…
	Currency          string
	Balance           int64 // minor units, negative = credit
	ExternalReference string
	Name              string
	DueDate           string // YYYY-MM-DD, or empty
	Payable           string // yes, no, or empty if not known
	Line              int    // its first physical line, the header being 1
}

// ExpectedCounts say what became of the rows of an expected file. Rows = Taken + LeftOut + Repeated.
type ExpectedCounts struct {
	Rows     int // all records after the header
	Taken    int // handed on
	LeftOut  int // no customer_id, no balance, or an outcome other than created, updated, unchanged
	Repeated int // a customer again, with equal figures
}

// ReadExpected reads an expected file (design.md section 8) and hands every row that counts to take, in file order; an
// error of take ends the reading. The file has the columns customer_id, currency and balance (minor units) and may have
// external_reference, name, due_date, outcome and payable, in any order among others, so an outcome file of an import
// is one. Commas or semicolons and a byte order mark are all right.
//
// A row without customer_id or balance, or with another outcome than created, updated or unchanged, asserts nothing: it
// is left out and counted. A customer again with the same currency and balance counts once. Anything else that is wrong,
// a customer again with other figures included, is a *FileError with its line and column, and nothing of the file may be
// used.
func ReadExpected(r io.Reader, take func(ExpectedRow) error) (ExpectedCounts, error) {
	var counts ExpectedCounts
	table, err := openNamedColumns(r,
		[]string{"customer_id", "currency", "balance"},
		[]string{"external_reference", "name", "due_date", "outcome", "payable"})
	if err != nil {
		return counts, err
	}
	seen := map[string]expectedFigures{}
	currency := ""
	for {
		row, err := table.next()
		if errors.Is(err, io.EOF) {
			return counts, nil
		}
		if err != nil {
			return counts, err
		}
		counts.Rows++
		if !row.asserts() {
			counts.LeftOut++
			continue
		}
		expected, err := row.expected()
		if err != nil {
			return counts, err
		}
		// One copy serves all rows of a currency; a piece of each row's text would keep the whole row in memory.
		if expected.Currency != currency {
			currency = strings.Clone(expected.Currency)
		}
		expected.Currency = currency
		figures := expectedFigures{currency, expected.Balance}
		if earlier, again := seen[expected.CustomerID]; again {
			if earlier != figures {
				return counts, &FileError{Line: row.line, Column: "customer_id", Rule: "conflicting_customer", Remedy: "the customer stands in the file twice, with different currency or balance; keep the right one"}
			}
			counts.Repeated++
			continue
		}
		seen[expected.CustomerID] = figures
		counts.Taken++
		if err := take(expected); err != nil {
			return counts, err
		}
	}
}

// expectedFigures are what must agree when a customer is there twice.
type expectedFigures struct {
	currency string
	balance  int64
}

// asserts reports whether the row says what somebody owes.
func (r *namedRow) asserts() bool {
	outcome := r.cell("outcome")
	return r.cell("customer_id") != "" && r.cell("balance") != "" &&
		(outcome == "" || slices.Contains([]string{"created", "updated", "unchanged"}, outcome))
}

// expected reads the row's cells.
func (r *namedRow) expected() (ExpectedRow, error) {
	row := ExpectedRow{
		CustomerID:        strings.Clone(r.cell("customer_id")),
		Currency:          r.cell("currency"),
		ExternalReference: strings.Clone(r.cell("external_reference")),
		Name:              strings.Clone(r.cell("name")),
		DueDate:           strings.Clone(r.cell("due_date")),
		Payable:           strings.Clone(r.cell("payable")),
		Line:              r.line,
	}
	for _, column := range []string{"customer_id", "external_reference", "name"} {
		if !utf8.ValidString(r.cell(column)) {
			return row, r.fault(column, "bad_encoding", "the text is not valid UTF-8; export the file as UTF-8")
		}
	}
	if strings.TrimSpace(row.CustomerID) != row.CustomerID {
		return row, r.fault("customer_id", "bad_customer_id", "take out the white space around it, or it fits no event")
	}
	if row.Currency == "" {
		return row, r.fault("currency", "missing_currency", "a balance means nothing without its currency")
	}
	if word, remedy := checkCurrency(row.Currency); word != "" {
		return row, r.fault("currency", word, remedy)
	}
	if word, remedy := checkDueDate(row.DueDate); word != "" {
		return row, r.fault("due_date", word, remedy)
	}
	if !slices.Contains([]string{"", "yes", "no"}, row.Payable) {
		return row, r.fault("payable", "bad_payable", "write yes or no, or leave it empty")
	}
	var amount *AmountError
	balance, err := ParseMinor(r.cell("balance"))
	if errors.As(err, &amount) {
		return row, r.fault("balance", "bad_balance", amount.Hint)
	}
	row.Balance = balance
	return row, err
}

func (r *namedRow) fault(column, rule, remedy string) error {
	return &FileError{Line: r.line, Column: column, Rule: rule, Remedy: remedy}
}
