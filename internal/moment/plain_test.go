package moment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plainBodies are customers as servers write them.
func plainBodies() []string {
	return []string{
		aCustomer,
		`{"id":"bcus_1","balance":-1,"metadata":{"b":"2","a":"1","c":null},"payment_rules":{"min":{"amount":5},"on":true},"x":false,"y":null,"z":-0.5}` + "\n",
		`{"id":"bcus_1","name":null,"balance":null,"metadata":{},"payment_rules":null,"created_at":"2026-11-22T04:00:00Z","mode":"new","n":0}`,
	}
}

// TestPlainCustomer: an answer without anything unusual is read without the decoder.
func TestPlainCustomer(t *testing.T) {
	for i, body := range plainBodies() {
		body = strings.Replace(body, "-0.5", "-5", 1)
		got, ok := readPlainCustomer(body)
		want, err := readAnyCustomer([]byte(body))
		if diff := cmp.Diff(want, got); !ok || err != nil || diff != "" {
			t.Errorf("%d: %v, %v\n%s", i, ok, err, diff)
		}
	}
	for name, body := range map[string]string{
		"nothing":           ``,
		"cut off":           `{"id":"bcus_1"`,
		"something after":   `{"id":"bcus_1"}{}`,
		"a doubled member":  `{"id":"bcus_1","x":1,"x":2}`,
		"a doubled one far": `{"id":"bcus_1","payment_rules":{"x":1,"x":2}}`,
		"an escape":         `{"id":"bcus_1","name":"\u0041"}`,
		"not ASCII":         `{"id":"bcus_1","name":"Zoë"}`,
		"a control":         "{\"id\":\"bcus_1\",\"name\":\"\x01\"}",
		"a zero in front":   `{"id":"bcus_1","balance":01}`,
		"a plus":            `{"id":"bcus_1","balance":+1}`,
		"minus zero":        `{"id":"bcus_1","balance":-0}`,
		"a comma too many":  `{"id":"bcus_1",}`,
		"a list":            `{"id":"bcus_1","x":[]}`,
		"many members":      `{"id":"bcus_1"` + manyMembers(maxMembers) + `}`,
		"deep":              strings.Repeat(`{"a":`, maxDepth+2) + `1` + strings.Repeat(`}`, maxDepth+2),
	} {
		if c, ok := readPlainCustomer(body); ok {
			t.Errorf("%s is taken for %+v", name, c)
		}
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	return b.String()
}

// FuzzPlainCustomer: what is read in one pass, the decoder reads in the same way.
func FuzzPlainCustomer(f *testing.F) {
	for _, body := range plainBodies() {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, ok := readPlainCustomer(body)
		if !ok {
			return
		}
		want, err := readAnyCustomer([]byte(body))
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-decoder +plain):\n%s", body, diff)
		}
	})
}
