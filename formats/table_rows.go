package formats

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
)

const (
	stretchBytes = 256 << 10 // of a file in a stretch of the plain way
	strictRows   = 1024      // in one of the strict reader
)

// tableRows are the rows of a stretch of a CSV file. Lines that are cut at the delimiter alone are read by the plain way,
// whose rows share one text; all the rest of a file from the first other line on is left to encoding/csv.
type tableRows struct {
	table *namedColumns
	place []int // of each wanted column in the file, -1 for one that it has not

	text string // plain: what is left of the stretch
	odd  bool   // it begins with a line for the strict reader
	rows int    // strict: how many may still come
	err  error  // of the strict reader

	line  int      // of the next one, in the plain way; the header is line 1
	at    int      // line of the row, its first physical one
	cells []string // of the wanted columns, valid until the next row; the texts for good
	all   []string // that a plain line was cut into
}

// next goes to the next row.
func (r *tableRows) next() bool {
	if r.rows > 0 {
		return r.nextStrict()
	}
	for r.text != "" && !r.odd {
		line, rest, _ := strings.Cut(r.text, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line != "" && !r.cut(line) {
			r.odd = true
			return false
		}
		r.text, r.at = rest, r.line
		r.line++
		if line != "" {
			r.pick(r.all)
			return true
		}
	}
	return false
}

// left returns how many rows may still come, at most.
func (r *tableRows) left() int { return r.rows + strings.Count(r.text, "\n") + 1 }

// cut cuts a line into cells. It reports false if the line needs the strict reader.
func (r *tableRows) cut(line string) bool {
	r.all = r.all[:0]
	delimiter := byte(r.table.csv.Comma)
	for {
		cell, rest, more := "", "", false
		if strings.HasPrefix(line, `"`) {
			end := strings.IndexByte(line[1:], '"')
			if end < 0 {
				return false
			}
			cell, rest = line[1:1+end], line[2+end:]
			if more = rest != ""; more {
				if rest[0] != delimiter {
					return false
				}
				rest = rest[1:]
			}
		} else {
			end := strings.IndexByte(line, delimiter)
			if more = end >= 0; more {
				cell, rest = line[:end], line[end+1:]
			} else {
				cell = line
			}
			if strings.IndexByte(cell, '"') >= 0 {
				return false
			}
		}
		r.all = append(r.all, cell)
		if !more {
			return len(r.all) == r.table.csv.FieldsPerRecord
		}
		line = rest
	}
}

func (r *tableRows) nextStrict() bool {
	row, err := r.table.next()
	if err != nil {
		r.rows, r.err = 0, err
		return false
	}
	r.rows--
	r.at = row.line
	r.pick(row.record)
	return true
}

func (r *tableRows) pick(record []string) {
	for i, at := range r.place {
		if r.cells[i] = ""; at >= 0 {
			r.cells[i] = record[at]
		}
	}
}

// stretch is a piece of a file on its way from the reader to a worker to whoever takes what was made of it.
type stretch[T any] struct {
	text  []byte
	rows  tableRows
	made  T
	err   error
	ready chan struct{}
}

// eachStretch makes a T of each stretch of a table's rows, on all processors, and hands them to take in the order of the
// file. The first error, in that order, ends it. How the file is cut, and which way reads a line, changes no row.
func eachStretch[T any](t *namedColumns, columns []string, work func(*tableRows) (T, error), take func(T) error) error {
	rows := tableRows{table: t, line: t.line + 1}
	for _, name := range columns {
		at, ok := t.index[name]
		if !ok {
			at = -1
		}
		rows.place = append(rows.place, at)
	}
	fresh := func() tableRows {
		r := rows
		r.cells = make([]string, len(columns))
		return r
	}
	if t.line == 1 && t.simple {
		left, err := plainStretches(t, fresh, work, take)
		if err != nil || left == nil {
			return err
		}
		t.goOn(left)
	}
	for r := fresh(); r.err == nil; {
		r.rows = strictRows
		if err := takeMade(work, &r, take); err != nil {
			return err
		}
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return r.err
		}
	}
	return nil
}

