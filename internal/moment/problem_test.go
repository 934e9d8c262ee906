package moment

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestProblem(t *testing.T) {
	for _, c := range []struct{ name, body, shown string }{
		{"all members", `{"type":"https://api.momentco.io/docs/errors#not-found","title":"Not found","status":404,"detail":"No such customer","instance":"/x"}`, "not-found: No such customer"},
		{"another host, a path", `{"type":"https://elsewhere.example/problems/conflict","title":"Taken"}`, "conflict: Taken"},
		{"a bare word", `{"type":"conflict"}`, "conflict"},
		{"no type", `{"detail":"Something"}`, "Something"},
		{"members of other types", `{"type":1,"title":["x"],"detail":"Something","status":"x"}`, "Something"},
		{"doubled members", `{"detail":"one","detail":"two"}`, "two"},
		{"null", `{"type":null,"detail":null}`, ""},
		{"no object", `["a"]`, ""},
		{"a text", `"a"`, ""},
		{"a page", `<html>502</html>`, ""},
		{"nothing", ``, ""},
		{"cut off", `{"detail":"Some`, ""},
		{"control characters", `{"detail":"a\u001b[31mred\nline\u202eright to left"}`, "a [31mred line right to left"},
		{"not UTF-8", "{\"detail\":\"a\xffb\"}", "a\ufffdb"},
		{"long", `{"detail":"` + strings.Repeat("é", 1000) + `"}`, strings.Repeat("é", 300) + "…"},
	} {
		if got := readProblem([]byte(c.body)).String(); got != c.shown {
			t.Errorf("%s: %q, want %q", c.name, got, c.shown)
		}
	}
}

func FuzzProblem(f *testing.F) {
	for _, body := range []string{`{"type":"a#b","title":"t","detail":"d","instance":"/i"}`, `{"detail":"a\u0000b"}`, `{"detail":1,"detail":"x"}`, `[`, "{\"detail\":\"\xff\"}", `{"title":"` + strings.Repeat("x", 400) + `"}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		shown := readProblem(body).String()
		if !utf8.ValidString(shown) || utf8.RuneCountInString(shown) > maxProblem+1 {
			t.Fatalf("%q is shown as %q", body, shown)
		}
		if i := strings.IndexFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Fatalf("%q is shown as %q, with a character for machines at %d", body, shown, i)
		}
	})
}
