package formats

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// rowRules is what the lanes of one file share; nothing of it changes while they work.
type rowRules struct {
	*layout
	options     *CustomerOptions
	phones      *phones
	guessed     bool   // the encoding is UTF-8 only as long as all of it is
	width       int    // digits of the references, if they are numbers of one length with leading zeros; 0 otherwise
	trailerSign []byte // stands at the beginning of a trailer; nil if there is none
	cellHeader  string // see rowHeader
}

func newRowRules(l *layout, options *CustomerOptions, guessed bool) *rowRules {
	r := &rowRules{layout: l, options: options, phones: newPhones(options.PhoneCountry), guessed: guessed, cellHeader: l.rowHeader()}
	if options.Trailer.Match != "" {
		sign, _, _ := strings.Cut(options.Trailer.Match, `"`)
		r.trailerSign = []byte(sign)
	}
	return r
}

// validate fills in the record's customer from its cells and lists every problem, in column order.
func (l *lane) validate(record *CustomerRecord, cells []string) {
	r, c := l.rules, &record.Customer
	c.ExternalReference = l.text(record, r.reference, cells, nil)
	if c.ExternalReference != "" || !record.has("missing_reference") {
		l.checkReference(record)
	}
	c.Name = l.text(record, r.name, cells, checkName)
	c.Email = l.text(record, r.email, cells, checkEmail)
	c.Phone = l.phone(record, cells)
	c.Currency = l.text(record, r.currency, cells, checkCurrency)
	c.DueDate = l.text(record, r.due, cells, checkDueDate)
	for _, s := range r.needed {
		l.text(record, s, cells, nil)
	}
	l.identities(record, cells)
	l.balance(record, cells)
	l.addMetadata(record, cells)
	if bytes.IndexByte(record.Raw, '\r') >= 0 && strayCR(record.Raw) {
		record.add("", "stray_carriage_return", "a CR stands in the row outside quotes: some lines of the file end otherwise than the rest; export it again", "")
	}
	if len(record.Problems) > 1 {
		slices.SortStableFunc(record.Problems, func(a, b *Problem) int { return r.order[a.Column] - r.order[b.Column] })
	}
}

// text returns a field's text and notes what is wrong with it: by its column's own rules, by the rule for all cells, by the
// field's.
func (l *lane) text(record *CustomerRecord, s *source, cells []string, check rule) string {
	if s == nil {
		return ""
	}
	text, word, remedy := s.text(cells)
	if word == "" && !l.clean {
		word, remedy = checkText(text)
	}
	if word == "" && text == "" && s.required != "" {
		word, remedy = s.required, "it must not be empty"
		if word == "missing_reference" {
			_, remedy = checkReference("")
		}
	}
	if word == "" && check != nil && text != "" {
		word, remedy = check(text)
	}
	if word != "" {
		record.add(s.column, word, remedy, text)
	}
	return text
}

func (l *lane) checkReference(record *CustomerRecord) {
	text, column := record.Customer.ExternalReference, l.rules.reference.column
	word, remedy := checkReference(text)
	if word == "" && len(text) < l.rules.width && text[0] != '0' && allDigits(text) {
		word = "lost_zeros"
		remedy = fmt.Sprintf("it has %d digits where the file's others have %d and leading zeros: most likely a spreadsheet has eaten its zeros; format the column as text and export again", len(text), l.rules.width)
	}
	if word != "" && !record.flagged(column) {
		record.add(column, word, remedy, text)
	}
}

// phone reads the number into E.164; a wrong one stays as it is.
func (l *lane) phone(record *CustomerRecord, cells []string) string {
	text := l.text(record, l.rules.phone, cells, nil)
	if text == "" || record.flagged(l.rules.phone.column) {
		return text
	}
	number, word, remedy := l.rules.phones.read(text)
	if word != "" {
		record.add(l.rules.phone.column, word, remedy, text)
	}
	return number
}

// identities checks the identity numbers of a billing file, of which there must be one.
func (l *lane) identities(record *CustomerRecord, cells []string) {
	given := false
	for _, i := range l.rules.identity {
		given = l.text(record, i.source, cells, i.check) != "" || given
	}
	if len(l.rules.identity) > 0 && !given {
		record.add(l.rules.identity[len(l.rules.identity)-1].column, "missing_identity", "a customer needs a South African identity number or a passport number", "")
	}
}

// balance reads the amount and gives it its currency; the two always travel together.
func (l *lane) balance(record *CustomerRecord, cells []string) {
	s, c, o := l.rules.layout.balance, &record.Customer, l.rules.options
	text := l.text(record, s, cells, nil)
	if text == "" {
		return
	}
	record.amountUnread = true
	if c.Currency == "" {
		c.Currency = o.Currency
	}
	if c.Currency == "" {
		record.add("currency", "missing_currency", "a balance needs a currency: fill the column in, or set files.currency", "")
		return
	}
	minor, err := int64(0), error(nil)
	if o.Major {
		if _, ok := MinorDigits(c.Currency); !ok {
			return // the currency has a problem of its own already
		}
		minor, err = o.Marks.ParseMajor(text, c.Currency)
	} else {
		minor, err = ParseMinor(text)
	}
	if err != nil {
		remedy := err.Error()
		if amount, ok := errors.AsType[*AmountError](err); ok {
			remedy = amount.Hint
		}
		record.add(s.column, "bad_balance", remedy, text)
		return
	}
	c.Balance, record.amountUnread = BalanceOf(minor), false
}

func (l *lane) addMetadata(record *CustomerRecord, cells []string) {
	c := &record.Customer
	if len(l.rules.metadata) == 0 {
		return
	}
	c.Metadata = l.keep(len(l.rules.metadata))
	for _, s := range l.rules.metadata {
		if value := l.text(record, s, cells, checkMetadataValue); value != "" {
			c.Metadata = append(c.Metadata, Metadatum{Key: s.key, Value: value})
		}
	}
	if len(c.Metadata) == 0 {
		c.Metadata = nil
	}
	if len(c.Metadata) > MaxMetadataKeys {
		record.add("metadata", "too_many_metadata_keys", "at most 10 metadata values a customer", "")
	}
}

// addRagged notes that a row is too short or too long. None of its cells is trusted to stand in its column.
func (r *rowRules) addRagged(record *CustomerRecord) {
	record.amountUnread = r.layout.balance != nil
	record.add("", "ragged_row", fmt.Sprintf("the row has %d cells and the header %d; most likely a text that contains the delimiter is not quoted",
		len(splitRaw(record.Raw, r.delimiter)), len(r.header)), "")
}

// strayCR reports whether a CR stands outside quotes.
func strayCR(raw []byte) bool {
	quoted := false
	for _, c := range raw {
		if c == '"' {
			quoted = !quoted
		} else if c == '\r' && !quoted {
			return true
		}
	}
	return false
}

func (record *CustomerRecord) add(column, word, remedy, value string) {
	record.Problems = append(record.Problems, &Problem{Line: record.Line, Column: column, Rule: word, Remedy: remedy, Value: value})
}

// flagged reports whether a problem with a column is noted already.
func (record *CustomerRecord) flagged(column string) bool {
	return slices.ContainsFunc(record.Problems, func(p *Problem) bool { return p.Column == column })
}

func (record *CustomerRecord) has(word string) bool {
	return slices.ContainsFunc(record.Problems, func(p *Problem) bool { return p.Rule == word })
}
