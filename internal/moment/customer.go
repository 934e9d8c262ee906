package moment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"tallyman/formats"
)

// Customer is a customer as Moment shows it (Moment: /api-reference/billing/customers/retrieve).
type Customer struct {
	ID                string
	ExternalReference string
	Name              string
	Email             string
	Phone             string
	Currency          string
	Balance           int64               // minor units; positive is owed
	HasBalance        bool                // Moment tracks a balance for the customer
	Metadata          []formats.Metadatum // by key
	Payable           bool                // payment_rules came with the answer: without them nobody can pay
}

// idPrefix begins every customer's id. No reference may begin so: what else stood in an id would be read as a reference,
// and lead to somebody else.
const idPrefix = "bcus_"

var (
	errNoID    = errors.New("the answer names no customer id (bcus_…)")
	errAnother = errors.New("something stands after the customer")
)

// readCustomer reads the body of a success. Doubled members, other types than documented and a missing id make it
// unusable, since nothing could be concluded from it safely. Unknown members are ignored: Moment adds fields to live objects.
func readCustomer(body []byte) (Customer, error) {
	c, ok := readPlainCustomer(string(body))
	if !ok {
		var err error
		if c, err = readAnyCustomer(body); err != nil {
			return Customer{}, fmt.Errorf("read the customer in the answer: %w", err)
		}
	}
	if !strings.HasPrefix(c.ID, idPrefix) || c.ID == idPrefix {
		return Customer{}, errNoID
	}
	return c, nil
}

func readAnyCustomer(body []byte) (c Customer, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if err := c.read(d); err != nil {
		return c, err
	}
	switch _, err := d.ReadToken(); {
	case errors.Is(err, io.EOF):
		return c, nil
	case err != nil:
		return c, err
	}
	return c, errAnother
}

// read reads an object, member by member.
func (c *Customer) read(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return wrongKind(d, "an object")
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := c.member(d, name.String()); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func (c *Customer) member(d *jsontext.Decoder, name string) (err error) {
	switch name {
	case "id":
		c.ID, err = readText(d)
	case "external_reference":
		c.ExternalReference, err = readText(d)
	case "name":
		c.Name, err = readText(d)
	case "email":
		c.Email, err = readText(d)
	case "phone":
		c.Phone, err = readText(d)
	case "currency":
		c.Currency, err = readText(d)
	case "balance":
		c.Balance, c.HasBalance, err = readBalance(d)
	case "metadata":
		c.Metadata, err = readMetadata(d)
	case "payment_rules":
		c.Payable = d.PeekKind() == '{'
		err = d.SkipValue()
	default:
		err = d.SkipValue()
	}
	return err
}

// readText reads a text; null is an empty one.
func readText(d *jsontext.Decoder) (string, error) {
	switch d.PeekKind() {
	case '"', 'n':
	default:
		return "", wrongKind(d, "a text")
	}
	token, err := d.ReadToken()
	if err != nil || token.Kind() == 'n' {
		return "", err
	}
	return token.String(), nil
}

// readBalance reads a whole number; null is none.
func readBalance(d *jsontext.Decoder) (minor int64, has bool, err error) {
	switch d.PeekKind() {
	case '0', 'n':
	default:
		return 0, false, wrongKind(d, "a whole number")
	}
	token, err := d.ReadToken()
	if err != nil || token.Kind() == 'n' {
		return 0, false, err
	}
	minor, err = strconv.ParseInt(token.String(), 10, 64)
	return minor, err == nil, err
}

// readMetadata reads the metadata of a customer. Only texts are documented; another value is kept as it is written.
func readMetadata(d *jsontext.Decoder) (metadata []formats.Metadatum, err error) {
	switch d.PeekKind() {
	case 'n':
		return nil, d.SkipValue()
	case '{':
	default:
		return nil, wrongKind(d, "an object")
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		m := formats.Metadatum{Key: token.String()}
		if kind := d.PeekKind(); kind == '"' || kind == 'n' {
			m.Value, err = readText(d)
		} else {
			var value jsontext.Value
			value, err = d.ReadValue()
			m.Value = string(value)
		}
		if err != nil {
			return nil, err
		}
		metadata = append(metadata, m)
	}
	_, err = d.ReadToken()
	sortMetadata(metadata)
	return metadata, err
}

func sortMetadata(metadata []formats.Metadatum) {
	slices.SortFunc(metadata, func(a, b formats.Metadatum) int { return strings.Compare(a.Key, b.Key) })
}

// wrongKind says that what comes next is not what is documented, or what keeps it from being read at all.
func wrongKind(d *jsontext.Decoder, want string) error {
	at := d.StackPointer()
	if err := d.SkipValue(); err != nil {
		return err
	}
	return fmt.Errorf("%s is not %s", at, want)
}
