package formats

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// The rows that gocsv decodes records into hold texts only, because its number conversions are silent about what they
// change. The header that it is given has been mapped before: it names each column by what is done with it.
type (
	// lineRow is a record without quotes: its delimiters part cells and nothing else, so it is handed on in one piece.
	// Reflection on every cell would take most of the time that a file takes.
	lineRow struct {
		Line string `csv:"line"`
	}
	// cellRow is any other record. All columns that are read from have the same name, so that gocsv gives their cells to
	// one field, one after the other.
	cellRow struct {
		Cells cellList `csv:"cell"`
	}
)

// The names of columns in the header that gocsv is given.
const (
	lineName   = "line"
	cellName   = "cell"
	unreadName = "unread" // gocsv leaves it out
)

// lineDelimiter parts nothing: no text has it that allText finds fine.
const lineDelimiter = '\x1f'

// cellList collects cells. It is a pointer, so that reflection needs no memory to look at it.
type cellList struct{ texts *[]string }

// UnmarshalCSV takes the next cell of a row.
func (c *cellList) UnmarshalCSV(cell string) error {
	if c.texts == nil {
		texts := make([]string, 0, 8)
		c.texts = &texts
	}
	*c.texts = append(*c.texts, cell)
	return nil
}

// rowHeader is the mapped header that gocsv reads before records that are decoded cell by cell.
func (l *layout) rowHeader() string {
	names := make([]string, len(l.cellOf))
	for i, cell := range l.cellOf {
		if names[i] = cellName; cell < 0 {
			names[i] = unreadName
		}
	}
	return strings.Join(names, string(l.delimiter)) + "\n"
}

// plain reports whether lines of a block can be cut at delimiters: its text is fine and has no quote.
func (l *layout) plain(b block, clean bool) bool {
	return clean && l.delimiter < utf8.RuneSelf && bytes.IndexByte(b.text, '"') < 0
}

// cut parts a line without quotes into the cells that are read from. ok is false if it has not as many as the header.
func (l *layout) cut(line string, cells []string) (ok bool) {
	delimiter := byte(l.delimiter)
	for i, cell := range l.cellOf {
		text := line
		end := strings.IndexByte(line, delimiter)
		if last := i == len(l.cellOf)-1; last != (end < 0) {
			return false
		}
		if end >= 0 {
			text, line = line[:end], line[end+1:]
		}
		if cell >= 0 {
			cells[cell] = text
		}
	}
	return true
}
