package formats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// tailSize is how much of a file's end is looked at: more than a trailer takes.
const tailSize = 64 << 10

// readTail reads on to the end and returns what is last; head is what was read before. It begins at an even offset, so that
// UTF-16 is not cut inside a character's half.
func readTail(src io.Reader, head []byte) ([]byte, error) {
	tail := bytes.Clone(head[max(0, len(head)-tailSize):])
	buffer := make([]byte, tailSize)
	for {
		n, err := io.ReadFull(src, buffer)
		if tail = append(tail, buffer[:n]...); len(tail) > 2*tailSize {
			tail = append(tail[:0], tail[len(tail)-tailSize-len(tail)%2:]...)
		}
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = nil
			}
			return tail, err
		}
	}
}

// findLast looks at the last record, which may be far behind the beginning that was read as text.
func (g *guesser) findLast(src io.Reader, sample, text []byte) error {
	if g.whole {
		g.findTrailer(lastLine(text))
		return nil
	}
	tail, err := readTail(src, sample)
	if err != nil {
		return err
	}
	c := g.charset
	c.mark = nil
	// The piece may begin inside a character; what is damaged at its end shows when the file is read.
	end, _ := io.ReadAll(c.reader(bytes.NewReader(tail)))
	g.findTrailer(lastLine(end))
	return nil
}

// lastLine returns the last line of a text that is not blank, without its line end.
func lastLine(text []byte) []byte {
	text = bytes.TrimRight(text, "\r\n")
	return text[bytes.LastIndexAny(text, "\r\n")+1:]
}

// trailerWords are what trailers often begin with, in normal form.
func trailerWords() []string {
	return strings.Fields("trailer trl tr total totals totaal grandtotal footer end eof eot control summary")
}

// findTrailer looks whether the last record is one of another kind than the others: it begins with a word that says so, or
// it alone is shorter than the header, begins like no other, and has a figure.
func (g *guesser) findTrailer(line []byte) {
	cells := splitRaw(line, g.s.Options.Delimiter)
	if len(cells) < 2 || cells[0] == "" || len(cells) > len(g.header) || bytes.Count(line, []byte{'"'})%2 == 1 || !slices.ContainsFunc(cells[1:], g.isFigure) {
		return
	}
	last := len(g.rows) - 1
	others := g.rows
	if last >= 0 && slices.Equal(g.rows[last], cells) {
		others = g.rows[:last]
	}
	if slices.ContainsFunc(others, func(row []string) bool { return row[0] == cells[0] }) {
		return
	}
	ragged := 0
	if g.whole {
		ragged = 1 // it is one of those counted
	}
	alone := len(cells) < len(g.header) && g.ragged == ragged
	if !alone && !slices.Contains(trailerWords(), normalName(cells[0])) {
		return
	}
	g.rows, g.last = others, cells
	g.records--
}

// isFigure reports whether a cell can be a count or a sum.
func (g *guesser) isFigure(cell string) bool {
	return allDigits(strings.Map(func(r rune) rune {
		if strings.ContainsRune("-., '\u00a0\u202f\u2009", r) {
			return -1
		}
		return r
	}, cell))
}

// trailer proposes which figures of the trailer are the count and the sum. Whether they are right shows when the whole file
// is read with the proposal.
func (g *guesser) trailer() {
	if g.last == nil {
		return
	}
	t := Trailer{Match: g.last[0]}
	balance := g.source("balance")
	for i, cell := range g.last {
		name := strings.TrimSpace(g.header[i])
		switch {
		case i == 0 || name == "" || !g.isFigure(cell):
		case i == balance:
			t.SumColumn = name
		case t.CountColumn == "" && allDigits(cell) && (!g.whole || g.counts(cell)):
			t.CountColumn = name
		case t.SumColumn == "" && balance >= 0 && g.whole && !g.counts(cell):
			t.SumColumn = name
		}
	}
	guess := "the last row begins so and looks like one"
	if t.CountColumn != "" && g.whole {
		guess = fmt.Sprintf("the last row begins so and counts %d records, which is right", g.records)
	}
	g.s.Options.Trailer = t
	var parts []string
	for _, p := range []struct{ key, value string }{{"match", t.Match}, {"count_column", t.CountColumn}, {"sum_column", t.SumColumn}} {
		if p.value != "" {
			parts = append(parts, p.key+": "+strconv.Quote(p.value))
		}
	}
	g.set("trailer", "{"+strings.Join(parts, ", ")+"}", guess)
}

// counts reports whether a cell is the number of records.
func (g *guesser) counts(cell string) bool {
	n, err := strconv.Atoi(cell)
	return err == nil && n == g.records
}
