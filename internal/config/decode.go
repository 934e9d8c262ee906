package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// The YAML library checks syntax and gives nodes; the walk over them is our
// own. Decoding with the library would lose the positions that later checks
// need, stop at its own idea of a number (a branch code 051001 would change),
// and leave no place to replace variables where values cannot turn into YAML.

// mark is a place in the file, counted from 1.
type mark struct{ line, column int }

// decoder fills a Config from nodes and remembers where everything stood.
type decoder struct {
	report
	lookup func(string) (string, bool)
	// at has the place of every key that the file gives.
	at map[string]mark
	// raw has scalars as they stand in the file, before variables were
	// replaced; not those of secrets.
	raw map[string]string
	// unset has the keys whose value could not be made out. They keep their
	// default, and checks have nothing to add about them.
	unset map[string]bool
	// secrets are the scalars that secrets stand in, in the order of the file.
	secrets []*yaml.Node
}

func newDecoder(file string, lookup func(string) (string, bool)) *decoder {
	return &decoder{
		report: report{file: file},
		lookup: lookup,
		at:     map[string]mark{},
		raw:    map[string]string{},
		unset:  map[string]bool{},
	}
}

// decode reads data into cfg, which holds the defaults. It reports whether the
// file could be read as YAML at all.
func (d *decoder) decode(data []byte, cfg *Config) bool {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		d.syntax(data, err)
		return false
	}
	var doc, more yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return true
	case err != nil:
		d.syntax(data, err)
		return false
	}
	switch err := loader.Load(&more); {
	case err == nil:
		d.add(mark{max(more.Line, 1), max(more.Column, 1)}, 0, "",
			"holds a second document", "remove the line --- and what follows it")
	case !errors.Is(err, io.EOF):
		d.syntax(data, err)
		return false
	}
	if len(doc.Content) == 1 {
		d.value(doc.Content[0], mark{1, 1}, reflect.ValueOf(cfg).Elem(), "")
	}
	return true
}

// value reads a node into v. A place is passed along because an empty value has
// none of its own worth showing.
func (d *decoder) value(n *yaml.Node, at mark, v reflect.Value, key string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if key != "" {
		d.at[key] = at
	}
	_, isSecret := v.Interface().(Secret)
	_, isText := v.Addr().Interface().(encoding.TextUnmarshaler)
	isSection := v.Kind() == reflect.Struct && !isSecret && !isText
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && n.Style&yaml.TaggedStyle == 0:
		d.empty(at, key, isSection || v.Kind() == reflect.Map || v.Kind() == reflect.Slice)
	case isSection:
		d.mapping(n, at, v, key)
	case v.Kind() == reflect.Map:
		d.table(n, at, v, key)
	case v.Kind() == reflect.Slice:
		d.list(n, at, v, key)
	default:
		d.scalar(n, at, v, key)
	}
}

func (d *decoder) empty(at mark, key string, holdsMore bool) {
	if key == "" {
		return
	}
	remedy := `write a value, "" for nothing, or remove the line`
	if holdsMore {
		remedy = "write what belongs under it, or remove the line"
	}
	d.fail(at, key, "has no value", remedy)
}

// fail adds a problem with the form of a value and keeps checks away from it.
func (d *decoder) fail(at mark, key, message, remedy string) {
	d.add(at, 0, key, message, remedy)
	d.giveUp(key)
}

func (d *decoder) giveUp(key string) {
	d.unset[key] = true
	if list, _, ok := strings.Cut(key, "["); ok {
		d.unset[list] = true
	}
}

// pairs goes through the keys of a mapping, each once.
func (d *decoder) pairs(n *yaml.Node, at mark, key string, each func(name string, at mark, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		if key == "" {
			d.add(at, 0, "", "is not a list of keys and values", "begin with a line such as merchant: acme")
			return
		}
		d.fail(at, key, "must hold keys of its own", "indent them below it, one a line")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, value := n.Content[i], n.Content[i+1]
		kat := mark{k.Line, k.Column}
		switch first, again := seen[k.Value]; {
		case k.Kind != yaml.ScalarNode || k.ShortTag() == "!!merge":
			d.add(kat, 0, key, "has a key that is no plain word", "write every key out; merge keys (<<) are not read")
		case again:
			d.add(kat, 0, join(key, mask(k.Value)), fmt.Sprintf("is given twice (first on line %d)", first), "keep one of them")
		default:
			seen[k.Value] = k.Line
			each(k.Value, kat, value)
		}
	}
}

