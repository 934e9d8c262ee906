package formats

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxColumns is how many columns of a file can be read from; it may have any number of others.
const maxColumns = 64

// source is where the text of one target field comes from.
type source struct {
	column   string // name for people: the sender's where it is one column
	key      string // of metadata
	cell     int    // of a single column: where its cells stand in a row; -1 for an expression
	expr     *expression
	fixed    string // of a constant
	required string // the rule word if the text is empty
}

// text returns the field's text in a row, and a rule word and remedy if a column's own rules refuse it.
func (s *source) text(cells []string) (text, word, remedy string) {
	switch {
	case s == nil:
		return "", "", ""
	case s.cell >= 0:
		return cells[s.cell], "", ""
	case s.fixed != "":
		return s.fixed, "", ""
	}
	text, complete, word, remedy := s.expr.text(cells)
	if s.required != "" && !complete {
		text = "" // a key with a part missing is another key
	}
	return text, word, remedy
}

// layout is a header mapped to the fields of a customer.
type layout struct {
	header    []string // names as they came
	cellOf    []int    // of each column: where its cells stand in a row; -1 for one that nothing is read from
	unknown   []string // names as they came of columns that nothing is read from
	known     int      // columns that something is read from
	delimiter rune
	rejects   bool // it is the header of one of our own rejects files

	reference, name, email, phone, currency, balance, due *source
	metadata                                              []*source // by key
	identity                                              []identityColumn
	needed                                                []*source // columns that must not be empty and go nowhere by themselves
	order                                                 map[string]int
	referenceAt                                           int // column of the reference, if it is one; -1 otherwise
	countCell, sumCell                                    int // columns of the trailer's figures; -1 for none
}

// identityColumn is a column with identity numbers, which are checked.
type identityColumn struct {
	*source
	check rule
}

// layoutBuilder collects what a layout reads from.
type layoutBuilder struct {
	*layout
	options *CustomerOptions
	index   map[string]int // column by normal name
	used    []bool
	fault   *FileError
}

// newLayout maps a header. Missing and doubled columns are a *FileError, unusable options another error.
func newLayout(header []string, options *CustomerOptions) (*layout, error) {
	b := &layoutBuilder{
		layout:  &layout{header: header, cellOf: make([]int, len(header)), order: map[string]int{}, referenceAt: -1, countCell: -1, sumCell: -1},
		options: options, index: map[string]int{}, used: make([]bool, len(header)),
	}
	var doubled *FileError
	for i, cell := range header {
		name := normalName(cell)
		if _, again := b.index[name]; again && name != "" && doubled == nil {
			doubled = &FileError{Line: 1, Column: strings.TrimSpace(cell), Rule: "doubled_column", Remedy: "the column stands in the header twice; take one of them out"}
		}
		b.index[name] = i
		b.rejects = b.rejects || isRejectColumn(cell)
	}
	if err := b.configured(); err != nil {
		return nil, err
	}
	switch options.Format {
	case FormatCustomers:
		b.customers()
	case FormatMomentBillingFile:
		b.billingFile()
	}
	b.finish()
	if doubled != nil && slices.Contains(b.used, true) {
		// Where no column is known, this may be a customer and no header: its cells are not for messages.
		return nil, doubled
	}
	if b.fault != nil {
		return nil, b.fault
	}
	return b.layout, nil
}

// field returns where a target's source is kept.
func (b *layoutBuilder) field(target string) **source {
	switch target {
	case "external_reference":
		return &b.reference
	case "name":
		return &b.name
	case "email":
		return &b.email
	case "phone":
		return &b.phone
	case "currency":
		return &b.currency
	case "balance":
		return &b.balance
	}
	return &b.due
}

// configured maps what the options name: the columns, and the reference column.
func (b *layoutBuilder) configured() error {
	for _, target := range slices.Sorted(maps.Keys(b.options.Columns)) {
		expr, err := parseExpression(b.options.Columns[target])
		if err != nil {
			return fmt.Errorf("files.columns.%s: %w", target, err)
		}
		s := b.expression(target, expr)
		if key, ok := strings.CutPrefix(target, metadataPrefix); ok {
			s.key = key
			b.metadata = append(b.metadata, s)
			continue
		}
		*b.field(target) = s
	}
	if column := b.options.ReferenceColumn; column != "" && b.reference == nil {
		if b.reference = b.column(column); b.reference == nil {
			b.missing(column, "files.reference_column names a column that the header does not have")
		}
	}
	return nil
}

// expression resolves the columns of an expression, all of which must be there.
func (b *layoutBuilder) expression(target string, expr *expression) *source {
	if expr.constant() {
		return &source{column: target, cell: -1, fixed: expr.parts[0].literal}
	}
	s := &source{column: target, cell: -1, expr: expr}
	for i, p := range expr.parts {
		if p.column == "" {
			continue
		}
		at, ok := b.index[normalName(p.column)]
		if !ok {
			b.missing(p.column, "files.columns."+target+" reads a column that the header does not have")
			return s
		}
		b.used[at] = true
		expr.parts[i].cell = at // a column for now; finish makes it a cell
		if len(expr.parts) == 1 {
			s.column = b.display(at)
		}
		if _, known := b.order[s.column]; !known {
			b.order[s.column] = at
		}
	}
	if expr.single() {
		s.cell = expr.parts[0].cell
	}
	return s
}

