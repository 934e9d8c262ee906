package workbook

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"tallyman/formats"
	"tallyman/internal/overview"
)

const summarySheet = "Summary"

// mostGroups is how many lines a table of the summary has; strangers choose the currencies of events that do not count.
const mostGroups = 200

// leftOut stands where the rows of a sheet would be counted, had it any.
const leftOut = "left out"

// summary writes the first sheet, from top to bottom.
type summary struct {
	*book
	stream *excelize.StreamWriter
	row    int
	err    error
}

// writeSummary writes the verdict, and each total twice: as summary.json prints it, and as a formula over the rows.
func (b *book) writeSummary() error {
	if err := b.layOut(summarySheet, 0); err != nil {
		return err
	}
	stream, err := b.file.NewStreamWriter(summarySheet)
	if err != nil {
		return err
	}
	for i, width := range []int{24, 28, 22, 18, 19, 18, 18, 15} {
		if err := stream.SetColWidth(i+1, i+1, float64(width)); err != nil { // characters, no money
			return err
		}
	}
	if err := stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 3, TopLeftCell: "A4", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	s := &summary{book: b, stream: stream}
	s.heading()
	s.rollForward()
	s.customers()
	s.payments()
	s.exceptions()
	s.completeness()
	s.sources()
	if s.err != nil {
		return s.err
	}
	return stream.Flush()
}

// cellOf is a cell of the summary in words.
type cellOf struct {
	value   any
	formula string
	look    look
}

// line writes a row; nil cells are empty.
func (s *summary) line(cells ...cellOf) {
	s.row++
	row := make([]any, len(cells))
	for i, c := range cells {
		id, err := s.styles.of(c.look)
		s.err = cmp.Or(s.err, err)
		row[i] = excelize.Cell{StyleID: id, Value: c.value, Formula: c.formula}
	}
	if s.err == nil {
		s.err = s.stream.SetRow(fmt.Sprintf("A%d", s.row), row)
	}
}

func words(text string) cellOf {
	if text == "" {
		return cellOf{look: look{format: "@"}}
	}
	return cellOf{value: clean(text), look: look{format: "@"}}
}

// textWidth is how many characters of a text stand in the columns of the summary. A longer line would be cut on the
// screen, and on paper make everything else too small to read.
const textWidth = 140

// text writes a text that may be long, over several rows if it has to be.
func (s *summary) text(text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
			s.line(words(line))
			line = "   "
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	s.line(words(line))
}

// numbers is the first column of the summary that holds them.
const numbers = 3

func header(titles ...string) []cellOf {
	cells := make([]cellOf, len(titles))
	for i, title := range titles {
		cells[i] = cellOf{value: title, look: look{bold: true, fill: accent, color: "FFFFFF", format: "@", right: i >= numbers && title != "check"}}
	}
	return cells
}

// section begins a part with a title and the header of its table.
func (s *summary) section(title string, columns ...string) {
	s.line()
	s.line(cellOf{value: title, look: look{bold: true, size: 13, color: accent, format: "@"}})
	if len(columns) > 0 {
		s.line(header(columns...)...)
	}
}

// printed is an amount as summary.json has it.
func printed(text, currency string) cellOf {
	if v, ok := decimal(text); ok {
		return cellOf{value: v, look: look{format: moneyFormat(currency)}}
	}
	return cellOf{value: text, look: look{format: "@", right: true}}
}

func counted(n int64) cellOf { return cellOf{value: n, look: look{format: countFormat}} }

// summed is a formula over rows, with what it comes to.
func summed(formula string, value *overview.Decimal, currency string) cellOf {
	c := printed(value.String(), currency)
	c.formula = formula
	return c
}

func countedBy(formula string, value int64) cellOf {
	c := counted(value)
	c.formula = formula
	return c
}

// The words of a check.
const (
	agrees  = "✔ agrees"
	differs = "✘ DIFFERS"
)

// check compares pairs of cells of the row that comes next. Each pair is two columns, "D" and "E".
func (s *summary) check(ok bool, digits int, pairs ...[2]string) cellOf {
	formula := ""
	for _, p := range pairs {
		if formula != "" {
			formula += ","
		}
		formula += fmt.Sprintf("ROUND(%s%d-%s%d,%d)=0", p[0], s.row+1, p[1], s.row+1, digits)
	}
	return verdictCell(ok, fmt.Sprintf(`IF(AND(%s),"%s","%s")`, formula, agrees, differs))
}

