package formats

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"
)

// trailerRecord is the record at the end of a file that counts the others.
type trailerRecord struct {
	line  int
	cells []string
}

func (t *trailerRecord) cell(at int) (string, bool) {
	if at < 0 || at >= len(t.cells) {
		return "", false
	}
	return t.cells[at], true
}

// mustBeLast is the fault of a record behind the trailer.
func (t *trailerRecord) mustBeLast(line int) *FileError {
	return &FileError{Line: line, Rule: "after_trailer", Remedy: fmt.Sprintf("a record stands behind the trailer in line %d, which must be the last: two files may have been joined; have it sent again", t.line)}
}

// findTrailer returns the record as a trailer, if it begins as one. Rows are split for it only if they begin so much as
// similarly.
func (r *rowRules) findTrailer(raw []byte, line int) *trailerRecord {
	if !bytes.HasPrefix(bytes.TrimPrefix(raw, []byte{'"'}), r.trailerSign) {
		return nil
	}
	cells := splitRaw(raw, r.delimiter)
	if len(cells) == 0 || cells[0] != r.options.Trailer.Match {
		return nil
	}
	return &trailerRecord{line: line, cells: cells}
}

// tally adds up what a trailer is compared with.
type tally struct {
	records    int
	unreadable int              // records whose amount could not be read
	byDigits   [maxDecimals]Sum // sums by the decimals of their unit; [0] for minor units
}

// maxDecimals is one more than the decimals that any currency has.
const maxDecimals = 5

func (t *tally) add(record *CustomerRecord, major bool) {
	t.records++
	switch c := &record.Customer; {
	case record.amountUnread:
		t.unreadable++
	case c.Balance.Set && major:
		digits, _ := MinorDigits(c.Currency)
		t.byDigits[digits] = t.byDigits[digits].Add(c.Balance.Minor)
	case c.Balance.Set:
		t.byDigits[0] = t.byDigits[0].Add(c.Balance.Minor)
	}
}

// sum returns the sum of all amounts in units of 10^-4 of the unit that they are written in.
func (t *tally) sum() *big.Int {
	total := new(big.Int)
	for digits, s := range t.byDigits {
		part, _ := new(big.Int).SetString(s.String(), 10)
		total.Add(total, part.Mul(part, power(maxDecimals-1-digits)))
	}
	return total
}

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// foot compares the trailer with what was read. Without a trailer a file that should have one is not whole.
func (r *CustomerReader) foot() *FileError {
	t := r.options.Trailer
	switch {
	case t.Match == "":
		return nil
	case r.trailer == nil && r.layout.rejects:
		return nil // our own rejects file, corrected: it never had one
	case r.trailer == nil:
		return &FileError{Rule: "missing_trailer", Remedy: "the file does not end in the trailer that files.trailer describes: it is most likely cut off; have it sent again"}
	}
	if t.CountColumn != "" {
		text, _ := r.trailer.cell(r.layout.countCell)
		count, err := strconv.Atoi(text)
		if err != nil || !allDigits(text) {
			return r.mismatch(t.CountColumn, "its count of records is no number")
		}
		if count != r.tally.records {
			return r.mismatch(t.CountColumn, fmt.Sprintf("it counts %d records, and the file has %d", count, r.tally.records))
		}
	}
	if t.SumColumn != "" {
		return r.footSum()
	}
	return nil
}

func (r *CustomerReader) footSum() *FileError {
	column := r.options.Trailer.SumColumn
	text, _ := r.trailer.cell(r.layout.sumCell)
	marks, decimals := r.options.Marks, 0
	digits, hint := text, ""
	if r.options.Major {
		digits, decimals, hint = marks.digits(text)
	} else if _, ok := new(big.Int).SetString(text, 10); !ok || text[0] == '+' {
		hint = "it is no integer of minor units"
	}
	if hint != "" || decimals >= maxDecimals {
		return r.mismatch(column, "its sum cannot be read: "+hint)
	}
	if r.tally.unreadable > 0 {
		return r.mismatch(column, fmt.Sprintf("its sum cannot be proven: the amounts of %d records cannot be read; correct them", r.tally.unreadable))
	}
	want, _ := new(big.Int).SetString(digits, 10)
	if want.Mul(want, power(maxDecimals-1-decimals)).Cmp(r.tally.sum()) != 0 {
		return r.mismatch(column, "its sum is not that of the records")
	}
	return nil
}

func (r *CustomerReader) mismatch(column, what string) *FileError {
	return &FileError{Line: r.trailer.line, Column: column, Rule: "trailer_mismatch", Remedy: "the trailer does not foot: " + what + "; the file is not whole or not right, have it sent again"}
}
