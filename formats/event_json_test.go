package formats

import (
	"bytes"
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// wholeValue reports what the scanner thinks of a text as one value.
func wholeValue(text []byte) bool {
	s := jsonScanner{text: text}
	s.space()
	if !s.value() {
		return false
	}
	s.space()
	return s.pos == len(text)
}

var jsonSeeds = []string{
	`{}`, `[]`, `{"a":[1,2.5e+3,-0,true,false,null,"x\u00e9\n\ud83d\ude00"]}`, `01`, `1.`, `.5`, `-`, `1e`, `"\u12"`,
	`"\ud800"`, `"` + "\x1f" + `"`, `{"a":1,}`, `[1,]`, `{"a"}`, `{"a":}`, `{1:2}`, `tru`, `nul`, `[[[[`, ` 1 `, `"a`, `"\`,
	`{"b":1,"a":[{"d":1.0,"c":10e-1}]}`, `1e400`, `-0.0`, `1E+2`, "\x00", `"\uD83D\uDE0"`, `[}`, `{]`,
}

// FuzzJSONScanner compares the grammar with encoding/json's, which takes invalid UTF-8 where we do not.
func FuzzJSONScanner(f *testing.F) {
	for _, seed := range jsonSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, want := wholeValue(text), json.Valid(text); got != want {
			t.Fatalf("%q: well-formed is %v, encoding/json says %v", text, got, want)
		}
	})
}

func TestJSONDepth(t *testing.T) {
	for _, depth := range []int{10000, 10001} {
		for _, text := range []string{
			strings.Repeat("[", depth) + strings.Repeat("]", depth),
			strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth),
		} {
			if got, want := wholeValue([]byte(text)), json.Valid([]byte(text)); got != want {
				t.Errorf("%s… %d deep: well-formed is %v, encoding/json says %v", text[:5], depth, got, want)
			}
		}
	}
}

// FuzzUnquote compares the text of a string with encoding/json's, which puts U+FFFD for half a surrogate.
func FuzzUnquote(f *testing.F) {
	for _, seed := range []string{`"a"`, `"\ud83d\ude00"`, `"\ud83d\u0041"`, `"\ude00\ud83d"`, `"\"\\\/\b\f\n\r\t"`, `"é"`, `"\ud83d\ud83d\ude00"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		s := jsonScanner{text: token}
		if _, ok := s.str(); !ok || s.pos != len(token) || !utf8.Valid(token) {
			return
		}
		var want string
		if err := json.Unmarshal(token, &want); err != nil {
			t.Fatalf("%q: %v", token, err)
		}
		got := replaceHalfSurrogates(appendUnquoted(nil, token))
		if got != want {
			t.Fatalf("%s is %q, encoding/json says %q", token, got, want)
		}
	})
}

// replaceHalfSurrogates puts one U+FFFD for the three bytes of each.
func replaceHalfSurrogates(text []byte) string {
	var b strings.Builder
	for len(text) > 0 {
		if len(text) >= 3 && text[0] == 0xed && text[1] >= 0xa0 {
			b.WriteRune(utf8.RuneError)
			text = text[3:]
			continue
		}
		b.WriteByte(text[0])
		text = text[1:]
	}
	return b.String()
}

func hashOf(text string) DataHash {
	var c canonicalizer
	return c.hash([]byte(text))
}

func TestDataHashEqual(t *testing.T) {
	for _, c := range [][]string{
		{`{"a":1,"b":"x"}`, `{ "b" : "x" , "a" : 1 }`, `{"\u0061":1.0,"b":"\u0078"}`},
		{`1`, `1.0`, `10e-1`, `0.1e1`, `1e0`, `100E-2`},
		{`0`, `-0`, `0.000`, `0e5`, `-0.0e-7`},
		{`1200`, `1.2e3`, `12e+2`},
		{`-15000`, `-1.5e4`},
		{`{"a":{"c":[1,2],"b":null}}`, "{\"a\":{\"b\":null,\n\"c\":[ 1 ,2.00]}}"},
		{`"é"`, `"\u00e9"`, `"\u00E9"`},
		{`"/"`, `"\/"`},
	} {
		for _, other := range c[1:] {
			if hashOf(c[0]) != hashOf(other) {
				t.Errorf("%s and %s have different hashes", c[0], other)
			}
		}
	}
}

func TestDataHashDifferent(t *testing.T) {
	for _, c := range [][2]string{
		{`1`, `2`},
		{`1`, `-1`},
		{`1`, `10`},
		{`1`, `"1"`},
		{`9007199254740993`, `9007199254740992`}, // equal as float64
		{`0.1`, `0.10000000000000000001`},
		{`1e999999999999999999999`, `1e999999999999999999998`},
		{`{"a":1}`, `{"b":1}`},
		{`{"a":1}`, `{"a":1,"b":null}`},
		{`[1,2]`, `[2,1]`},
		{`[1,[2]]`, `[[1],2]`},
		{`["a","b"]`, `["ab",""]`},
		{`{"a":"1:b"}`, `{"a":"1","b":""}`},
		{`null`, `false`},
		{`""`, `null`},
		{`{}`, `[]`},
		{`"\ud800"`, `"\ud801"`},
		{`"a"`, `"A"`},
		{`{"a":1,"a":2}`, `{"a":2,"a":1}`},
		{`[12,3]`, `[1,23]`},
	} {
		if hashOf(c[0]) == hashOf(c[1]) {
			t.Errorf("%s and %s have the same hash", c[0], c[1])
		}
	}
}