func (d *decoder) mapping(n *yaml.Node, at mark, v reflect.Value, key string) {
	d.pairs(n, at, key, func(name string, at mark, value *yaml.Node) {
		field, ok := fieldByKey(v, name)
		if !ok {
			d.add(at, 0, join(key, mask(name)), "is not a key that is known", unknownKeyRemedy(key, name))
			return
		}
		if value.Kind == yaml.ScalarNode && value.ShortTag() != "!!null" {
			at = mark{value.Line, value.Column}
		}
		d.value(value, at, field, join(key, name))
	})
}

func (d *decoder) table(n *yaml.Node, at mark, v reflect.Value, key string) {
	table := map[string]string{}
	d.pairs(n, at, key, func(name string, at mark, value *yaml.Node) {
		var text string
		d.value(value, at, reflect.ValueOf(&text).Elem(), join(key, name))
		table[name] = text
	})
	v.Set(reflect.ValueOf(table))
}

func (d *decoder) list(n *yaml.Node, at mark, v reflect.Value, key string) {
	if n.Kind != yaml.SequenceNode {
		d.fail(at, key, "must be a list", "put it in brackets, or each item on a line of its own after a dash")
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.value(item, mark{item.Line, item.Column}, list.Index(i), fmt.Sprintf("%s[%d]", key, i))
	}
	v.Set(list)
}

func (d *decoder) scalar(n *yaml.Node, at mark, v reflect.Value, key string) {
	if n.Kind != yaml.ScalarNode {
		d.fail(at, key, "must be a single value", "write it on the line of the key")
		return
	}
	if n.Style&yaml.TaggedStyle != 0 && n.ShortTag() != "!!str" {
		d.fail(at, key, "carries a YAML tag", "remove the word that begins with an exclamation mark")
		return
	}
	_, isSecret := v.Interface().(Secret)
	if isSecret {
		d.secrets = append(d.secrets, n)
	}
	text, ok := d.expand(n.Value, at, key)
	if !ok {
		d.giveUp(key)
		return
	}
	if isSecret {
		v.Set(reflect.ValueOf(NewSecret(text, key)))
		return
	}
	d.raw[key] = n.Value
	if message, remedy := setScalar(v, text); message != "" {
		d.fail(at, key, message+d.shown(key), remedy)
	}
}

// setScalar reads text as what v is. A message says why it cannot be.
func setScalar(v reflect.Value, text string) (message, remedy string) {
	switch target := v.Addr().Interface().(type) {
	case *time.Duration:
		duration, err := time.ParseDuration(text)
		if err != nil || isDigits(text) {
			return "must be a duration with a unit", "write it as 500ms, 30s, 15m or 2h"
		}
		*target = duration
		return "", ""
	case encoding.TextUnmarshaler:
		if err := target.UnmarshalText([]byte(text)); err != nil {
			return err.Error(), "correct the value, or remove the line to get the default"
		}
		return "", ""
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return "must be true or false", "write one of the two"
		}
		v.SetBool(text == "true")
	default:
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "must be a whole number", "write digits only"
		}
		v.SetInt(number)
	}
	return "", ""
}

// shown returns the value of a key for the end of a message, as it stands in
// the file: never what a variable holds.
func (d *decoder) shown(key string) string {
	raw, ok := d.raw[key]
	if !ok {
		return ""
	}
	if runes := []rune(raw); len(runes) > 40 {
		raw = string(runes[:40]) + "…"
	}
	return fmt.Sprintf(", not %q", mask(raw))
}

// settled reports whether the value of a key could be made out, its default
// counting as such.
func (d *decoder) settled(key string) bool {
	for key != "" {
		if d.unset[key] {
			return false
		}
		key = parentOf(key)
	}
	return true
}

// place returns where a key stands; if the file does not give it, where its
// section does; else the beginning.
func (d *decoder) place(key string) mark {
	for key != "" {
		if at, ok := d.at[key]; ok {
			return at
		}
		key = parentOf(key)
	}
	return mark{1, 1}
}

func parentOf(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

func join(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}