// column returns the source of a column by name, or nil if there is none.
func (b *layoutBuilder) column(name string) *source {
	at, ok := b.index[normalName(name)]
	if !ok {
		return nil
	}
	b.used[at] = true
	b.order[b.display(at)] = at
	return &source{column: b.display(at), cell: at}
}

// display is the name of a column for people: the format's own spelling, or the sender's.
func (b *layoutBuilder) display(at int) string {
	name := strings.TrimSpace(b.header[at])
	for _, known := range slices.Concat(targets, billingColumns) {
		if normalName(known) == normalName(name) {
			return known
		}
	}
	return clip(name, 80)
}

// own maps a column of the format to its field, unless the configuration has mapped something else there.
func (b *layoutBuilder) own(target, column string) {
	if field := b.field(target); *field == nil {
		*field = b.column(column)
	}
}

func (b *layoutBuilder) missing(column, remedy string) {
	if b.fault == nil {
		b.fault = missingColumn(column, remedy, b.header)
	}
}

// customers maps the columns of FormatCustomers.
func (b *layoutBuilder) customers() {
	for _, target := range targets {
		b.own(target, target)
	}
	b.addMetadata(func(cell string) (string, bool) { return metadataKey(cell) })
}

// addMetadata makes metadata of the columns not used so far that have a key.
func (b *layoutBuilder) addMetadata(keyOf func(cell string) (string, bool)) {
	for i, cell := range b.header {
		key, ok := keyOf(cell)
		if !ok || b.used[i] || isRejectColumn(cell) {
			continue
		}
		if fault := checkMetadataKey(key); fault != nil && b.fault == nil {
			b.fault = fault
		}
		if slices.ContainsFunc(b.metadata, func(s *source) bool { return s.key == key }) {
			continue // the configuration maps something else there
		}
		b.used[i] = true
		b.order[metadataPrefix+key] = i
		b.metadata = append(b.metadata, &source{column: metadataPrefix + key, key: key, cell: i})
	}
}

// finish checks what every format needs, and gives every column that is read from a cell in the row.
func (b *layoutBuilder) finish() {
	if b.reference == nil {
		b.missing("external_reference", "the header needs a column external_reference")
		return
	}
	b.reference.required = "missing_reference"
	b.trailer()
	slices.SortFunc(b.metadata, func(x, y *source) int { return strings.Compare(x.key, y.key) })
	b.referenceAt = b.reference.cell
	for i, used := range b.used {
		switch {
		case used && b.known < maxColumns:
			b.cellOf[i] = b.known
			b.known++
		case used:
			b.fault = &FileError{Line: 1, Rule: "too_many_columns", Remedy: fmt.Sprintf("more than %d columns would be read; name those that matter in files.columns, with format: columns", maxColumns)}
			return
		default:
			b.cellOf[i] = -1
			if !isRejectColumn(b.header[i]) {
				b.unknown = append(b.unknown, b.unknownName(i))
			}
		}
	}
	for _, s := range b.sources() {
		if s.cell >= 0 {
			s.cell = b.cellOf[s.cell]
		} else if s.expr != nil {
			for i := range s.expr.parts {
				s.expr.parts[i].cell = b.cellOf[s.expr.parts[i].cell]
			}
		}
	}
}

// unknownName is how a column that nothing is read from is named in a note.
func (b *layoutBuilder) unknownName(i int) string {
	if strings.TrimSpace(b.header[i]) == "" {
		return fmt.Sprintf("column %d, which has no name", i+1)
	}
	return b.header[i]
}

// sources are all sources, each once.
func (b *layoutBuilder) sources() []*source {
	all := slices.Concat([]*source{b.reference, b.name, b.email, b.phone, b.currency, b.balance, b.due}, b.metadata, b.needed)
	for _, i := range b.identity {
		all = append(all, i.source)
	}
	return slices.DeleteFunc(all, func(s *source) bool { return s == nil })
}

// trailer finds the columns that the trailer's figures stand under.
func (b *layoutBuilder) trailer() {
	t := b.options.Trailer
	for _, c := range []struct {
		name string
		cell *int
	}{{t.CountColumn, &b.countCell}, {t.SumColumn, &b.sumCell}} {
		if t.Match == "" || c.name == "" {
			continue
		}
		at, ok := b.index[normalName(c.name)]
		if !ok {
			b.missing(c.name, "files.trailer names a column that the header does not have")
			continue
		}
		*c.cell = at
	}
	if t.Match != "" && t.SumColumn != "" && b.balance == nil {
		b.missing("balance", "files.trailer has a sum_column, and the file has no balances to add up")
	}
}
