package formats

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
)

// CustomerRecord is one record of a customer file. It is valid until the next call of Next; what Customer and Problems hold
// may be kept.
type CustomerRecord struct {
	Number   int        // 1 for the first record after the header
	Line     int        // its first physical line, the header being line 1
	Customer Customer   // meaningful as far as Problems leave it so
	Problems []*Problem // in column order; empty for a good record
	Raw      []byte     // the record as it came, in UTF-8 and without its line end

	amountUnread bool // a balance stands there and cannot be read
}

// CustomerReader reads a customer file of any Format. Every fault of a row is a Problem of its record; a fault of the file
// is a *FileError and ends the reading: nothing of the file may be used then, whatever was read before. The same bytes and
// options give the same records on every machine.
type CustomerReader struct {
	options CustomerOptions
	charset charset
	rawHead string
	layout  *layout
	blocks  *blockReader
	ended   error   // of blocks; io.EOF at the end of the file
	lane    *lane   // with the block at hand; nil between two
	at      int     // next record of it
	ahead   []*lane // parsing the blocks behind it, in file order
	spare   []*lane
	work    sync.WaitGroup // for those ahead

	number  int
	blank   int
	trailer *trailerRecord
	tally   tally
	fault   error // what ended the reading; io.EOF at the end
}

// lanesAtMost bounds memory where there are many processors; reading and what is done with the records is the limit then.
// There is one more lane than processors, so that none of these rests while a block is handed on.
const lanesAtMost = 8

// NewCustomerReader reads the header. A file that is empty, in an encoding that is not certain, or without the columns that
// the format needs is refused with a *FileError.
func NewCustomerReader(src io.Reader, options CustomerOptions) (*CustomerReader, error) {
	return newCustomerReader(src, options, blockSize)
}

func newCustomerReader(src io.Reader, options CustomerOptions, size int) (*CustomerReader, error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	options = options.normal()
	r := &CustomerReader{options: options}
	text, err := r.decode(src)
	if err != nil {
		return nil, err
	}
	r.blocks = &blockReader{src: text, size: size}
	head, err := r.blocks.header()
	if err != nil {
		return nil, err
	}
	if r.rawHead, err = r.checkHeader(head); err != nil {
		return nil, err
	}
	if r.layout, err = readLayout(r.rawHead, &r.options); err != nil {
		return nil, err
	}
	rules := newRowRules(r.layout, &r.options, !r.charset.certain)
	rules.sampleReferences(r.blocks.rest)
	for range min(runtime.GOMAXPROCS(0)+1, lanesAtMost) {
		r.spare = append(r.spare, newLane(rules))
	}
	return r, nil
}

// decode finds the encoding and returns the file's text.
func (r *CustomerReader) decode(src io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(src, 64<<10)
	start, err := buffered.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read customer file: %w", err)
	}
	if len(start) == 0 {
		return nil, emptyFile()
	}
	if format := packedFormat(start); format != "" {
		return nil, &FileError{Rule: "packed_file", Remedy: "the file is " + format + ", not CSV text; unpack it, or give it the file name ending that says so"}
	}
	charset, fault := detectCharset(start, r.options.Encoding)
	if fault != nil {
		return nil, fault
	}
	if len(start) == len(charset.mark) {
		return nil, emptyFile()
	}
	r.charset = charset
	return charset.reader(buffered), nil
}

func emptyFile() *FileError {
	return &FileError{Rule: "empty_file", Remedy: "the file has no bytes; send it again, or send a header line alone if there is nothing to say"}
}

// packedFormat names what a file is that begins so, if it is certainly no text.
func packedFormat(start []byte) string {
	for _, f := range []struct{ magic, name string }{
		{"\x1f\x8b", "compressed with gzip"},
		{"PK\x03\x04", "a zip archive or an Excel workbook"},
		{"\x28\xb5\x2f\xfd", "compressed with zstd"},
		{"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind"},
		{"-----BEGIN PGP", "encrypted or signed with PGP"},
		{"%PDF-", "a PDF document"},
	} {
		if strings.HasPrefix(string(start), f.magic) {
			return f.name
		}
	}
	return ""
}

