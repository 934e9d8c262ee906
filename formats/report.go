package formats

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

// reportTable writes one report file: a fixed header, then rows of the same width. The header stands there even if no
// row follows, so that a reader can tell an empty report from a lost one.
type reportTable struct {
	name string
	to   io.Writer
	rows reportRows
}

// reportBuffer is how many bytes are written at once.
const reportBuffer = 16 << 10

func newReportTable(w io.Writer, name string, header []string) *reportTable {
	t := &reportTable{name: name, to: w}
	t.own(header...)
	return t
}

// end ends the row that has been put together. The header is the first.
func (t *reportTable) end() error {
	t.rows.end()
	if len(t.rows.text) < reportBuffer {
		return nil
	}
	return t.flush()
}

// text appends cells whose content came from outside, so that none of it can run in a spreadsheet.
func (t *reportTable) text(cells ...string) {
	for _, cell := range cells {
		appendText(&t.rows, cell)
	}
}

// own appends cells that tallyman itself has worded: numbers, dates and fixed words.
func (t *reportTable) own(cells ...string) {
	for _, cell := range cells {
		t.rows.own(cell)
	}
}

// flush hands everything on to the file.
func (t *reportTable) flush() error {
	if _, err := t.to.Write(t.rows.text); err != nil {
		return fmt.Errorf("write %s: %w", t.name, err)
	}
	t.rows.text = t.rows.text[:0]
	return nil
}

// reportTime prints an instant for a report: RFC 3339, UTC, with as many decimals as it has.
func reportTime(t time.Time, known bool) string {
	if !known {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Ageing are the days after the due date at which a debt gets into the next bucket, in ascending order, each more than 0.
// None are 30, 60 and 90.
type Ageing []int

// Bucket names the age of a debt, in days after its due date, as finance groups it: current (not after the due date), then
// by the days of the ageing 1-30, 31-60, 61-90 and 90+.
func (a Ageing) Bucket(days int) string {
	if len(a) == 0 {
		a = Ageing{30, 60, 90}
	}
	if days <= 0 {
		return "current"
	}
	first := 1
	for _, last := range a {
		if days <= last {
			return fmt.Sprintf("%d-%d", first, last)
		}
		first = last + 1
	}
	return fmt.Sprintf("%d+", a[len(a)-1])
}

func printDays(days int, known bool) string {
	if !known {
		return ""
	}
	return strconv.Itoa(days)
}
