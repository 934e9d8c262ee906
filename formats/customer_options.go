package formats

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Format says how a customer file names its columns (design.md section 6).
type Format string

// The formats. The empty one is FormatCustomers.
const (
	// FormatCustomers has columns named as the API's fields, metadata.<key> and due_date.
	FormatCustomers Format = "customers"
	// FormatMomentBillingFile is Moment's published file (Moment: /documentation/billing/file-integration-guide).
	FormatMomentBillingFile Format = "moment-billing-file"
	// FormatColumns is any file, mapped by CustomerOptions.Columns.
	FormatColumns Format = "columns"
)

// Encoding says how the bytes of a customer file are text.
type Encoding string

// The encodings. The empty one is EncodingAuto.
const (
	// EncodingAuto takes what is certain: a byte order mark, the pattern of NULs that UTF-16 leaves, valid UTF-8. Anything
	// else is refused, naming the candidates.
	EncodingAuto        Encoding = "auto"
	EncodingUTF8        Encoding = "utf-8"
	EncodingUTF16       Encoding = "utf-16" // either byte order, by its mark or by the pattern of NULs
	EncodingWindows1252 Encoding = "windows-1252"
	EncodingISO88591    Encoding = "iso-8859-1"
)

// Trailer describes the last record of a file that counts the others. The zero value is none.
type Trailer struct {
	Match       string // text of its first cell
	CountColumn string // header name that the number of records stands under; empty: it has none
	SumColumn   string // header name that the sum of the balances stands under, in the file's units; empty: it has none
}

// CustomerOptions say how to read a customer file. The zero value reads FormatCustomers with balances in minor units,
// finds encoding and delimiter, and wants phone numbers in E.164.
type CustomerOptions struct {
	Format   Format
	Encoding Encoding
	// Currency counts where a balance has none of its own; empty: such a row is rejected.
	Currency string
	// Major says that amounts are in major units, written with Marks; FormatMomentBillingFile always has them so.
	Major bool
	Marks Marks
	// Delimiter is 0 to find it in the header.
	Delimiter rune
	// PhoneCountry is an ISO 3166 code: numbers without + are read as dialled there. Empty: numbers must be E.164.
	PhoneCountry string
	// ReferenceColumn is the header name of the external reference; empty: the format's own.
	ReferenceColumn string
	// Columns map target fields (external_reference, name, email, phone, currency, balance, due_date, metadata.<key>) to
	// a column's name, a template such as "{first} {last|trim}", or a constant such as "=ZAR"; see docs/files.md.
	Columns map[string]string
	Trailer Trailer
}

// targets are the fields that a column can be mapped to, beside metadata.<key>.
var targets = []string{"external_reference", "name", "email", "phone", "currency", "balance", "due_date"}

// Check says what is wrong with the options as such, whatever the file: an unknown format, or a template that cannot be
// read. All of it is one error.
func (o CustomerOptions) Check() error {
	var errs []error
	if !slices.Contains([]Format{"", FormatCustomers, FormatMomentBillingFile, FormatColumns}, o.Format) {
		errs = append(errs, fmt.Errorf("files.format: %q is none", o.Format))
	}
	if !slices.Contains([]Encoding{"", EncodingAuto, EncodingUTF8, EncodingUTF16, EncodingWindows1252, EncodingISO88591}, o.Encoding) {
		errs = append(errs, fmt.Errorf("files.encoding: %q is none", o.Encoding))
	}
	if err := o.Marks.check(); err != nil {
		errs = append(errs, err)
	}
	if o.PhoneCountry != "" && !knownPhoneCountry(o.PhoneCountry) {
		errs = append(errs, fmt.Errorf("files.phone_country: %q is no country with telephone numbers: write an ISO 3166 code such as ZA", o.PhoneCountry))
	}
	for _, target := range slices.Sorted(maps.Keys(o.Columns)) {
		key, isMetadata := strings.CutPrefix(target, metadataPrefix)
		if !slices.Contains(targets, target) && (!isMetadata || key == "") {
			errs = append(errs, fmt.Errorf("files.columns.%s: is no field of a customer", target))
			continue
		}
		if _, err := parseExpression(o.Columns[target]); err != nil {
			errs = append(errs, fmt.Errorf("files.columns.%s: %w", target, err))
		}
	}
	return errors.Join(errs...)
}

// normal fills in what an empty value means.
func (o CustomerOptions) normal() CustomerOptions {
	if o.Format == "" {
		o.Format = FormatCustomers
	}
	if o.Encoding == "" {
		o.Encoding = EncodingAuto
	}
	o.Major = o.Major || o.Format == FormatMomentBillingFile
	return o
}
