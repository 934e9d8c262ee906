package formats

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// metadataPrefix begins the name of a column that holds a metadata value.
const metadataPrefix = "metadata."

// rejectColumns stand in our own rejects files, which must import as they are once corrected.
var rejectColumns = []string{"reject_reason", "reject_detail"}

// delimiters are those that a header is tried with, the most common first.
var delimiters = []rune{',', ';', '\t', '|'}

// normalName is how a column name is compared: case, white space, underscores and hyphens do not count.
func normalName(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '_', '-', '\t', '\n', '\r', '\u00a0':
			return -1
		}
		return r
	}, strings.ToLower(s))
}

func isRejectColumn(cell string) bool {
	for _, name := range rejectColumns {
		if normalName(name) == normalName(cell) {
			return true
		}
	}
	return false
}

// metadataKey returns the key of a column named metadata.<key>; the key keeps its case.
func metadataKey(cell string) (string, bool) {
	cell = strings.TrimSpace(cell)
	if len(cell) <= len(metadataPrefix) || !strings.EqualFold(cell[:len(metadataPrefix)], metadataPrefix) {
		return "", false
	}
	return cell[len(metadataPrefix):], true
}

func checkMetadataKey(key string) *FileError {
	if word, _ := checkText(key); word != "" || utf8.RuneCountInString(key) > MaxMetadataKey || strings.ContainsAny(key, "\r\n\t") {
		return &FileError{Line: 1, Column: metadataPrefix + clip(key, MaxMetadataKey), Rule: "bad_metadata_key", Remedy: "a metadata key has at most 40 characters and no control characters"}
	}
	return nil
}

// readLayout splits the header by the delimiter that is configured, or by the one that makes the columns appear that the
// format needs, and maps it.
func readLayout(text string, options *CustomerOptions) (*layout, error) {
	candidates := delimiters
	if options.Delimiter != 0 {
		candidates = []rune{options.Delimiter}
	}
	var best *layout
	var fault error
	cells := 0
	for _, delimiter := range candidates {
		record, err := splitHeader(text, delimiter)
		if err != nil {
			if fault == nil {
				fault = err
			}
			continue
		}
		found, err := newLayout(record, options)
		switch {
		case err == nil && (best == nil || found.known > best.known):
			found.delimiter = delimiter
			best = found
		case err != nil && len(record) > cells:
			fault, cells = err, len(record)
		}
	}
	if best != nil {
		return best, nil
	}
	return nil, fault
}

// splitHeader reads the header as one record.
func splitHeader(text string, delimiter rune) ([]string, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = delimiter
	record, err := r.Read()
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return nil, quoteFault(parse)
	case errors.Is(err, io.EOF):
		return nil, &FileError{Line: 1, Rule: "missing_header", Remedy: "the first line is blank; it must be the header"}
	case err != nil:
		return nil, fmt.Errorf("read the header: %w", err)
	}
	return record, nil
}

// isValue reports whether a cell is a number or an address, which no header names a column by.
func isValue(cell string) bool {
	cell = strings.TrimSpace(cell)
	return strings.Contains(cell, "@") || cell != "" && strings.Trim(cell, "0123456789+-., ") == ""
}

// missingColumn says which column the header lacks, and what is in it instead.
func missingColumn(column, remedy string, record []string) *FileError {
	if strings.HasPrefix(strings.ToLower(record[0]), "sep=") {
		return &FileError{Line: 1, Column: column, Rule: "missing_column", Remedy: "the first line is a note of Excel's (sep=) and not the header; take it out"}
	}
	if slices.ContainsFunc(record, isValue) {
		// What it says of a customer is not for messages.
		remedy += "; the first line looks like a record, not like a header"
	} else {
		remedy = fmt.Sprintf("%s; the header has: %s", remedy, clip(strings.Join(record, " | "), 200))
	}
	if len(record) == 1 {
		for _, d := range delimiters {
			if strings.ContainsRune(record[0], d) {
				remedy = fmt.Sprintf("the header is one single column that contains %q: set files.delimiter, or export the file with a comma or a semicolon", d)
				break
			}
		}
	}
	return &FileError{Line: 1, Column: column, Rule: "missing_column", Remedy: remedy}
}
