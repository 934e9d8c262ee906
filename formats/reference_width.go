package formats

import (
	"bytes"
	"encoding/csv"
	"errors"
)

// sampleSize is how much of a file's beginning is looked at for the shape of its references.
const sampleSize = 64 << 10

// sampleReferences looks whether the references of the file are numbers of one length with leading zeros. If at least two
// begin with a zero, all that do have the same length, and no fewer have that length than another, a shorter number has
// most likely been through a spreadsheet, which takes the zeros for nothing.
func (r *rowRules) sampleReferences(text []byte) {
	at := r.referenceAt
	if at < 0 {
		return
	}
	rows := csv.NewReader(bytes.NewReader(text[:min(len(text), sampleSize)]))
	rows.Comma, rows.FieldsPerRecord, rows.ReuseRecord = r.delimiter, len(r.header), true
	zeroed, width := 0, 0
	lengths := map[int]int{}
	for {
		cells, err := rows.Read()
		if errors.Is(err, csv.ErrFieldCount) {
			continue
		}
		if err != nil {
			break // also a record that the sample cuts
		}
		reference := cells[at]
		if !allDigits(reference) {
			continue
		}
		lengths[len(reference)]++
		if reference[0] != '0' {
			continue
		}
		if zeroed++; zeroed == 1 {
			width = len(reference)
		}
		if len(reference) != width {
			return
		}
	}
	for _, n := range lengths {
		if n > lengths[width] {
			return
		}
	}
	if zeroed >= 2 {
		r.width = width
	}
}
