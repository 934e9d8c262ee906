package formats

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gocarina/gocsv"
)

// MaxRecord is the size in bytes beyond which a record cannot be one: an unclosed quote has swallowed what follows.
const MaxRecord = 1 << 20

// delimiters are those that a header is tried with, the most common first.
var delimiters = []rune{',', ';', '\t', '|'}

// CustomerOptions say how to read a customer file. The zero value reads minor units and finds the delimiter in the header.
type CustomerOptions struct {
	Currency  string // where a balance has no currency of its own; empty: such a row is rejected
	Major     bool   // amounts are in major units
	Delimiter rune   // 0: found from the header
}

// CustomerRecord is one record of a customer file.
type CustomerRecord struct {
	Number   int        // 1 for the first record after the header
	Line     int        // its first physical line, the header being line 1
	Customer Customer   // meaningful as far as Problems leave it so
	Problems []*Problem // in column order; empty for a good record
	Raw      []byte     // the record as it came, without its line end; valid until the next call of Next
}

// CustomerReader reads a file in the customers format (design.md section 6): a header with the API's field names, and
// metadata.<key> and due_date columns. Every fault of a row is a Problem of its record; a fault of the file is a
// *FileError and ends the reading.
type CustomerReader struct {
	options CustomerOptions
	header  *header
	tape    *tape
	csv     *csv.Reader
	rows    *gocsv.Unmarshaller

	end     int64 // tape offset where the last record ended
	line    int   // where the last record began
	number  int
	blank   int
	rawHead string
}

// customerRow is what gocsv decodes: texts only, because its number conversions are silent about what they change.
type customerRow struct {
	ExternalReference string `csv:"external_reference"`
	Name              string `csv:"name"`
	Email             string `csv:"email"`
	Phone             string `csv:"phone"`
	Currency          string `csv:"currency"`
	Balance           string `csv:"balance"`
	DueDate           string `csv:"due_date"`
}

// NewCustomerReader reads the header. A file without bytes, in another encoding than UTF-8 or without the columns that
// the format needs is refused with a *FileError.
func NewCustomerReader(src io.Reader, options CustomerOptions) (*CustomerReader, error) {
	buffered := bufio.NewReaderSize(src, 64<<10)
	if err := checkBeginning(buffered); err != nil {
		return nil, err
	}
	line, err := readHeaderLine(buffered)
	if err != nil {
		return nil, err
	}
	delimiter, record, err := splitHeader(line, options.Delimiter)
	if err != nil {
		return nil, err
	}
	h, fault := mapHeader(record)
	if fault != nil {
		return nil, fault
	}
	options.Delimiter = delimiter
	r := &CustomerReader{options: options, header: h, rawHead: line, line: 1}
	return r, r.start(buffered)
}

// start gives gocsv a header of our own names, so that its matching by exact name cannot leave a column behind.
func (r *CustomerReader) start(rest io.Reader) error {
	var head bytes.Buffer
	w := csv.NewWriter(&head)
	w.Comma = r.options.Delimiter
	if err := w.Write(r.header.names); err != nil {
		return fmt.Errorf("write the mapped header: %w", err)
	}
	w.Flush()

	r.end = int64(head.Len())
	r.tape = &tape{src: io.MultiReader(&head, rest)}
	r.csv = csv.NewReader(r.tape)
	r.csv.Comma = r.options.Delimiter
	r.csv.ReuseRecord = true
	rows, err := gocsv.NewUnmarshaller(r.csv, customerRow{})
	if err != nil {
		return fmt.Errorf("read the mapped header: %w", err)
	}
	r.rows = rows
	return nil
}

// Delimiter returns the delimiter that the file is read with.
func (r *CustomerReader) Delimiter() rune { return r.options.Delimiter }

// Header returns the header line as it came, without its line end.
func (r *CustomerReader) Header() string { return r.rawHead }

// Columns returns the names of all columns: the format's own for those it knows.
func (r *CustomerReader) Columns() []string { return r.header.names }

// UnknownColumns returns the names, as they came, of columns that nothing is read from.
func (r *CustomerReader) UnknownColumns() []string { return r.header.unknown }

// BlankLines returns how many blank lines were passed over so far.
func (r *CustomerReader) BlankLines() int { return r.blank }

// Next returns the next record, io.EOF after the last one, or a *FileError.
func (r *CustomerReader) Next() (*CustomerRecord, error) {
	value, unmatched, err := r.rows.ReadUnmatched()
	var parse *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		r.cutRecord()
		return nil, io.EOF
	case errors.As(err, &parse) && errors.Is(parse.Err, csv.ErrFieldCount):
		return r.ragged(parse), nil
	case errors.As(err, &parse):
		return nil, quoteFault(parse)
	case errors.Is(err, errRecordTooLong):
		return nil, &FileError{Line: r.line + 1, Rule: "record_too_long", Remedy: "a record that begins here or below is longer than 1 MiB: most likely a quote is not closed"}
	case err != nil:
		return nil, fmt.Errorf("read customer file: %w", err)
	}
	line, _ := r.csv.FieldPos(0)
	raw := r.cutRecord()
	if len(raw) > MaxRecord {
		return nil, &FileError{Line: line, Rule: "record_too_long", Remedy: "the record is longer than 1 MiB: most likely a quote is not closed"}
	}
	r.line = line
	r.number++
	row := value.(customerRow)
	record := &CustomerRecord{Number: r.number, Line: line, Raw: raw}
	r.validate(record, &row, unmatched)
	return record, nil
}

