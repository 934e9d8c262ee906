package formats

import (
	"fmt"
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"Nomsa Dlamini":     "Nomsa Dlamini",
		"=1+1":              "'=1+1",
		"+1":                "'+1",
		"-5":                "'-5",
		"-20.00":            "'-20.00", // a text that looks like a number was not printed by us
		"@SUM(A1)":          "'@SUM(A1)",
		"\tx":               "'\tx",
		"\rx":               "'\rx",
		"\nx":               "'\nx",
		"'=1":               "''=1",
		"''=1":              "'''=1",
		"'quoted'":          "'quoted'",
		"'":                 "'",
		"''":                "''",
		"a=1":               "a=1",
		" =1":               " =1",
		"-acme-7":           "'-acme-7",
		"+27821234567":      "+27821234567",
		"'+27821234567":     "''+27821234567",
		"+278212345671234":  "+278212345671234",
		"+2782123456712345": "'+2782123456712345",
		"+123456":           "'+123456",
		"+27 82 123 4567":   "'+27 82 123 4567",
	} {
		if got := Escape(text); got != want {
			t.Errorf("Escape(%q) = %q, want %q", text, got, want)
		}
		if got := Unescape(want); got != text {
			t.Errorf("Unescape(%q) = %q, want %q", want, got, text)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "=1", "'=1", "''", "+27821234567", "\r", "-", "'a", "'\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := Escape(text)
		if Unescape(cell) != text {
			t.Fatalf("%q became %q and came back as %q", text, cell, Unescape(cell))
		}
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") && !isPhoneNumber(cell) {
			t.Fatalf("%q became %q, which a spreadsheet runs", text, cell)
		}
	})
}

func ExampleEscape() {
	cell := Escape("=HYPERLINK(\"http://example.com\")")
	fmt.Println(cell)
	fmt.Println(Unescape(cell))
	// Output:
	// '=HYPERLINK("http://example.com")
	// =HYPERLINK("http://example.com")
}
