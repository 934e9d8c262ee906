package config

import (
	"bytes"
	"errors"
	"regexp"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// syntax adds the problem that keeps a file from being read as YAML.
func (d *decoder) syntax(data []byte, err error) {
	at, message := mark{}, "is not readable as YAML"
	var one *yaml.LoadError
	if errors.As(err, &one) {
		at = mark{one.Mark.Line, one.Mark.Column}
		message += ": " + unquote(one.Message)
	}
	if at.line == 0 {
		at = firstUnreadable(data)
	}
	d.add(at, 0, "", message, "look at this line and the one above it; text with : # * & @ ! or % belongs in quotes")
}

// unquote takes what the library quotes out of its message, but for signs: an
// unquoted password beginning with * is the name of an anchor to it.
func unquote(message string) string {
	return regexp.MustCompile(` '[^']*[A-Za-z0-9][^']*'`).ReplaceAllString(message, "")
}

// firstUnreadable finds the first byte that YAML does not allow; the library
// does not say where it was.
func firstUnreadable(data []byte) mark {
	at := mark{1, 1}
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			return at
		case r == '\n':
			at = mark{at.line + 1, 0}
		case r < ' ' && !bytes.ContainsRune([]byte("\t\r"), r), r >= 0x7f && r < 0xa0 && r != 0x85:
			return at
		}
		at.column++
		data = data[size:]
	}
	return mark{1, 1}
}

// mask hides what looks like a key where a name or a harmless value should
// stand: people paste secrets into the wrong line.
func mask(text string) string {
	key := regexp.MustCompile(`(^|[^A-Za-z0-9])((sk|pk)_(test_)?|whsec_)[A-Za-z0-9+/]{6}|PRIVATE KEY`)
	if key.MatchString(text) {
		return redacted
	}
	return text
}