// cutRecord takes the bytes of the record just read from the tape, without line ends and the blank lines before it.
func (r *CustomerReader) cutRecord() []byte {
	from, to := r.end, r.csv.InputOffset()
	r.end = to
	raw := r.tape.cut(from, to)
	for len(raw) > 0 && (raw[0] == '\n' || (raw[0] == '\r' && len(raw) > 1 && raw[1] == '\n')) {
		if raw[0] == '\n' {
			r.blank++
		}
		raw = raw[1:]
	}
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	return bytes.TrimSuffix(raw, []byte("\r"))
}

// ragged makes the record of a line with too few or too many cells. None of its cells is trusted to stand in its column.
func (r *CustomerReader) ragged(parse *csv.ParseError) *CustomerRecord {
	raw := r.cutRecord()
	cells := 0
	again := csv.NewReader(bytes.NewReader(raw))
	again.Comma, again.FieldsPerRecord = r.options.Delimiter, -1
	if record, err := again.Read(); err == nil {
		cells = len(record)
	}
	r.number++
	r.line = parse.StartLine
	return &CustomerRecord{
		Number: r.number, Line: parse.StartLine, Raw: raw,
		Problems: []*Problem{{
			Line: parse.StartLine, Rule: "ragged_row",
			Remedy: fmt.Sprintf("the row has %d cells and the header %d; most likely a text that contains the delimiter is not quoted", cells, len(r.header.names)),
		}},
	}
}

func quoteFault(parse *csv.ParseError) *FileError {
	fault := &FileError{Line: parse.StartLine, Rule: "bare_quote", Remedy: fmt.Sprintf(`a quote stands inside an unquoted cell (line %d, byte %d); quote the cell and double the quotes in it`, parse.Line, parse.Column)}
	if errors.Is(parse.Err, csv.ErrQuote) {
		fault.Rule = "unclosed_quote"
		fault.Remedy = fmt.Sprintf("a quoted cell that begins in this record is not closed properly (seen at line %d, byte %d); nothing after it can be trusted", parse.Line, parse.Column)
	}
	return fault
}

// checkBeginning strips one UTF-8 byte order mark and refuses what is certainly not UTF-8 text.
func checkBeginning(src *bufio.Reader) error {
	start, err := src.Peek(512)
	if len(start) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read customer file: %w", err)
		}
		return &FileError{Rule: "empty_file", Remedy: "the file has no bytes; send it again, or send a header line alone if there is nothing to say"}
	}
	switch {
	case bytes.HasPrefix(start, []byte{0xef, 0xbb, 0xbf}):
		_, err = src.Discard(3)
		return err
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}), bytes.HasPrefix(start, []byte{0xfe, 0xff}), bytes.Count(start, []byte{0}) > len(start)/8: // text in UTF-16 has a NUL in every second byte

		return &FileError{Line: 1, Rule: "bad_encoding", Remedy: "the file is not UTF-8 text (it looks like UTF-16); export it as CSV UTF-8"}
	}
	return nil
}

// readHeaderLine reads the header's physical line. A header with a line break inside a quoted name is refused, since
// no column of the format can be meant by it.
func readHeaderLine(src *bufio.Reader) (string, error) {
	var line strings.Builder
	for {
		piece, err := src.ReadSlice('\n')
		line.Write(piece)
		if line.Len() > MaxRecord {
			return "", &FileError{Line: 1, Rule: "record_too_long", Remedy: "the first line is longer than 1 MiB: this is no CSV file with lines"}
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read customer file: %w", err)
		}
		break
	}
	text := strings.TrimSuffix(strings.TrimSuffix(line.String(), "\n"), "\r")
	switch {
	case strings.ContainsRune(text, '\r'):
		return "", &FileError{Line: 1, Rule: "bad_line_ends", Remedy: "the lines end in CR alone; save the file with LF or CRLF line ends"}
	case strings.TrimSpace(text) == "":
		return "", &FileError{Line: 1, Rule: "missing_header", Remedy: "the first line is blank; it must be the header"}
	}
	if word, remedy := checkText(text); word != "" {
		return "", &FileError{Line: 1, Rule: word, Remedy: remedy}
	}
	return text, nil
}

// splitHeader splits the header line, by the delimiter that is configured or by the first one that makes the format's
// key column appear.
func splitHeader(line string, configured rune) (rune, []string, error) {
	candidates := delimiters
	if configured != 0 {
		candidates = []rune{configured}
	}
	var first []string
	var fault *FileError
	for _, d := range candidates {
		r := csv.NewReader(strings.NewReader(line))
		r.Comma = d
		record, err := r.Read()
		if err != nil {
			var parse *csv.ParseError
			if errors.As(err, &parse) && fault == nil {
				fault = quoteFault(parse)
			}
			continue
		}
		for _, cell := range record {
			if normalName(cell) == normalName("external_reference") {
				return d, record, nil
			}
		}
		if first == nil || len(record) > len(first) && configured == 0 {
			first = record
		}
	}
	if first == nil {
		return 0, nil, fault
	}
	return 0, nil, missingReference(first)
}
