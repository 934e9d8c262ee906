package moment

import (
	"strconv"
	"strings"

	"tallyman/formats"
)

// There is an answer for each record of a file, and nearly every one is JSON as servers write it: no white space, no escapes,
// ASCII. Such text is read here in one pass, in a quarter of the time that a decoder takes. Whatever else there is in it, the
// decoder has to say what it means.

// readPlainCustomer reads a customer as readAnyCustomer does, or says that it is not for it to read.
func readPlainCustomer(body string) (c Customer, ok bool) {
	p := plain{left: strings.TrimRight(body, " \t\r\n")}
	p.object(maxDepth, func(name string) { c.plainMember(&p, name) })
	if p.failed || p.left != "" {
		return Customer{}, false
	}
	return c, true
}

func (c *Customer) plainMember(p *plain, name string) {
	switch name {
	case "id":
		c.ID = p.textOrNull()
	case "external_reference":
		c.ExternalReference = p.textOrNull()
	case "name":
		c.Name = p.textOrNull()
	case "email":
		c.Email = p.textOrNull()
	case "phone":
		c.Phone = p.textOrNull()
	case "currency":
		c.Currency = p.textOrNull()
	case "balance":
		if c.HasBalance = !p.null(); c.HasBalance {
			c.Balance = p.number()
		}
	case "metadata":
		p.object(1, func(key string) {
			c.Metadata = append(c.Metadata, formats.Metadatum{Key: key, Value: p.textOrNull()})
		})
		sortMetadata(c.Metadata)
	case "payment_rules":
		c.Payable = strings.HasPrefix(p.left, "{")
		p.value(maxDepth)
	default:
		p.value(maxDepth)
	}
}

// What is beyond these is not plain.
const (
	maxDepth   = 8  // of values within values
	maxMembers = 32 // of an object
)

// plain reads what is left of a text. Once it has failed, the text is not plain.
type plain struct {
	left   string
	failed bool
}

func (p *plain) fail() { p.failed, p.left = true, "" }

func (p *plain) skip(what byte) bool {
	if p.left == "" || p.left[0] != what {
		return false
	}
	p.left = p.left[1:]
	return true
}

// object reads an object and calls member behind each name, to read its value.
func (p *plain) object(depth int, member func(name string)) {
	var names [maxMembers]string
	if !p.skip('{') || depth == 0 {
		p.fail()
		return
	}
	if p.skip('}') {
		return
	}
	for n := range names {
		names[n] = p.text()
		for _, before := range names[:n] {
			p.failed = p.failed || before == names[n]
		}
		if p.failed || !p.skip(':') {
			break
		}
		member(names[n])
		if p.skip('}') {
			return
		}
		if !p.skip(',') {
			break
		}
	}
	p.fail()
}

// value reads any value.
func (p *plain) value(depth int) {
	switch {
	case p.left == "":
		p.fail()
	case p.left[0] == '"':
		p.text()
	case p.left[0] == '{':
		p.object(depth, func(string) { p.value(depth - 1) })
	case p.word("true"), p.word("false"), p.null():
	default:
		p.number() // lists are not plain
	}
}

// text reads a text without escapes.
func (p *plain) text() string {
	if p.skip('"') {
		for i := range len(p.left) {
			switch c := p.left[i]; {
			case c == '"':
				text := p.left[:i]
				p.left = p.left[i+1:]
				return text
			case c < ' ', c > '~', c == '\\':
				p.fail()
				return ""
			}
		}
	}
	p.fail()
	return ""
}

// textOrNull reads a text; null is an empty one.
func (p *plain) textOrNull() string {
	if p.null() {
		return ""
	}
	return p.text()
}

func (p *plain) null() bool { return p.word("null") }

func (p *plain) word(what string) (ok bool) {
	p.left, ok = strings.CutPrefix(p.left, what)
	return ok
}

// number reads a whole number.
func (p *plain) number() int64 {
	end := strings.IndexAny(p.left, ",}")
	if end < 0 {
		p.fail()
		return 0
	}
	digits := p.left[:end]
	n, err := strconv.ParseInt(digits, 10, 64)
	// JSON knows no plus sign, and no zeros in front.
	if err != nil || digits[0] == '+' || strings.TrimPrefix(digits, "-")[0] == '0' && digits != "0" {
		p.fail()
		return 0
	}
	p.left = p.left[end:]
	return n
}