// FuzzDataHash compares equality of hashes with equality of what encoding/json makes of two texts.
func FuzzDataHash(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[2]}`), []byte(`{"b":[2.0],"a":1}`))
	f.Add([]byte(`{"a":1}`), []byte(`{"a":10e-1}`))
	f.Add([]byte(`[0]`), []byte(`[-0.0]`))
	for _, seed := range jsonSeeds {
		f.Add([]byte(seed), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, okX := exactJSON(a)
		y, okY := exactJSON(b)
		if !okX || !okY {
			return
		}
		same := hashOf(string(bytes.TrimSpace(a))) == hashOf(string(bytes.TrimSpace(b)))
		if want := reflect.DeepEqual(x, y); same != want {
			t.Fatalf("%s and %s: same hash is %v, equal is %v", a, b, same, want)
		}
	})
}

// exactJSON decodes a text with numbers as rationals. ok is false for texts that the two cannot be compared on: doubled
// members, half surrogates, and numbers too long to expand.
func exactJSON(text []byte) (value any, ok bool) {
	if !utf8.Valid(text) || !json.Valid(text) || bytes.Contains(text, []byte("\uFFFD")) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return nil, false
	}
	ok = true
	value = exactNumbers(value, &ok)
	keys := 0
	s := jsonScanner{text: text}
	countMembers(&s, &keys)
	return value, ok && keys == members(value)
}

func exactNumbers(value any, ok *bool) any {
	switch v := value.(type) {
	case json.Number:
		if i := strings.IndexAny(string(v), "eE"); i >= 0 && len(v)-i > 5 {
			*ok = false
			return nil
		}
		r, good := new(big.Rat).SetString(string(v))
		*ok = *ok && good
		return "number " + r.RatString()
	case string:
		*ok = *ok && !strings.ContainsRune(v, utf8.RuneError)
		return "string " + v
	case []any:
		for i := range v {
			v[i] = exactNumbers(v[i], ok)
		}
	case map[string]any:
		for key, member := range v {
			*ok = *ok && !strings.ContainsRune(key, utf8.RuneError)
			v[key] = exactNumbers(member, ok)
		}
	}
	return value
}

func members(value any) (n int) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			n += members(element)
		}
	case map[string]any:
		n = len(v)
		for _, member := range v {
			n += members(member)
		}
	}
	return n
}

// countMembers counts the members of all objects, doubled ones twice.
func countMembers(s *jsonScanner, n *int) {
	s.space()
	switch s.peek() {
	case '{':
		s.object(func(_, value []byte) {
			*n++
			countMembers(&jsonScanner{text: value}, n)
		})
	case '[':
		s.array(func(value []byte) { countMembers(&jsonScanner{text: value}, n) })
	}
}

// FuzzParseEvent holds whatever is parsed against encoding/json.
func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(amountApplied("", "")))
	f.Add([]byte(amountApplied("15000", "-9223372036854775808")))
	f.Add([]byte(amountApplied(`"amount"`, `"Amount":1,"amount"`)))
	f.Add([]byte(amountApplied(`"evt_1"`, `"\ud83d\ude00"`)))
	f.Add([]byte(`{"type":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		event := ParseEvent(body)
		isObject := utf8.Valid(body) && json.Valid(body) && bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
		if (event.Problem == EventNotObject) == isObject {
			t.Fatalf("%q: %s", body, event.Problem)
		}
		if event.Problem != EventFine {
			return
		}
		// What is fine has no doubled or mis-cased member, so the lax decoder must read the same.
		var lax struct {
			ID   string
			Type string
			Data struct {
				ID, Currency string
				CustomerID   json.RawMessage `json:"customer_id"`
				Amount       int64
			}
		}
		var kinds struct {
			Data struct{ ID, Currency any }
		}
		if json.Unmarshal(body, &kinds) != nil || !isText(kinds.Data.ID) {
			return
		}
		if err := json.Unmarshal(body, &lax); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if strings.ContainsRune(event.ID+event.Type+event.Currency, utf8.RuneError) {
			return
		}
		if event.ID != lax.ID || event.Type != lax.Type || event.Amount != lax.Data.Amount || event.Currency != lax.Data.Currency {
			t.Fatalf("%q was read as %+v, by encoding/json as %+v", body, event, lax)
		}
	})
}

func isText(v any) bool {
	_, ok := v.(string)
	return ok || v == nil
}
