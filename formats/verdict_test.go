package formats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// verdictOptions are the options that the files below are read with, by name.
var verdictOptions = map[string]CustomerOptions{
	"":        {Currency: "ZAR", PhoneCountry: "ZA"},
	"bare":    {},
	"semi":    {Currency: "ZAR", PhoneCountry: "ZA", Delimiter: ';'},
	"comma":   {Currency: "ZAR", PhoneCountry: "ZA", Delimiter: ','},
	"utf8":    {Currency: "ZAR", Encoding: EncodingUTF8},
	"utf16":   {Currency: "ZAR", Encoding: EncodingUTF16},
	"1252":    {Currency: "ZAR", Encoding: EncodingWindows1252},
	"latin1":  {Currency: "ZAR", Encoding: EncodingISO88591},
	"major":   {Currency: "ZAR", Major: true},
	"europe":  {Currency: "ZAR", Major: true, Marks: Marks{Decimal: ',', Group: ' '}},
	"germany": {Currency: "EUR", Major: true, Marks: Marks{Decimal: ',', Group: '.'}},
	"swiss":   {Currency: "CHF", Major: true, Marks: Marks{Group: '\''}},
	"grouped": {Currency: "ZAR", Major: true, Marks: Marks{Group: ','}},
	"kenya":   {Currency: "KES", PhoneCountry: "KE"},
	"us":      {Currency: "USD", PhoneCountry: "US"},
	"keyed":   {Currency: "ZAR", ReferenceColumn: "account no"},
	"trailer": {Currency: "ZAR", Trailer: Trailer{Match: "TRAILER", CountColumn: "name", SumColumn: "balance"}},
	"counted": {Currency: "ZAR", Trailer: Trailer{Match: "T", CountColumn: "name"}},
	"footed":  {Currency: "ZAR", Major: true, Trailer: Trailer{Match: "T", SumColumn: "balance"}},
	"billing": {Format: FormatMomentBillingFile, Currency: "ZAR", PhoneCountry: "ZA", ReferenceColumn: "account"},
	"by id":   {Format: FormatMomentBillingFile, Currency: "ZAR", PhoneCountry: "ZA", ReferenceColumn: "sa_identification_number"},
	"mapped id": {
		Format: FormatMomentBillingFile, Currency: "ZAR", ReferenceColumn: "account",
		Columns: map[string]string{"metadata.id": "sa_identification_number", "email": "contact"},
	},
	"columns": {
		Format: FormatColumns, Currency: "ZAR", PhoneCountry: "ZA", Major: true, Marks: Marks{Decimal: ','},
		Columns: map[string]string{
			"external_reference": "{konto|trim|pad:6}", "name": "{voornaam|trim} {van|trim|upper}", "balance": "saldo", "due_date": "{verval|date:DD/MM/YYYY}",
			"phone": "sel", "metadata.source": "=billing", "metadata.branch": "{tak}/{kode}",
		},
	},
}

// verdict tells everything about the reading of a file: the fault, or each record with its line and what would be sent, or
// its problems; then what was passed over.
func verdict(text string, options CustomerOptions) string {
	r, err := NewCustomerReader(strings.NewReader(text), options)
	var out []string
	for err == nil {
		var record *CustomerRecord
		if record, err = r.Next(); err == nil {
			out = append(out, recordVerdict(record))
		}
	}
	var fault *FileError
	switch {
	case errors.Is(err, io.EOF):
	case errors.As(err, &fault):
		out = append(out[:0], fmt.Sprintf("fault %s@%d", fault.Rule, fault.Line))
		if fault.Column != "" {
			out[0] += " " + fault.Column
		}
		return out[0]
	default:
		return "error " + err.Error()
	}
	if n := r.BlankLines(); n > 0 {
		out = append(out, fmt.Sprintf("%d blank", n))
	}
	if u := r.UnknownColumns(); len(u) > 0 {
		out = append(out, "unread "+strings.Join(u, ","))
	}
	if r.Proven() {
		out = append(out, "proven")
	}
	return strings.Join(out, "; ")
}

func recordVerdict(record *CustomerRecord) string {
	var b bytes.Buffer
	c := record.Customer
	fmt.Fprintf(&b, "%d", record.Line)
	if len(record.Problems) > 0 {
		for _, p := range record.Problems {
			fmt.Fprintf(&b, " !%s", p.Rule)
			if p.Column != "" {
				fmt.Fprintf(&b, "(%s)", p.Column)
			}
		}
		return b.String()
	}
	fmt.Fprintf(&b, " %s", c.ExternalReference)
	for _, field := range []struct{ name, text string }{{"n", c.Name}, {"e", c.Email}, {"p", c.Phone}, {"d", c.DueDate}} {
		if field.text != "" {
			fmt.Fprintf(&b, " %s=%q", field.name, field.text)
		}
	}
	if c.Balance.Set {
		fmt.Fprintf(&b, " %d", c.Balance.Minor)
	}
	if c.Currency != "" {
		fmt.Fprintf(&b, " %s", c.Currency)
	}
	for _, m := range c.Metadata {
		fmt.Fprintf(&b, " %s:%q", m.Key, m.Value)
	}
	return b.String()
}

func utf16Text(text string, order byteOrder, mark bool) string {
	var out bytes.Buffer
	c := charset{encoding: EncodingUTF16, order: order}
	if mark {
		c.mark = order.AppendUint16(nil, 0xfeff)
	}
	_, _ = c.writer(&out).Write([]byte(text))
	return out.String()
}
