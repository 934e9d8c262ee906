package formats

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// momentReportNames are the fields of Moment's reports, each with the names by which its column may be called; names are
// compared without case, white space, underscores and hyphens. Moment documents the columns but no amount
// (Moment: /documentation/reconciliation-reporting/reconciliation-report), so those names are guesses.
func momentReportNames() map[string][]string {
	return map[string][]string{
		"type":               {"Transaction Type"},
		"timestamp":          {"Transaction Timestamp"},
		"id":                 {"Moment Transaction ID", "reconciliation_id"},
		"merchant_reference": {"Merchant Reference ID"},
		"customer_reference": {"Customer Reference"},
		"amount":             {"Amount", "Transaction Amount", "Gross Amount"},
		"currency":           {"Currency", "Transaction Currency", "Presentment Currency"},
		"payment_id":         {"Payment ID"},
	}
}

// MomentReportFields are the names of the fields, for who configures their columns.
func MomentReportFields() []string { return slices.Sorted(maps.Keys(momentReportNames())) }

// momentReportRequired are the fields without which nothing can be matched.
var momentReportRequired = []string{"type", "timestamp", "amount"}

// headerBlock is how many records may stand before the header of the columns.
const headerBlock = 40

// MomentReportOptions say how a report of Moment is read.
type MomentReportOptions struct {
	Columns  map[string]string // names of columns by field, where they are not the usual ones
	Minor    bool              // amounts are whole minor units, not decimals
	Currency string            // of amounts, where the report has no column for it
	Location *time.Location    // of dates without a time; nil is UTC
}

// MomentReport is what a report of Moment says of itself.
type MomentReport struct {
	From, To time.Time // the period it covers, [From, To); zero if it does not say
	Rows     int
}

// MomentReportRow is one transaction of a report.
type MomentReportRow struct {
	Type              string // Payment or Refund
	At                time.Time
	ID                string // Moment's own id of the transaction
	MerchantReference string
	CustomerReference string
	PaymentID         string
	Currency          string
	Amount            int64 // minor units; a refund is negative, whichever sign the report gives it
	Line              int   // its first physical line
}

// Refund reports whether money went back.
func (r *MomentReportRow) Refund() bool { return strings.EqualFold(r.Type, "refund") }

// ReadMomentReport reads a daily reconciliation or settlement report and hands every transaction to take, in file order:
// a block of names and values, then a header, then rows. A file of another shape is a *FileError that says what was found
// and what is needed, and nothing of it may be used.
func ReadMomentReport(r io.Reader, o MomentReportOptions, take func(MomentReportRow) error) (report MomentReport, err error) {
	if o.Location == nil {
		o.Location = time.UTC
	}
	table, report, err := openMomentReport(r, o)
	if err != nil {
		return report, err
	}
	for {
		record, err := table.read()
		if errors.Is(err, io.EOF) {
			return report, nil
		}
		if err != nil {
			return report, err
		}
		if strings.TrimSpace(strings.Join(record, "")) == "" {
			continue
		}
		row, err := table.row(record)
		if err != nil {
			return report, err
		}
		report.Rows++
		if err := take(row); err != nil {
			return report, err
		}
	}
}

// momentTable reads the rows of a report.
type momentTable struct {
	csv     *csv.Reader
	index   map[string]int // by field
	options MomentReportOptions
	line    int
}

func (t *momentTable) read() ([]string, error) {
	record, err := t.csv.Read()
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return nil, quoteFault(parse)
	}
	if err != nil {
		return nil, err
	}
	t.line, _ = t.csv.FieldPos(0)
	return record, nil
}

// openMomentReport reads the block and finds the header: the first record that has the columns.
func openMomentReport(r io.Reader, o MomentReportOptions) (*momentTable, MomentReport, error) {
	src := bufio.NewReaderSize(r, 64<<10)
	if err := checkBeginning(src); err != nil {
		return nil, MomentReport{}, err
	}
	t := &momentTable{csv: csv.NewReader(src), options: o}
	t.csv.FieldsPerRecord = -1
	t.csv.Comma = sniffDelimiter(src)
	var report MomentReport
	var widest []string
	for range headerBlock {
		record, err := t.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, report, err
		}
		if t.index = momentColumns(record, o.Columns); t.index != nil {
			return t, report, nil
		}
		report.note(record, o.Location)
		if len(record) > len(widest) {
			widest = record
		}
	}
	var needed []string
	for _, field := range momentReportRequired {
		needed = append(needed, momentColumnNames(field, o.Columns)[0])
	}
	return nil, report, &FileError{Line: 1, Rule: "no_header", Remedy: fmt.Sprintf("no line has the columns %s; what comes nearest has: %s; name the columns in reconcile.moment_report.columns",
		strings.Join(needed, ", "), clip(strings.Join(widest, " | "), 200))}
}

// momentColumnNames are the names under which a field is looked for.
func momentColumnNames(field string, configured map[string]string) []string {
	if name := configured[field]; name != "" {
		return []string{name}
	}
	return append(slices.Clone(momentReportNames()[field]), field)
}

// momentColumns finds the fields in a header; nil if one that is required is not there.
func momentColumns(record []string, configured map[string]string) map[string]int {
	index := map[string]int{}
	for field := range momentReportNames() {
		for _, name := range momentColumnNames(field, configured) {
			i := slices.IndexFunc(record, func(cell string) bool { return normalName(cell) == normalName(name) })
			if i >= 0 {
				index[field] = i
				break
			}
		}
	}
	for _, field := range momentReportRequired {
		if _, ok := index[field]; !ok {
			return nil
		}
	}
	return index
}

// row reads one transaction.
func (t *momentTable) row(record []string) (MomentReportRow, error) {
	cell := func(field string) string {
		if i, ok := t.index[field]; ok && i < len(record) {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	fault := func(field, rule, remedy string) error {
		return &FileError{Line: t.line, Column: momentColumnNames(field, t.options.Columns)[0], Rule: rule, Remedy: remedy}
	}
	row := MomentReportRow{
		Type: cell("type"), ID: cell("id"), MerchantReference: cell("merchant_reference"), CustomerReference: cell("customer_reference"),
		PaymentID: cell("payment_id"), Currency: cell("currency"), Line: t.line,
	}
	if row.Currency == "" {
		row.Currency = t.options.Currency
	}
	if row.Currency == "" {
		return row, fault("currency", "missing_currency", "an amount needs a currency: ask for the report again if the row is cut off, or set files.currency")
	}
	if word, remedy := checkCurrency(row.Currency); word != "" {
		return row, fault("currency", word, remedy)
	}
	var ok bool
	if row.At, _, ok = momentTime(cell("timestamp"), t.options.Location); !ok {
		return row, fault("timestamp", "bad_time", "it must be a time such as 2024-01-31T14:30:00Z")
	}
	var err error
	if t.options.Minor {
		row.Amount, err = ParseMinor(cell("amount"))
	} else {
		row.Amount, err = ParseMajor(cell("amount"), row.Currency)
	}
	var amount *AmountError
	if errors.As(err, &amount) {
		return row, fault("amount", "bad_amount", amount.Hint+"; reconcile.moment_report.amounts says whether amounts are minor or major")
	}
	if row.Refund() && row.Amount > 0 {
		row.Amount = -row.Amount
	}
	return row, err
}