func verdictCell(ok bool, formula string) cellOf {
	if ok {
		return cellOf{value: agrees, formula: formula, look: look{bold: true, fill: good, format: "General"}}
	}
	return cellOf{value: differs, formula: formula, look: look{bold: true, fill: alert, format: "General"}}
}

func (s *summary) heading() {
	o := s.overview
	title := "Reconciliation " + cmp.Or(o.Summary.BusinessDate, "of all events")
	if s.options.Merchant != "" {
		title = s.options.Merchant + " · " + title
	}
	s.line(cellOf{value: title, look: look{bold: true, size: 18, color: accent, format: "@"}})
	s.line(words(fmt.Sprintf("From %s to %s (%s). Amounts are in major units; nothing is added across currencies.",
		cmp.Or(s.local(o.Summary.From), "the beginning"), cmp.Or(s.local(o.Summary.To), "the end"), o.Summary.Timezone)))
	if why := o.Reasons(); len(why) > 0 {
		s.line(cellOf{value: "✘ Not all right", look: look{bold: true, size: 14, fill: alert, format: "@"}})
		for _, reason := range why {
			s.text("• " + reason)
		}
	} else {
		s.line(cellOf{value: "✔ All right", look: look{bold: true, size: 14, fill: good, format: "@"}})
	}
	if signed := o.Signed; signed != nil {
		s.text(fmt.Sprintf("Signed by %s on %s: %s.", signed.By, signed.At.In(s.options.Location).Format("2006-01-02 15:04"), signed.Story()))
	}
}

// local is an instant of the summary as a clock in the report's zone shows it.
func (s *summary) local(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return t.In(s.options.Location).Format("2006-01-02 15:04")
}

// rollForward shows the control totals of each currency, what the rows of Balances add up to, and whether the two agree.
func (s *summary) rollForward() {
	s.section("Roll-forward: opening + billed - paid = closing", "currency", "figures", "", "opening", "billed", "paid", "closing", "check")
	balances := s.table(balancesSheet)
	for _, t := range s.overview.Summary.RollForward {
		digits, _ := formats.MinorDigits(t.Currency)
		only := where{{"currency", t.Currency}}
		s.line(words(t.Currency), words("printed control totals"), words(""), printed(t.Opening, t.Currency), printed(t.Billed, t.Currency),
			printed(t.Paid, t.Currency), printed(t.Closing, t.Currency), verdictCell(overview.Foots(t), s.foots(digits, t)))
		if formula := balances.sumFormula("closing_balance", only); formula == "" || !plain(t.Currency) {
			continue
		}
		sum := func(column string) cellOf {
			return summed(balances.sumFormula(column, only), balances.totals.sum(column, only), t.Currency)
		}
		agree := len(s.overview.Differences) == 0
		row := s.row
		s.line(words(t.Currency), words("sum of the rows of Balances"), words(""), sum("opening_balance"), sum("billed"), sum("paid"), sum("closing_balance"),
			verdictCell(agree, fmt.Sprintf(`IF(AND(ROUND(D%[1]d-D%[2]d,%[3]d)=0,ROUND(E%[1]d-E%[2]d,%[3]d)=0,ROUND(F%[1]d-F%[2]d,%[3]d)=0,ROUND(G%[1]d-G%[2]d,%[3]d)=0),"%[4]s","%[5]s")`,
				row, row+1, digits, agrees, differs)))
	}
}

// foots is the check of the next row: D + E - F = G.
func (s *summary) foots(digits int, t formats.RollForward) string {
	for _, text := range []string{t.Opening, t.Billed, t.Paid, t.Closing} {
		if _, ok := decimal(text); !ok {
			return ""
		}
	}
	return fmt.Sprintf(`IF(ROUND(D%[1]d+E%[1]d-F%[1]d-G%[1]d,%[2]d)=0,"%[3]s","%[4]s")`, s.row+1, digits, agrees, differs)
}

// customers shows where the customers stand, by status.
func (s *summary) customers() {
	s.section("Customers by status", "currency", "status", "", "customers", "rows of Balances", "closing", "sum of the rows", "check")
	balances := s.table(balancesSheet)
	for _, t := range first(s, s.overview.Summary.Customers) {
		s.compare(balances, where{{"currency", t.Currency}, {"status", t.Status}}, "closing_balance", t.Currency, t.Count, t.Closing,
			words(t.Currency), words(overview.Words(t.Status)), words(""))
	}
}

