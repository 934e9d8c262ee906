package config

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

const billingFile = "moment-billing-file"

func (c *checker) files() {
	f := &c.cfg.Files
	c.oneOf("files.format", f.Format, "customers", billingFile, "columns")
	if f.Currency != "" {
		c.unless(regexp.MustCompile(`^[A-Z]{3}$`).MatchString(f.Currency), "files.currency", "must be three capital letters", "write an ISO 4217 code such as ZAR")
	}
	if f.PhoneCountry != "" {
		c.unless(regexp.MustCompile(`^[A-Z]{2}$`).MatchString(f.PhoneCountry), "files.phone_country", "must be two capital letters", "write an ISO 3166 code such as ZA")
	}
	c.amounts()
	c.oneOf("files.encoding", f.Encoding, "auto", "utf-8", "utf-16", "windows-1252", "iso-8859-1")
	if f.Delimiter == `\t` {
		f.Delimiter = "\t"
	}
	c.unless(slices.Contains([]string{"auto", ",", ";", "\t", "|"}, f.Delimiter), "files.delimiter",
		`must be auto, ",", ";", "\t" or "|"`, "write one of these")
	c.oneOf("files.decimal", f.Decimal, ".", ",")
	c.unless(slices.Contains([]string{"", ",", ".", " ", "'"}, f.Group), "files.group", `must be "", ",", ".", " " or "'"`, "write one of these")
	c.unless(f.Group != f.Decimal, "files.group", "must not be the same as files.decimal", `write "" if amounts are not grouped`)
	c.columns()
	c.trailer()
	c.pgp()
}

func (c *checker) pgp() {
	p := c.cfg.Files.PGP
	if p.KeyFile == "" && (!p.Passphrase.IsZero() || len(p.Signers) > 0 || p.RequireSignature) {
		c.wrong("files.pgp", "does not say what decrypts", "write key_file: and the path of the private key, or remove the section")
	}
	if p.RequireSignature && len(p.Signers) == 0 {
		c.wrong("files.pgp.require_signature", "is true, but nobody may sign", "name files with the signers' public keys in files.pgp.signers")
	}
	if p.KeyFile != "" {
		c.privateKeyFile("files.pgp.key_file", p.KeyFile)
	}
}

// privateKeyFile refuses a private key that everybody on the machine can read. Whether it is there is found out when it
// is used.
func (c *checker) privateKeyFile(key, name string) {
	info, err := c.stat(name)
	if err == nil && info.Mode().Perm()&0o007 != 0 && runtime.GOOS != "windows" {
		shown := mask(name)
		c.wrong(key, fmt.Sprintf("names %s, which everybody on this machine can use", shown), "run chmod 600 "+shown)
	}
}

// amounts settles the unit: a format that knows its own overrides the default,
// but not what somebody wrote.
func (c *checker) amounts() {
	f := &c.cfg.Files
	c.oneOf("files.amounts", f.Amounts, "minor", "major")
	if f.Format != billingFile {
		return
	}
	if _, given := c.at["files.amounts"]; given {
		c.unless(f.Amounts != "minor", "files.amounts", "must be major for "+billingFile, "remove the line")
	}
	f.Amounts = "major"
	if f.ReferenceColumn == "" {
		c.wrong("files.reference_column", "is needed for "+billingFile, "name the column that holds your own key of the customer")
	}
}

func (c *checker) columns() {
	f := c.cfg.Files
	if f.Format == "columns" {
		if _, ok := f.Columns["external_reference"]; !ok && f.ReferenceColumn == "" {
			c.wrong("files.columns", "does not say where external_reference comes from", "write external_reference: and the name of the column")
		}
	}
	if f.Format == "customers" && len(f.Columns) > 0 {
		c.wrong("files.columns", "is there, but format is customers", "write format: columns, or remove it")
	}
	targets := make([]string, 0, len(f.Columns))
	for target := range f.Columns {
		targets = append(targets, target)
	}
	slices.Sort(targets)
	for _, target := range targets {
		key, source := "files.columns."+target, f.Columns[target]
		if !isTargetField(target) {
			c.add(c.place(key), 0, "files.columns."+mask(target), "is no field of a customer",
				"known: external_reference, name, email, phone, currency, balance, due_date, metadata.<key>")
			continue
		}
		if source == "" {
			c.wrong(key, "names no column", "write the column's name as in the file's header, or remove the line")
		}
		if strings.HasPrefix(source, "=") {
			continue // a constant, whatever it holds
		}
		rest := regexp.MustCompile(`\{[^{}]+\}`).ReplaceAllString(source, "")
		c.unless(!strings.ContainsAny(rest, "{}"), key, "has a brace without its other half", `write a template as "{first} {last}"`)
	}
}

func isTargetField(name string) bool {
	if key, ok := strings.CutPrefix(name, "metadata."); ok {
		return key != "" && len(key) <= 40
	}
	return slices.Contains([]string{"external_reference", "name", "email", "phone", "currency", "balance", "due_date"}, name)
}

func (c *checker) trailer() {
	t := c.cfg.Files.Trailer
	if t.Match == "" && (t.CountColumn != "" || t.SumColumn != "") {
		c.wrong("files.trailer", "does not say how to know the trailer", "write match: and the text of its first field")
	}
	if t.Match != "" && t.CountColumn == "" && t.SumColumn == "" {
		c.wrong("files.trailer", "has nothing to compare", "name count_column, sum_column or both")
	}
}