func takeMade[T any](work func(*tableRows) (T, error), rows *tableRows, take func(T) error) error {
	made, err := work(rows)
	if err := take(made); err != nil {
		return err
	}
	return err
}

// remainder is what the strict reader shall read.
type remainder struct {
	src  io.Reader
	line int // of its first line
}

// goOn makes the table go on with what is left of its file.
func (t *namedColumns) goOn(left *remainder) {
	width, comma := t.csv.FieldsPerRecord, t.csv.Comma
	t.base = left.line - 1
	t.use(bufio.NewReaderSize(left.src, columnsBuffer), comma)
	t.csv.FieldsPerRecord = width
}

// plainStretches reads by the plain way as far as that goes, and returns what is left, or nil.
func plainStretches[T any](t *namedColumns, fresh func() tableRows, work func(*tableRows) (T, error), take func(T) error) (*remainder, error) {
	workers := runtime.GOMAXPROCS(0)
	jobs, order := make(chan *stretch[T], workers), make(chan *stretch[T], 2*workers)
	stop := make(chan struct{})
	var group sync.WaitGroup
	var cut []byte // at the end of the last stretch
	var readErr error
	group.Go(func() {
		defer close(jobs)
		defer close(order)
		cut, readErr = cutStretches(t.src, t.piece, func(text []byte, line int) bool {
			s := &stretch[T]{text: text, rows: fresh(), ready: make(chan struct{})}
			s.rows.line = line
			select {
			case <-stop:
				// What was read must not get lost, and order has nobody to wait for.
			case jobs <- s:
			}
			order <- s
			select {
			case <-stop:
				return false
			default:
				return true
			}
		})
	})
	for range workers {
		group.Go(func() {
			for s := range jobs {
				s.rows.text = string(s.text)
				s.made, s.err = work(&s.rows)
				close(s.ready)
			}
		})
	}
	left, err := takeStretches(order, stop, take)
	group.Wait()
	switch {
	case err != nil:
		return nil, err
	case left == nil || readErr != nil:
		return nil, readErr
	}
	left.src = io.MultiReader(left.src, bytes.NewReader(cut), t.src)
	return left, nil
}

// takeStretches takes what was made, in order, until a line needs the strict reader or something fails. Then it stops the
// reader and keeps what that had read.
func takeStretches[T any](order <-chan *stretch[T], stop chan<- struct{}, take func(T) error) (*remainder, error) {
	for s := range order {
		<-s.ready
		err := take(s.made)
		if err == nil {
			err = s.err
		}
		if err == nil && !s.rows.odd {
			continue
		}
		close(stop)
		rest := []io.Reader{strings.NewReader(s.rows.text)}
		for later := range order {
			rest = append(rest, bytes.NewReader(later.text))
		}
		return &remainder{io.MultiReader(rest...), s.rows.line}, err
	}
	return nil, nil
}

// cutStretches reads a file in stretches of whole lines, each with the number of its first one, until the file ends or
// each does not want more. It returns what it has read of a line that is in no stretch.
func cutStretches(src io.Reader, piece int, each func(text []byte, line int) bool) (cut []byte, err error) {
	for line := 2; ; {
		text := make([]byte, max(piece, 2*len(cut)))
		n, err := io.ReadFull(src, text[copy(text, cut):])
		text = text[:len(cut)+n]
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return nil, fmt.Errorf("read row after line %d: %w", line-1, err)
		}
		end := len(text)
		if !ended {
			end = bytes.LastIndexByte(text, '\n') + 1
		}
		cut = text[end:]
		if (end > 0 && !each(text[:end], line)) || ended {
			return cut, nil
		}
		line += bytes.Count(text[:end], []byte("\n"))
	}
}