// payments shows what became of the lines of the journal.
func (s *summary) payments() {
	s.section("Payments by what became of them", "currency", "status", "reason", "payments", "rows of Payments", "sum", "sum of the rows", "check")
	payments := s.table(paymentsSheet)
	for _, t := range first(s, s.overview.Summary.Events) {
		s.compare(payments, where{{"currency", t.Currency}, {"status", t.Status}, {"reason", t.Reason}}, "amount", t.Currency, t.Count, t.Sum,
			words(t.Currency), words(overview.Words(t.Status)), words(overview.Words(t.Reason)))
	}
}

// compare writes one line of a table: count and sum as printed, and as formulas over the rows.
func (s *summary) compare(t *table, w where, column, currency string, count int64, sum string, labels ...cellOf) {
	digits, _ := formats.MinorDigits(currency)
	rows, money := t.totals.count(w), t.totals.sum(column, w)
	want, err := overview.ParseDecimal(sum)
	agree := err == nil && rows == count && money.Cmp(want) == 0
	if t.left {
		s.line(append(labels, counted(count), words(leftOut), printed(sum, currency), words(leftOut))...)
		return
	}
	cells := append(labels, counted(count), counted(rows), printed(sum, currency), printed(money.String(), currency))
	_, exact := decimal(sum)
	formula := t.countFormula(w)
	if formula == "" || !plain(currency) || !exact {
		s.line(append(cells, verdictCell(agree, ""))...)
		return
	}
	cells[4], cells[6] = countedBy(formula, rows), summed(t.sumFormula(column, w), money, currency)
	s.line(append(cells, s.check(agree, digits, [2]string{"D", "E"}, [2]string{"F", "G"}))...)
}

func (s *summary) exceptions() {
	s.section("Exceptions by reason", "severity", "reason", "", "exceptions", "rows of Exceptions", "amounts", "", "check")
	exceptions := s.table(exceptionsSheet)
	for _, t := range first(s, s.overview.Summary.Exceptions) {
		w := where{{"severity", t.Severity}, {"reason", t.Reason}}
		rows := exceptions.totals.count(w)
		cells := []cellOf{words(t.Severity), words(overview.Words(t.Reason)), words(""), counted(t.Count), counted(rows), words(s.money(t)), words("")}
		if exceptions.left {
			cells[4] = words(leftOut)
			s.line(cells...)
			continue
		}
		formula := exceptions.countFormula(w)
		if formula == "" {
			s.line(append(cells, verdictCell(rows == t.Count, ""))...)
			continue
		}
		cells[4] = countedBy(formula, rows)
		s.line(append(cells, s.check(rows == t.Count, 0, [2]string{"D", "E"}))...)
	}
	if len(s.overview.Summary.Exceptions) == 0 {
		s.line(words("none"))
	}
}

// money is the amounts behind a reason, in words: those of several currencies cannot be added.
func (s *summary) money(t formats.ExceptionTotal) string {
	for _, g := range s.overview.Exceptions {
		if g.Severity == t.Severity && g.Reason == t.Reason {
			return g.Money()
		}
	}
	return ""
}

func (s *summary) completeness() {
	s.section("What the figures are made of")
	for _, line := range s.overview.Inputs() {
		s.line(words(line.Name), words(line.Text))
	}
	for _, c := range s.overview.Summary.Checks {
		state := "✔"
		if !c.OK {
			state = "✘ FAILED"
		}
		s.line(words("check"), words(overview.Words(c.Name)), words(state), words(c.Detail))
	}
}

func (s *summary) sources() {
	s.section("Files that were read", "file", "sha256", "", "", "lines")
	for _, in := range first(s, s.overview.Summary.Inputs) {
		s.line(words(in.Path), words(in.SHA256), words(""), words(""), counted(in.Lines))
	}
}

// first cuts a list that is too long for a summary, and says so.
func first[T any](s *summary, list []T) []T {
	if len(list) <= mostGroups {
		return list
	}
	s.line(words(fmt.Sprintf("the first %d of %d; summary.json has all", mostGroups, len(list))))
	return list[:mostGroups]
}

// table finds a table by its sheet.
func (b *book) table(sheet string) *table {
	for _, t := range b.tables {
		if t.sheet == sheet {
			return t
		}
	}
	return &table{}
}
