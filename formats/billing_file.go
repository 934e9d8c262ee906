package formats

import (
	"slices"
	"strings"
)

// billingColumns are the columns of Moment's published file, in its order (Moment: /documentation/billing/file-integration-guide).
var billingColumns = []string{
	"first_name", "last_name", "passport_number", "sa_identification_number", "mobile_phone_number", "email", "due_date", "amount_due",
}

// billingFile maps the columns of FormatMomentBillingFile. First name, last name, amount and one of the two identity
// numbers are required; the file has no currency column, but one that is there counts; all further columns are metadata.
// An identity number is checked and goes nowhere, unless the configuration names its column.
func (b *layoutBuilder) billingFile() {
	for _, column := range []string{"first_name", "last_name", "amount_due"} {
		s := b.column(column)
		if s == nil {
			b.missing(column, "Moment's billing file needs a column "+column)
			return
		}
		s.required = "missing_" + column
		b.needed = append(b.needed, s)
	}
	if b.name == nil {
		b.name = b.expression("name", &expression{parts: []part{{column: "first_name"}, {literal: " "}, {column: "last_name"}}})
	}
	b.own("balance", "amount_due")
	b.own("phone", "mobile_phone_number")
	b.own("email", "email")
	b.own("due_date", "due_date")
	b.own("currency", "currency")
	b.own("external_reference", "external_reference")
	for _, c := range []struct {
		column string
		check  rule
	}{{"passport_number", checkPassport}, {"sa_identification_number", checkIdentityNumber}} {
		if s := b.column(c.column); s != nil {
			b.identity = append(b.identity, identityColumn{s, c.check})
		}
	}
	if len(b.identity) == 0 {
		b.missing("sa_identification_number", "Moment's billing file needs a column sa_identification_number or passport_number")
	}
	b.addMetadata(func(cell string) (string, bool) {
		if key, ok := metadataKey(cell); ok {
			return key, true
		}
		key := strings.TrimSpace(cell)
		published := slices.ContainsFunc(billingColumns, func(c string) bool { return normalName(c) == normalName(key) })
		return key, key != "" && !published
	})
}
