package formats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Suggestion proposes how to read an unknown file: a files section of the configuration. What is not certain says why it
// is a guess.
type Suggestion struct {
	Options  CustomerOptions
	Settings []Setting // in the order of the configuration
}

// Setting is one key of the files section. A key of files.columns is "columns.<target>".
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Guess string `json:"guess,omitempty"` // why it is only a guess; empty: certain
}

// suggestFrom is how much of a file's beginning is looked at.
const suggestFrom = 1 << 20

// suggestRows is how many rows are looked at, at most.
const suggestRows = 1000

// Suggest looks at the beginning of a file, and at its end for a trailer. A file that nothing can be said about is a *FileError.
func Suggest(src io.Reader) (*Suggestion, error) {
	sample, err := io.ReadAll(io.LimitReader(src, suggestFrom))
	if err != nil {
		return nil, fmt.Errorf("read customer file: %w", err)
	}
	g := &guesser{}
	text, err := g.decode(sample)
	if err != nil {
		return nil, err
	}
	g.whole = len(sample) < suggestFrom
	if err := g.split(text); err != nil {
		return nil, err
	}
	if err := g.findLast(src, sample, text); err != nil {
		return nil, fmt.Errorf("read customer file: %w", err)
	}
	g.format()
	g.amounts()
	g.currency()
	g.phones()
	g.dates()
	g.trailer()
	if err := g.s.Options.Check(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(g.s.Settings, func(a, b Setting) int { return settingRank(a.Key) - settingRank(b.Key) })
	return &g.s, nil
}

func settingRank(key string) int {
	for i, known := range []string{"format", "encoding", "delimiter", "amounts", "decimal", "group", "currency", "phone_country", "reference_column"} {
		if key == known {
			return i
		}
	}
	if key == "trailer" {
		return 999
	}
	return 99 + max(0, slices.Index(targets, strings.TrimPrefix(key, "columns.")))
}

// YAML prints the files section, guesses marked by a comment.
func (s *Suggestion) YAML() string {
	var b strings.Builder
	b.WriteString("files:\n")
	columns := false
	for _, set := range s.Settings {
		target, isColumn := strings.CutPrefix(set.Key, "columns.")
		indent, key := "  ", set.Key
		if isColumn {
			if !columns {
				b.WriteString("  columns:\n")
				columns = true
			}
			indent, key = "    ", target
		}
		value := strconv.Quote(set.Value) // a column may be called null, or anything
		switch {
		case key == "trailer":
			value = set.Value // a mapping, quoted within
		case !isColumn && key != "reference_column":
			value = yamlWord(set.Value)
		}
		fmt.Fprintf(&b, "%s%s: %s", indent, key, value)
		if set.Guess != "" {
			fmt.Fprintf(&b, "  # guess: %s", set.Guess)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// yamlWord quotes what is no plain word.
func yamlWord(s string) string {
	if s == "" || !isReference(s) {
		return strconv.Quote(s)
	}
	return s
}

// guesser gathers a suggestion.
type guesser struct {
	s       Suggestion
	charset charset
	whole   bool // all of the file was looked at
	header  []string
	rows    [][]string // as wide as the header
	records int        // of any width
	ragged  int        // of another width
	last    []string   // the last record, if it looks like a trailer
}

func (g *guesser) set(key, value, guess string) {
	g.s.Settings = append(g.s.Settings, Setting{key, value, guess})
}

// decode finds the encoding, or guesses the commonest.
func (g *guesser) decode(sample []byte) ([]byte, error) {
	if len(sample) == 0 {
		return nil, emptyFile()
	}
	if format := packedFormat(sample); format != "" {
		return nil, &FileError{Rule: "packed_file", Remedy: "the file is " + format + ", not CSV text"}
	}
	found, fault := detectCharset(sample, EncodingAuto)
	if fault != nil {
		return nil, fault
	}
	guess := ""
	at := invalidUTF8(sample)
	if cutInside := len(sample) == suggestFrom && at >= len(sample)-4; !found.certain && at >= 0 && !cutInside {
		found = charset{encoding: EncodingWindows1252}
		guess = fmt.Sprintf("byte 0x%02X is not UTF-8, and Windows-1252 is the commonest of the others; look at a name with an accent", sample[at])
		g.s.Options.Encoding = EncodingWindows1252
		g.set("encoding", string(EncodingWindows1252), guess)
	}
	g.charset = found
	text, err := io.ReadAll(found.reader(bytes.NewReader(sample)))
	if _, damaged := errors.AsType[*FileError](err); damaged && len(sample) == suggestFrom {
		err = nil // the sample may end inside a character
	}
	return text, err
}

// split finds the delimiter that makes the most columns, and takes the rows that are as wide.
func (g *guesser) split(text []byte) error {
	blocks := &blockReader{src: bytes.NewReader(text), size: len(text) + 1}
	head, err := blocks.header()
	if err != nil {
		return err
	}
	if word, remedy := checkText(string(head)); word != "" {
		return &FileError{Line: 1, Rule: word, Remedy: remedy}
	}
	var fault error
	for _, d := range delimiters {
		record, err := splitHeader(string(head), d)
		if err != nil {
			fault = err
		} else if len(record) > len(g.header) {
			g.header, g.s.Options.Delimiter = record, d
		}
	}
	if g.header == nil {
		return fault
	}
	g.set("delimiter", string(g.s.Options.Delimiter), "")
	rest := blocks.rest
	for len(rest) > 0 {
		end := bytes.IndexByte(rest, '\n')
		for end >= 0 && bytes.Count(rest[:end], []byte{'"'})%2 == 1 {
			next := bytes.IndexByte(rest[end+1:], '\n')
			if next < 0 {
				end = -1
				break
			}
			end += 1 + next
		}
		line := rest
		if end >= 0 {
			line, rest = rest[:end], rest[end+1:]
		} else if rest = nil; !g.whole {
			break
		}
		g.row(bytes.TrimSuffix(line, []byte("\r")))
	}
	return nil
}

// row takes a record to what is looked at.
func (g *guesser) row(line []byte) {
	if len(line) == 0 {
		return
	}
	g.records++
	switch cells := splitRaw(line, g.s.Options.Delimiter); {
	case len(cells) != len(g.header):
		g.ragged++
	case len(g.rows) < suggestRows:
		g.rows = append(g.rows, cells)
	}
}

// column returns the index of a column by normal name, -1 if there is none.
func (g *guesser) column(names ...string) int {
	for _, name := range names {
		if i := slices.IndexFunc(g.header, func(cell string) bool { return normalName(cell) == normalName(name) }); i >= 0 {
			return i
		}
	}
	return -1
}

// values are the cells of a column that are not empty.
func (g *guesser) values(column int) []string {
	var values []string
	for _, row := range g.rows {
		if column >= 0 && row[column] != "" {
			values = append(values, row[column])
		}
	}
	return values
}

// format tells the two fixed formats by their columns, and maps anything else by what its columns are called.
func (g *guesser) format() {
	o := &g.s.Options
	switch {
	case g.column("external_reference") >= 0:
		o.Format = FormatCustomers
	case g.column("first_name") >= 0 && g.column("last_name") >= 0 && g.column("amount_due") >= 0 && g.column("sa_identification_number", "passport_number") >= 0:
		o.Format, o.Major = FormatMomentBillingFile, true
		column, guess := g.reference(billingColumns)
		o.ReferenceColumn = column
		g.set("reference_column", column, guess)
	default:
		o.Format, o.Columns = FormatColumns, map[string]string{}
		g.mapColumns()
	}
	g.set("format", string(o.Format), "")
}

// commonNames are what columns are often called, by target, in normal form; the likelier first.
func commonNames(target string) []string {
	switch target {
	case "external_reference":
		return strings.Fields("customerreference accountnumber accountno accountnr account customernumber customerno customerid customercode clientnumber clientno clientid debtornumber debtorcode policynumber policyno membernumber reference referenceno refno ref rekeningnommer konto id")
	case "name":
		return strings.Fields("name fullname customername accountname clientname debtorname naam")
	case "first_name":
		return strings.Fields("firstname givenname forename voornaam")
	case "last_name":
		return strings.Fields("lastname surname familyname van")
	case "email":
		return strings.Fields("email emailaddress mail epos")
	case "phone":
		return strings.Fields("phone phonenumber mobile mobilenumber mobilephonenumber cellphone cellnumber cell telephone tel selfoon")
	case "currency":
		return strings.Fields("currency currencycode ccy")
	case "balance":
		return strings.Fields("balance amountdue balancedue totaldue outstandingbalance outstanding closingbalance currentbalance amount saldo total")
	case "due_date":
		return strings.Fields("duedate paymentduedate paymentdate vervaldatum")
	}
	return nil
}

// mapColumns maps targets to columns by name.
func (g *guesser) mapColumns() {
	columns := g.s.Options.Columns
	for _, target := range targets {
		if at := g.column(commonNames(target)...); at >= 0 && target != "external_reference" {
			columns[target] = g.header[at]
		}
	}
	if first, last := g.column(commonNames("first_name")...), g.column(commonNames("last_name")...); columns["name"] == "" && first >= 0 && last >= 0 {
		columns["name"] = "{" + g.header[first] + "} {" + g.header[last] + "}"
	}
	column, guess := g.reference(nil)
	if column != "" {
		columns["external_reference"] = column
	}
	g.set("columns.external_reference", column, guess)
	for _, target := range slices.Sorted(maps.Keys(columns)) {
		if target != "external_reference" {
			g.set("columns."+target, columns[target], "by the column's name")
		}
	}
	g.mapByValues()
}

// reference finds the column that is the biller's own key: by name, else the first that is different in every row.
func (g *guesser) reference(but []string) (column, guess string) {
	if at := g.column(commonNames("external_reference")...); at >= 0 {
		return g.header[at], "by the column's name"
	}
	for i, cell := range g.header {
		if slices.ContainsFunc(but, func(b string) bool { return normalName(b) == normalName(cell) }) {
			continue
		}
		values := g.values(i)
		seen := map[string]bool{}
		for _, v := range values {
			if word, _ := checkReference(v); word == "" {
				seen[v] = true
			}
		}
		if len(values) > 0 && len(values) == len(g.rows) && len(seen) == len(values) {
			return cell, "it could be a key: it is different in every row"
		}
	}
	return "", "no column looks like a key of the customer: name it"
}

// source returns the column that a target is read from, -1 if there is none.
func (g *guesser) source(target string) int {
	o := g.s.Options
	switch {
	case o.Columns[target] != "":
		return g.column(o.Columns[target])
	case o.Format == FormatMomentBillingFile && target == "balance":
		return g.column("amount_due")
	case o.Format == FormatMomentBillingFile && target == "phone":
		return g.column("mobile_phone_number")
	case o.Format == FormatColumns:
		return -1
	}
	return g.column(target)
}
