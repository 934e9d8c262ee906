package formats

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strconv"
)

// DataHash is the first half of the SHA-256 of an event's data in a canonical form: equal for two data exactly when they
// are equal as JSON. White space, the order of members and the way a character is escaped do not count; 1, 1.0 and 10e-1
// are the same number, compared without rounding.
type DataHash [16]byte

// jsonMember is one member of an object that is being put into canonical order.
type jsonMember struct {
	key   []byte
	value []byte
}

// canonicalizer writes the canonical form of well-formed JSON values; it keeps its buffers between events.
type canonicalizer struct {
	out     []byte
	keys    []byte
	members []jsonMember
}

// hash returns the hash of one well-formed value.
func (c *canonicalizer) hash(value []byte) DataHash {
	c.out, c.keys, c.members = c.out[:0], c.keys[:0], c.members[:0]
	c.value(value)
	sum := sha256.Sum256(c.out)
	return DataHash(sum[:16])
}

// value appends the form of one value. Strings carry their length, so no two values have the same form.
func (c *canonicalizer) value(value []byte) {
	switch value[0] {
	case '{':
		c.object(value)
	case '[':
		c.out = append(c.out, '[')
		s := jsonScanner{text: value}
		s.array(c.value)
		c.out = append(c.out, ']')
	case '"':
		if bytes.IndexByte(value, '\\') < 0 {
			c.text(value[1 : len(value)-1])
			return
		}
		c.text(appendUnquoted(nil, value))
	case 't', 'f', 'n':
		c.out = append(c.out, value[0])
	default:
		c.number(value)
	}
}

// object appends the members in the order of their keys. Members of one key keep their order, and all count: which of
// them another reader would take is not known.
func (c *canonicalizer) object(value []byte) {
	base := len(c.members)
	s := jsonScanner{text: value}
	s.object(func(key, value []byte) {
		c.members = append(c.members, jsonMember{key: c.key(key), value: value})
	})
	slices.SortStableFunc(c.members[base:], func(a, b jsonMember) int { return bytes.Compare(a.key, b.key) })
	c.out = append(c.out, '{')
	for i := base; i < len(c.members); i++ {
		member := c.members[i]
		c.text(member.key)
		c.value(member.value)
	}
	c.out = append(c.out, '}')
	c.members = c.members[:base]
}

// key returns the text of a key; it stays valid while the event is being hashed.
func (c *canonicalizer) key(token []byte) []byte {
	if bytes.IndexByte(token, '\\') < 0 {
		return token[1 : len(token)-1]
	}
	start := len(c.keys)
	c.keys = appendUnquoted(c.keys, token)
	return c.keys[start:len(c.keys):len(c.keys)]
}

func (c *canonicalizer) text(text []byte) {
	c.out = strconv.AppendInt(c.out, int64(len(text)), 10)
	c.out = append(c.out, ':')
	c.out = append(c.out, text...)
}

// number appends a number as sign, digits without zeros at either end, and a power of ten.
func (c *canonicalizer) number(token []byte) {
	mantissa, exponent := token, []byte(nil)
	if i := bytes.IndexAny(token, "eE"); i >= 0 {
		mantissa, exponent = token[:i], token[i+1:]
	}
	negative := mantissa[0] == '-'
	mantissa = bytes.TrimPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits := append(bytes.Clone(whole), fraction...)
	significant := bytes.TrimRight(digits, "0")
	power := int64(len(digits) - len(significant) - len(fraction))
	significant = bytes.TrimLeft(significant, "0")
	c.out = append(c.out, '#')
	if len(significant) == 0 {
		c.out = append(c.out, '0', ';')
		return
	}
	shift, err := strconv.ParseInt(string(exponent), 10, 48)
	if len(exponent) > 0 && err != nil {
		// Beyond any number a payment could mean: the text alone is compared.
		c.out = append(append(c.out, token...), ';')
		return
	}
	if negative {
		c.out = append(c.out, '-')
	}
	c.out = append(c.out, significant...)
	c.out = append(c.out, 'e')
	c.out = append(strconv.AppendInt(c.out, power+shift, 10), ';')
}