// checkHeader refuses a header that is no text.
func (r *CustomerReader) checkHeader(head []byte) (string, error) {
	if at := invalidUTF8(head); at >= 0 && !r.charset.certain {
		return "", guessFault(lineAt(head, at, 1), head[at])
	}
	text := string(head)
	if strings.TrimSpace(text) == "" {
		return "", &FileError{Line: 1, Rule: "missing_header", Remedy: "the first line is blank; it must be the header"}
	}
	if word, remedy := checkText(text); word != "" {
		return "", &FileError{Line: 1, Rule: word, Remedy: remedy}
	}
	return text, nil
}

// Delimiter returns the delimiter that the file is read with.
func (r *CustomerReader) Delimiter() rune { return r.layout.delimiter }

// Encoding returns the encoding that the file is read in. One that was found is UTF-8 as far as it was read.
func (r *CustomerReader) Encoding() Encoding { return r.charset.encoding }

// Header returns the header line as it came, in UTF-8 and without its line end.
func (r *CustomerReader) Header() string { return r.rawHead }

// Columns returns the names of all columns as they came.
func (r *CustomerReader) Columns() []string { return r.layout.header }

// UnknownColumns returns the names, as they came, of columns that nothing is read from.
func (r *CustomerReader) UnknownColumns() []string { return r.layout.unknown }

// BlankLines returns how many blank lines were passed over so far.
func (r *CustomerReader) BlankLines() int { return r.blank }

// Proven reports, once all is read, whether a trailer proved that the file is whole.
func (r *CustomerReader) Proven() bool { return r.trailer != nil && errors.Is(r.fault, io.EOF) }

// Next returns the next record, io.EOF after the last one, or a *FileError. While it is used, blocks of the file behind that
// record are parsed on all processors; use Close unless Next has returned an error.
func (r *CustomerReader) Next() (*CustomerRecord, error) {
	for r.fault == nil {
		if r.lane == nil {
			r.turn()
			continue
		}
		if r.at < len(r.lane.records) {
			if r.trailer != nil {
				r.fault = r.trailer.mustBeLast(r.lane.records[0].Line)
				break
			}
			record := &r.lane.records[r.at]
			r.at++
			r.number++
			record.Number = r.number
			r.tally.add(record, r.options.Major)
			return record, nil
		}
		r.leave()
	}
	r.Close()
	return nil, r.fault
}

// Close waits for what Next has set going. It may be called at any time, after which Next may go on.
func (r *CustomerReader) Close() { r.work.Wait() }

// turn goes on to the next block, and keeps the lanes at work meanwhile. At the end of the file the trailer must foot.
func (r *CustomerReader) turn() {
	for len(r.spare) > 0 && r.ended == nil {
		r.start(r.spare[0])
	}
	if len(r.ahead) > 0 {
		r.lane, r.ahead, r.at = r.ahead[0], r.ahead[1:], 0
		<-r.lane.done
		return
	}
	r.fault = r.ended
	if errors.Is(r.ended, io.EOF) {
		if fault := r.foot(); fault != nil {
			r.fault = fault
		}
	}
}

// start has the first of the spare lanes parse the next block.
func (r *CustomerReader) start(l *lane) {
	b, err := r.blocks.next(l.buffer)
	l.buffer = b.text[:0]
	if r.ended = err; err != nil {
		return
	}
	r.spare, r.ahead = r.spare[1:], append(r.ahead, l)
	r.work.Go(func() {
		l.parse(b)
		l.done <- struct{}{}
	})
}

// leave ends with a block whose records are all handed on.
func (r *CustomerReader) leave() {
	l := r.lane
	r.blank += l.blank
	switch {
	case l.fault != nil:
		r.fault = l.fault
	case l.trailer != nil && r.trailer != nil:
		r.fault = r.trailer.mustBeLast(l.trailer.line)
	case l.trailer != nil:
		r.trailer = l.trailer
	}
	r.lane, r.spare = nil, append(r.spare, l)
}
