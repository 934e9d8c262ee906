package formats

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// RejectsWriter writes the rejected records of a customer file as they came, with the reason at the end of each, so that
// the file can be imported as it is once the records are corrected.
type RejectsWriter struct {
	buffer    *bufio.Writer
	out       io.Writer // encodes, and writes to buffer
	delimiter rune
	drop      int // trailing columns of an earlier rejects file, which the new reasons replace
	width     int
}

// NewRejectsWriter writes the header of the file that r reads, with our two columns at its end, in the encoding of that
// file.
func NewRejectsWriter(w io.Writer, r *CustomerReader) (*RejectsWriter, error) {
	buffered := bufio.NewWriter(w)
	out := &RejectsWriter{buffer: buffered, out: r.charset.writer(buffered), delimiter: r.layout.delimiter, width: len(r.layout.header)}
	for n := out.width; n > 0 && isRejectColumn(r.layout.header[n-1]); n-- {
		out.drop++
	}
	return out, out.line(r.rawHead, rejectColumns)
}

// Write adds a rejected record with its reason, a short fixed word, and the detail.
func (w *RejectsWriter) Write(raw []byte, reason, detail string) error {
	return w.line(string(raw), []string{reason, detail})
}

// Flush writes what is buffered.
func (w *RejectsWriter) Flush() error { return w.buffer.Flush() }

func (w *RejectsWriter) line(raw string, cells []string) error {
	if w.drop > 0 {
		raw = w.withoutOldReasons(raw)
	}
	var tail strings.Builder
	c := csv.NewWriter(&tail)
	c.Comma = w.delimiter
	if err := c.Write(cells); err != nil {
		return fmt.Errorf("write rejects file: %w", err)
	}
	c.Flush()
	_, err := fmt.Fprintf(w.out, "%s%c%s", raw, w.delimiter, tail.String())
	return err
}

// withoutOldReasons takes the reasons of an earlier run off a record. A ragged record keeps them: which of its cells are
// ours cannot be known.
func (w *RejectsWriter) withoutOldReasons(raw string) string {
	r := csv.NewReader(strings.NewReader(raw))
	r.Comma, r.FieldsPerRecord = w.delimiter, -1
	cells, err := r.Read()
	if err != nil || len(cells) != w.width {
		return raw
	}
	var kept strings.Builder
	c := csv.NewWriter(&kept)
	c.Comma = w.delimiter
	if c.Write(cells[:len(cells)-w.drop]) != nil {
		return raw
	}
	c.Flush()
	return strings.TrimSuffix(kept.String(), "\n")
}
