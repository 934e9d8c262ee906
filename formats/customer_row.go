package formats

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// The rows that gocsv decodes records into hold texts only, because its number conversions are silent about what they
// change. The header that it is given has been mapped before: it names each column by what is done with it.
type (
	// lineRow is a record that can be cut at delimiters (see tame), so it is handed on in one piece. Reflection on every
	// cell would take most of the time that a file takes.
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

// tame reports whether every line of a text is a record that can be cut at delimiters: each quoted cell has its two quotes
// and no others, ends in its line, and does not begin it.
func (l *layout) tame(text []byte) bool {
	if l.delimiter >= utf8.RuneSelf {
		return false
	}
	delimiter := byte(l.delimiter)
	for at := 0; ; {
		open := bytes.IndexByte(text[at:], '"')
		if open < 0 {
			return true
		}
		open += at
		length := bytes.IndexByte(text[open+1:], '"')
		if length < 0 || open == 0 || text[open-1] != delimiter || bytes.IndexByte(text[open+1:open+1+length], '\n') >= 0 {
			return false
		}
		at = open + length + 2
		if rest := text[at:]; len(rest) > 0 && rest[0] != delimiter && rest[0] != '\n' && !bytes.HasPrefix(rest, []byte("\r\n")) {
			return false
		}
	}
}

// cut parts a line of a tame text into the cells that are read from. ok is false if it has not as many as the header.
func (l *layout) cut(line string, cells []string) (ok bool) {
	delimiter := byte(l.delimiter)
	for i, cell := range l.cellOf {
		text, quoted := line, len(line) > 0 && line[0] == '"'
		end := -1
		if quoted {
			closing := 1 + strings.IndexByte(line[1:], '"')
			text = line[1:closing]
			if closing+1 < len(line) {
				end = closing + 1
			}
		} else if end = strings.IndexByte(line, delimiter); end >= 0 {
			text = line[:end]
		}
		if last := i == len(l.cellOf)-1; last != (end < 0) {
			return false
		}
		line = line[end+1:]
		if cell >= 0 {
			cells[cell] = text
		}
	}
	return true
}
