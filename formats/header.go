package formats

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// metadataPrefix begins the name of a column that holds a metadata value.
const metadataPrefix = "metadata."

// rejectColumns stand in our own rejects files, which must import as they are once corrected.
var rejectColumns = []string{"reject_reason", "reject_detail"}

// header is the first record of a customer file, mapped to the format's columns.
type header struct {
	names   []string // canonical name of each column; unknown columns keep their own, made unmistakable
	raw     []string // names as they came
	unknown []string // raw names of columns that are neither the format's nor ours
	columns []column // those that something is read from, in file order
}

// column says where the cells of one column go and which rule they obey.
type column struct {
	name  string
	key   string                     // of a metadata column
	cell  func(*customerRow) *string // nil for a metadata column
	check rule                       // nil: any text
}

// customerColumns are the columns of the customers format, named as the API's fields.
var customerColumns = []column{
	{name: "external_reference", cell: func(r *customerRow) *string { return &r.ExternalReference }, check: checkReference},
	{name: "name", cell: func(r *customerRow) *string { return &r.Name }, check: checkName},
	{name: "email", cell: func(r *customerRow) *string { return &r.Email }, check: checkEmail},
	{name: "phone", cell: func(r *customerRow) *string { return &r.Phone }, check: checkPhone},
	{name: "currency", cell: func(r *customerRow) *string { return &r.Currency }, check: checkCurrency},
	{name: "balance", cell: func(r *customerRow) *string { return &r.Balance }},
	{name: "due_date", cell: func(r *customerRow) *string { return &r.DueDate }, check: checkDueDate},
}

// normalName is how a column name is compared: case, spaces, underscores and hyphens do not count.
func normalName(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '_', '-', '\t', '\u00a0':
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// mapHeader finds the format's columns in a header record, or says what is wrong with it.
func mapHeader(record []string) (*header, *FileError) {
	h := &header{raw: record, names: make([]string, len(record))}
	seen := map[string]bool{}
	for i, cell := range record {
		c, ok := knownColumn(cell)
		if key, isMetadata := metadataKey(cell); isMetadata {
			if fault := checkMetadataKey(key); fault != nil {
				return nil, fault
			}
			c, ok = column{name: metadataPrefix + key, key: key, check: checkMetadataValue}, true
		}
		switch {
		case ok:
			h.columns = append(h.columns, c)
		case isRejectColumn(cell):
			c.name = normalName(cell)
		default:
			c.name = fmt.Sprintf("column %d (%s)", i+1, cell)
			h.unknown = append(h.unknown, cell)
		}
		if seen[c.name] {
			return nil, &FileError{Line: 1, Column: c.name, Rule: "doubled_column", Remedy: "the column stands in the header twice; take one of them out"}
		}
		seen[c.name] = true
		h.names[i] = c.name
	}
	if !seen["external_reference"] {
		return nil, missingReference(record)
	}
	return h, nil
}

func knownColumn(cell string) (column, bool) {
	for _, c := range customerColumns {
		if normalName(c.name) == normalName(cell) {
			return c, true
		}
	}
	return column{}, false
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
	if word, _ := checkText(key); word != "" || utf8.RuneCountInString(key) > MaxMetadataKey {
		return &FileError{Line: 1, Column: metadataPrefix + clip(key, MaxMetadataKey), Rule: "bad_metadata_key", Remedy: "a metadata key has at most 40 characters and no control characters"}
	}
	return nil
}

func missingReference(record []string) *FileError {
	remedy := fmt.Sprintf("the header needs a column external_reference; it has: %s", clip(strings.Join(record, " | "), 200))
	if len(record) == 1 {
		for _, d := range delimiters {
			if strings.ContainsRune(record[0], d) {
				remedy = fmt.Sprintf("the header is one single column that contains %q: set files.delimiter, or export the file with a comma or a semicolon", d)
				break
			}
		}
	}
	return &FileError{Line: 1, Column: "external_reference", Rule: "missing_column", Remedy: remedy}
}
