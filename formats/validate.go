package formats

import "errors"

// validate fills in the record's customer from its cells and lists every problem, in column order.
func (r *CustomerReader) validate(record *CustomerRecord, row *customerRow, others map[string]string) {
	c := &record.Customer
	*c = Customer{
		ExternalReference: row.ExternalReference, Name: row.Name, Email: row.Email, Phone: row.Phone,
		Currency: row.Currency, DueDate: row.DueDate,
	}
	for _, col := range r.header.columns {
		if col.cell != nil {
			record.check(col.name, *col.cell(row), col.check)
			continue
		}
		if value := others[col.name]; value != "" {
			record.check(col.name, value, col.check)
			c.Metadata = append(c.Metadata, Metadatum{Key: col.key, Value: value})
		}
	}
	if row.Balance != "" {
		r.readBalance(record, row)
	}
	if len(c.Metadata) > MaxMetadataKeys {
		record.add("metadata", "too_many_metadata_keys", "at most 10 metadata values a customer", "")
	}
	sortMetadata(c.Metadata)
}

// readBalance reads the amount and gives it its currency; the two always travel together.
func (r *CustomerReader) readBalance(record *CustomerRecord, row *customerRow) {
	c := &record.Customer
	if c.Currency == "" {
		c.Currency = r.options.Currency
	}
	if c.Currency == "" {
		record.add("currency", "missing_currency", "a balance needs a currency: fill the column in, or set files.currency", "")
		return
	}
	read := ParseMinor
	if r.options.Major {
		if _, ok := MinorDigits(c.Currency); !ok {
			return // the currency has a problem of its own already
		}
		read = func(s string) (int64, error) { return ParseMajor(s, c.Currency) }
	}
	minor, err := read(row.Balance)
	if err != nil {
		var amount *AmountError
		remedy := err.Error()
		if errors.As(err, &amount) {
			remedy = amount.Hint
		}
		record.add("balance", "bad_balance", remedy, row.Balance)
		return
	}
	c.Balance = BalanceOf(minor)
}

// check applies the rule for all cells and the column's own to a cell.
func (record *CustomerRecord) check(column, cell string, own rule) {
	word, remedy := checkText(cell)
	if word == "" && own != nil {
		word, remedy = own(cell)
	}
	if word != "" {
		record.add(column, word, remedy, cell)
	}
}

func (record *CustomerRecord) add(column, word, remedy, value string) {
	record.Problems = append(record.Problems, &Problem{Line: record.Line, Column: column, Rule: word, Remedy: remedy, Value: value})
}
