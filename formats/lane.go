package formats

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gocarina/gocsv"
)

// MaxRecord is the size in bytes beyond which a record cannot be one: an unclosed quote has swallowed what follows.
const MaxRecord = 1 << 20

// lane parses and validates blocks, one at a time; several lanes work side by side. What it made of a block is valid until
// the next one.
type lane struct {
	rules  *rowRules
	buffer []byte        // of the block
	done   chan struct{} // holds a token once the block is parsed

	records []CustomerRecord
	blank   int
	trailer *trailerRecord // stands behind all records
	fault   error          // stands behind all records; ends the reading

	block    block
	header   string // the mapped header, which gocsv reads first
	csv      *csv.Reader
	end      int // where in the block the last record ended
	clean    bool
	cells    []string    // of the record at hand that are read from
	metadata []Metadatum // room for what records keep
}

func newLane(rules *rowRules) *lane {
	return &lane{rules: rules, done: make(chan struct{}, 1), cells: make([]string, rules.known)}
}

// parse makes records of a block.
func (l *lane) parse(b block) {
	l.block, l.records, l.blank, l.trailer, l.fault, l.end = b, l.records[:0], 0, nil, nil, 0
	if l.rules.guessed && !b.cut {
		if at := invalidUTF8(b.text); at >= 0 {
			l.fault = guessFault(lineAt(b.text, at, b.line), b.text[at])
			return
		}
	}
	l.clean = allText(b.text)
	header, delimiter, row := l.rules.cellHeader, l.rules.delimiter, any(&cellRow{})
	inLines := l.clean && l.rules.tame(b.text)
	if inLines {
		header, delimiter, row = lineName+"\n", lineDelimiter, &lineRow{}
	}
	l.header = header
	l.csv = csv.NewReader(io.MultiReader(strings.NewReader(header), bytes.NewReader(b.text)))
	// Quotes in lines that are handed on in one piece have been found right; in all others the parser is strict.
	l.csv.Comma, l.csv.ReuseRecord, l.csv.LazyQuotes = delimiter, true, inLines
	rows, err := gocsv.NewUnmarshaller(l.csv, row)
	if err != nil {
		l.fault = fmt.Errorf("read the mapped header: %w", err)
		return
	}
	for l.fault == nil && l.next(rows) {
	}
}

// next reads one record; false is the end of the block, or a fault.
func (l *lane) next(rows *gocsv.Unmarshaller) bool {
	row, err := rows.Read()
	if err != nil {
		return l.unread(err)
	}
	ragged := false
	switch row := row.(type) {
	case *lineRow:
		ragged = !l.rules.cut(row.Line, l.cells)
	case *cellRow:
		if row.Cells.texts != nil {
			copy(l.cells, *row.Cells.texts)
		}
	}
	line, _ := l.csv.FieldPos(0)
	l.add(l.physical(line), ragged)
	return true
}

// unread deals with a record that was not decoded.
func (l *lane) unread(err error) bool {
	var parse *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		l.cutRecord()
	case errors.As(err, &parse) && errors.Is(parse.Err, csv.ErrFieldCount):
		l.add(l.physical(parse.StartLine), true)
		return true
	case errors.As(err, &parse) && l.block.cut:
		l.fault = tooLong(l.physical(parse.StartLine))
	case errors.As(err, &parse):
		l.fault = quoteFaultAfter(l.physical(0), parse)
	default:
		l.fault = fmt.Errorf("read customer file: %w", err)
	}
	return false
}

// physical turns a line of the parser, whose first one is the mapped header, into a line of the file.
func (l *lane) physical(line int) int { return l.block.line + line - 2 }

// add makes a record of a row; a ragged one has the wrong width, and its cells say nothing.
func (l *lane) add(line int, ragged bool) {
	raw := l.cutRecord()
	if len(raw) > MaxRecord {
		l.fault = tooLong(line)
		return
	}
	if l.trailer != nil {
		l.fault = l.trailer.mustBeLast(line)
		return
	}
	if l.rules.trailerSign != nil {
		if l.trailer = l.rules.findTrailer(raw, line); l.trailer != nil {
			return
		}
	}
	record := l.record()
	record.Line, record.Raw = line, raw
	if ragged {
		l.rules.addRagged(record)
		return
	}
	l.validate(record, l.cells)
}

// record makes room for one more record, empty.
func (l *lane) record() *CustomerRecord {
	if len(l.records) == cap(l.records) {
		l.records = slices.Grow(l.records, max(1024, cap(l.records)))
	}
	l.records = l.records[:len(l.records)+1]
	record := &l.records[len(l.records)-1]
	*record = CustomerRecord{}
	return record
}

// cutRecord takes the bytes of the record just read from the block, without line ends and the blank lines before it.
func (l *lane) cutRecord() []byte {
	from, to := l.end, int(l.csv.InputOffset())-len(l.header)
	l.end = to
	raw := l.block.text[from:to:to]
	for len(raw) > 0 && (raw[0] == '\n' || (raw[0] == '\r' && len(raw) > 1 && raw[1] == '\n')) {
		if raw[0] == '\n' {
			l.blank++
		}
		raw = raw[1:]
	}
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	return bytes.TrimSuffix(raw, []byte("\r"))
}

// keep makes room for metadata that outlives the block.
func (l *lane) keep(n int) []Metadatum {
	if cap(l.metadata)-len(l.metadata) < n {
		l.metadata = make([]Metadatum, 0, max(n, 512))
	}
	from := len(l.metadata)
	l.metadata = l.metadata[:from+n]
	return l.metadata[from : from : from+n]
}

// splitRaw splits a record's bytes into cells, however many; nil if that cannot be done.
func splitRaw(raw []byte, delimiter rune) []string {
	// The line end that was cut off keeps a CR before it from being taken for one.
	r := csv.NewReader(io.MultiReader(bytes.NewReader(raw), strings.NewReader("\r\n")))
	r.Comma, r.FieldsPerRecord = delimiter, -1
	cells, err := r.Read()
	if err != nil {
		return nil
	}
	return cells
}

func tooLong(line int) *FileError {
	return &FileError{Line: line, Rule: "record_too_long", Remedy: "the record is longer than 1 MiB: most likely a quote is not closed"}
}

// quoteFault says where quoting is broken.
func quoteFault(parse *csv.ParseError) *FileError { return quoteFaultAfter(0, parse) }

// quoteFaultAfter says so for a parser whose first line follows so many others.
func quoteFaultAfter(before int, parse *csv.ParseError) *FileError {
	line := parse.Line + before
	fault := &FileError{Line: parse.StartLine + before, Rule: "bare_quote", Remedy: fmt.Sprintf(`a quote stands inside an unquoted cell (line %d, byte %d); quote the cell and double the quotes in it`, line, parse.Column)}
	if errors.Is(parse.Err, csv.ErrQuote) {
		fault.Rule = "unclosed_quote"
		fault.Remedy = fmt.Sprintf("a quoted cell that begins in this record is not closed properly (seen at line %d, byte %d); nothing after it can be trusted", line, parse.Column)
	}
	return fault
}

// guessFault refuses bytes that are not UTF-8, where nothing says what they are.
func guessFault(line int, b byte) *FileError {
	return &FileError{Line: line, Rule: "bad_encoding", Remedy: fmt.Sprintf(
		"the file is not valid UTF-8 (byte 0x%02X), and which encoding it has cannot be told for certain: write files.encoding: windows-1252 or iso-8859-1 if it is one of these, or utf-8 to have only such rows rejected; or export it as CSV UTF-8", b)}
}
