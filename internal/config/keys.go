package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// fieldByKey finds the field of a struct that a key of the file fills.
func fieldByKey(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == name && name != "" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// knownKeys returns every dotted key there is, in the order of the structs;
// those of a list's items as in "schedule[].cron".
func knownKeys() []string {
	return appendKeys(nil, reflect.TypeFor[Config](), "")
}

func appendKeys(list []string, t reflect.Type, parent string) []string {
	for i := range t.NumField() {
		field := t.Field(i)
		name := field.Tag.Get("yaml")
		if name == "" {
			continue
		}
		key := join(parent, name)
		list = append(list, key)
		inner := field.Type
		if inner.Kind() == reflect.Slice {
			inner, key = inner.Elem(), key+"[]"
		}
		if inner.Kind() == reflect.Struct {
			list = appendKeys(list, inner, key)
		}
	}
	return list
}

// unknownKeyRemedy says which key may have been meant: one beside it that is
// spelt nearly so, else one of the very name somewhere else.
func unknownKeyRemedy(parent, name string) string {
	parent = listIndex(parent)
	var siblings, elsewhere []string
	for _, key := range knownKeys() {
		dir, last := "", key
		if i := strings.LastIndexByte(key, '.'); i >= 0 {
			dir, last = key[:i], key[i+1:]
		}
		if dir == parent {
			siblings = append(siblings, last)
		} else if last == name {
			elsewhere = append(elsewhere, key)
		}
	}
	if near := nearest(name, siblings); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(elsewhere) > 0 {
		return fmt.Sprintf("did you mean %s?", strings.Join(elsewhere, " or "))
	}
	where := "here"
	if parent != "" {
		where = "under " + parent
	}
	return fmt.Sprintf("remove it; known %s: %s", where, strings.Join(siblings, ", "))
}

// listIndex turns "schedule[2]" into "schedule[]".
func listIndex(key string) string {
	open, end := strings.IndexByte(key, '['), strings.IndexByte(key, ']')
	if open < 0 || end < open {
		return key
	}
	return key[:open+1] + key[end:]
}

// nearest returns the candidate with the fewest edits, at most one for every
// three characters of the name and never more than three; empty if none is so
// near.
func nearest(name string, candidates []string) string {
	best, limit := "", min(len(name)/3, 3)+1
	for _, c := range candidates {
		if n := edits(name, c); n < limit {
			best, limit = c, n
		}
	}
	return best
}

// edits counts the single-character changes, swaps of neighbours included, that
// make one word of the other.
func edits(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = slices.Min([]int{rows[i-1][j] + 1, rows[i][j-1] + 1, rows[i-1][j-1] + change})
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
