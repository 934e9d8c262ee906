package ledger

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"tallyman/formats"
)

// What nothing is searched by stands in one JSON object for each customer and each row that is not finished: a value that is
// bound to a statement costs as much as to write the whole object. Members that say nothing are left out. It is written and
// read here by hand, since there is one for each record of a file; SQL reads it with ->>.

// appendTold appends what is told of a row.
func appendTold(b []byte, r *Row) []byte {
	o := &r.Result
	b = append(b, '{')
	b = appendNumber(b, "line", int64(o.Line))
	b = appendText(b, "key", r.Key)
	if r.Operation != OperationNone {
		b = append(hex.AppendEncode(append(appendName(b, "body_sha256"), '"'), r.BodySHA256[:]), '"')
	}
	b = appendNumber(b, "generation", int64(r.Generation))
	b = appendNumber(b, "refused", int64(boolInt(r.Refused)))
	b = appendNumber(b, "planned_at", micros(r.PlannedAt))
	b = appendText(b, "customer_id", o.CustomerID)
	b = appendText(b, "payable", o.Payable)
	b = appendNumber(b, "http_status", int64(o.HTTPStatus))
	b = appendNumber(b, "attempts", int64(o.Attempts))
	b = appendText(b, "reason", o.Reason)
	b = appendText(b, "detail", o.Detail)
	return append(b, '}')
}

// readTold reads what is told of a row.
func (r *Row) readTold(told string) error {
	o := &r.Result
	m := members{left: told}
	for m.next() {
		switch m.name {
		case "line":
			o.Line = int(m.number())
		case "key":
			r.Key = m.text
		case "body_sha256":
			if n, err := hex.Decode(r.BodySHA256[:], []byte(m.text)); err != nil || n != len(r.BodySHA256) {
				m.failed = true
			}
		case "generation":
			r.Generation = int(m.number())
		case "refused":
			r.Refused = m.number() != 0
		case "planned_at":
			r.PlannedAt = fromMicros(m.number())
		case "customer_id":
			o.CustomerID = m.text
		case "payable":
			o.Payable = m.text
		case "http_status":
			o.HTTPStatus = int(m.number())
		case "attempts":
			o.Attempts = int(m.number())
		case "reason":
			o.Reason = m.text
		case "detail":
			o.Detail = m.text
		}
	}
	return m.err()
}

// metadataPrefix begins the names under which metadata stand among the other members of a customer.
const metadataPrefix = "metadata."

// appendCustomer appends what stands of a customer, but for its reference.
func appendCustomer(b []byte, c *formats.Customer) []byte {
	b = append(b, '{')
	b = appendText(b, "name", c.Name)
	b = appendText(b, "email", c.Email)
	b = appendText(b, "phone", c.Phone)
	b = appendText(b, "currency", c.Currency)
	if c.Balance.Set {
		b = strconv.AppendInt(appendName(b, "balance"), c.Balance.Minor, 10)
	}
	b = appendText(b, "due_date", c.DueDate)
	for _, m := range c.Metadata {
		b = appendQuoted(appendName(b, metadataPrefix+m.Key), m.Value)
	}
	return append(b, '}')
}

// readCustomer reads what appendCustomer has written.
func readCustomer(asserted string, c *formats.Customer) error {
	m := members{left: asserted}
	for m.next() {
		switch m.name {
		case "name":
			c.Name = m.text
		case "email":
			c.Email = m.text
		case "phone":
			c.Phone = m.text
		case "currency":
			c.Currency = m.text
		case "balance":
			c.Balance = formats.BalanceOf(m.number())
		case "due_date":
			c.DueDate = m.text
		default:
			if key, ok := strings.CutPrefix(m.name, metadataPrefix); ok {
				c.Metadata = append(c.Metadata, formats.Metadatum{Key: key, Value: m.text})
			}
		}
	}
	return m.err()
}

func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(appendQuoted(b, name), ':')
}

func appendNumber(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(appendName(b, name), n, 10)
}

func appendText(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return appendQuoted(appendName(b, name), text)
}

// appendQuoted appends a JSON string. What is no UTF-8 in it is replaced: all that comes here has been read as such.
func appendQuoted(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			b, _ = jsontext.AppendQuote(b, text)
			return b
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// errTold says that what stands in the ledger is not what was written there.
var errTold = errors.New("a record in the ledger is damaged: restore data_dir from a backup, or begin a new one, and import the file again")

// members reads an object of texts and whole numbers.
type members struct {
	left   string
	name   string
	text   string // of the value; of a number its digits
	begun  bool
	failed bool
}

// next goes on to the next member; false is the end of the object, or a fault.
func (m *members) next() bool {
	if m.failed {
		return false
	}
	if m.begun && m.skip("}") || !m.begun && m.skip("{}") {
		m.failed = m.left != ""
		return false
	}
	between := ","
	if !m.begun {
		between, m.begun = "{", true
	}
	ok := m.skip(between)
	if m.name = m.quoted(); !ok || !m.skip(":") || m.left == "" {
		m.failed = true
	}
	if m.failed {
		return false
	}
	if m.left[0] == '"' {
		m.text = m.quoted()
		return !m.failed
	}
	end := strings.IndexAny(m.left, ",}")
	if end < 0 {
		m.failed = true
		return false
	}
	m.text, m.left = m.left[:end], m.left[end:]
	return true
}

func (m *members) skip(what string) (ok bool) {
	m.left, ok = strings.CutPrefix(m.left, what)
	return ok
}

// quoted reads a JSON string. One without escapes shares the memory of the whole.
func (m *members) quoted() string {
	if !m.skip(`"`) {
		m.failed = true
		return ""
	}
	end := strings.IndexByte(m.left, '"')
	if end >= 0 && strings.IndexByte(m.left[:end], '\\') < 0 {
		text := m.left[:end]
		m.left = m.left[end+1:]
		return text
	}
	for end = 0; end < len(m.left) && m.left[end] != '"'; end++ {
		if m.left[end] == '\\' {
			end++
		}
	}
	if end >= len(m.left) {
		m.failed = true
		return ""
	}
	text, err := jsontext.AppendUnquote(nil, `"`+m.left[:end+1])
	m.left, m.failed = m.left[end+1:], m.failed || err != nil
	return string(text)
}

// number returns the member's value.
func (m *members) number() int64 {
	n, err := strconv.ParseInt(m.text, 10, 64)
	m.failed = m.failed || err != nil
	return n
}

func (m *members) err() error {
	if m.failed {
		return errTold
	}
	return nil
}
