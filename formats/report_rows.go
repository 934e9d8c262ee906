package formats

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// reportRows puts rows together as text, quoted as encoding/csv does. It allocates nothing once its buffer is large
// enough: a report may have millions of rows.
type reportRows struct {
	text   []byte
	within bool // a cell of the row stands there already

	currency string // that was printed last
	digits   int    // of its minor unit
}

// cell begins a cell.
func (r *reportRows) cell() {
	if r.within {
		r.text = append(r.text, ',')
	}
	r.within = true
}

// end ends a row.
func (r *reportRows) end() {
	r.text = append(r.text, '\n')
	r.within = false
}

// own appends a cell that tallyman itself has worded.
func (r *reportRows) own(cell string) {
	r.cell()
	if harmless(cell) {
		r.text = append(r.text, cell...)
		return
	}
	r.text = appendCSV(r.text, cell)
}

// integer appends a number.
func (r *reportRows) integer(v int64) {
	r.cell()
	r.text = strconv.AppendInt(r.text, v, 10)
}

// time appends an instant as reportTime prints it.
func (r *reportRows) time(t time.Time, known bool) {
	if r.cell(); known {
		r.text = t.UTC().AppendFormat(r.text, time.RFC3339Nano)
	}
}

// major appends an amount as FormatMajor prints it.
func major[T string | []byte](r *reportRows, minor int64, currency T) {
	if r.currency != string(currency) || r.currency == "" {
		r.currency = string(currency)
		r.digits, _ = MinorDigits(r.currency)
	}
	r.cell()
	var printed [20]byte
	r.point(strconv.AppendInt(printed[:0], minor, 10))
}

// sum appends a sum as Sum.Major prints it.
func (r *reportRows) sum(s Sum, currency string) {
	if v, ok := s.Int64(); ok {
		major(r, v, currency)
		return
	}
	r.own(s.Major(currency))
}

// point appends an integer in minor units with its decimal point.
func (r *reportRows) point(minor []byte) {
	if minor[0] == '-' {
		r.text, minor = append(r.text, '-'), minor[1:]
	}
	whole := len(minor) - r.digits
	if whole > 0 {
		r.text = append(r.text, minor[:whole]...)
		minor = minor[whole:]
	} else {
		r.text = append(r.text, '0')
	}
	if r.digits == 0 {
		return
	}
	r.text = append(r.text, '.')
	for range -min(whole, 0) {
		r.text = append(r.text, '0')
	}
	r.text = append(r.text, minor...)
}

// appendText appends a cell whose content came from outside.
func appendText[T string | []byte](r *reportRows, cell T) {
	r.cell()
	if harmless(cell) {
		r.text = append(r.text, cell...)
		return
	}
	r.text = appendCSV(r.text, Escape(string(cell)))
}

// appendCSV appends a field, in quotes if it needs them by the rules of encoding/csv: if it holds a comma, a quote or a
// line break, begins with white space, or is the end-of-data mark of PostgreSQL.
func appendCSV(dst []byte, field string) []byte {
	first, _ := utf8.DecodeRuneInString(field)
	if field == "" || (field != `\.` && !strings.ContainsAny(field, ",\"\r\n") && !unicode.IsSpace(first)) {
		return append(dst, field...)
	}
	dst = append(dst, '"')
	for i := range len(field) {
		if field[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, field[i])
	}
	return append(dst, '"')
}
