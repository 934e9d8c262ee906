package config

import (
	"fmt"
	"regexp"
	"strings"
)

// expand replaces ${NAME} and ${NAME:?message} in a scalar. It runs after the
// YAML was read, and what it puts in is not looked at again: a value cannot add
// keys, nor refer to another variable. Without all its variables the scalar has
// no value; that is a problem only for who needs its section.
func (d *decoder) expand(text string, at mark, key string) (string, bool) {
	var b strings.Builder
	ok := true
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String(), ok
		}
		reference, after, closed := strings.Cut(rest, "}")
		name, message, hasMessage := strings.Cut(reference, ":?")
		if !closed || !isVariableName(name) {
			d.add(at, 0, key, "has a ${ that is no variable", "write ${NAME} or ${NAME:?message}, the name in letters, digits and _")
			return "", false
		}
		value, set := d.lookup(name)
		switch {
		case set && (value != "" || !hasMessage):
			b.WriteString(value)
		case message != "":
			d.add(at, sectionOf(key), key, fmt.Sprintf("needs the environment variable %s: %s", name, mask(message)), "set it before starting tallyman")
			ok = false
		default:
			d.add(at, sectionOf(key), key, fmt.Sprintf("needs the environment variable %s, which is not set", name), "set it, or write the value into a file"+fileKeyHint(key))
			ok = false
		}
		text = after
	}
}

func isVariableName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name)
}

// fileKeyHint names the key that takes a file instead of the secret itself.
func fileKeyHint(key string) string {
	name, _, _ := strings.Cut(key, "[")
	switch name {
	case "api.key", "inbox.password", "inbox.key_passphrase":
		return " and name that under " + name + "_file"
	case "receiver.secrets":
		return " and name that under receiver.secret_files"
	}
	return ""
}
