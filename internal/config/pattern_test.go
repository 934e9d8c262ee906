package config

import (
	"strings"
	"testing"
)

func TestMatchName(t *testing.T) {
	for _, tt := range []struct {
		pattern, name, date string
		ok                  bool
	}{
		{"za_acme_dailyfile_{date}.csv", "za_acme_dailyfile_2026-11-22.csv", "2026-11-22", true},
		{"za_acme_dailyfile_{date}.csv", "za_acme_dailyfile_2026-11-22.csv.part", "", false},
		{"za_acme_dailyfile_{date}.csv", "ZA_acme_dailyfile_2026-11-22.csv", "", false},
		{"a_{date}.csv", "a_2026-02-29.csv", "", false},
		{"a_{date}.csv", "a_2028-02-29.csv", "2028-02-29", true},
		{"a_{date}.csv", "a_2026-13-01.csv", "", false},
		{"a_{date}.csv", "a_20261122.csv", "", false},
		{"a_{date}.csv", "a_2026-1-22.csv", "", false},
		{"a_{date}.csv", "a_٢٠٢٦-11-22.csv", "", false},
		{"{date}", "2026-11-22", "2026-11-22", true},
		{"{date}*", "2026-11-22_v2.csv", "2026-11-22", true},
		{"*{date}*", "x2026-11-22y2026-11-23", "2026-11-22", true},
		{"*_{date}.csv", "x_2026-11-22_2026-11-23.csv", "2026-11-23", true},
		{"*{date}.csv", "2026-99-99 2026-11-22.csv", "2026-11-22", true},
		{"a?_{date}.csv", "aé_2026-11-22.csv", "2026-11-22", true},
		{"a?_{date}.csv", "a_2026-11-22.csv", "", false},
		{"*.csv", "anything.csv", "", true},
		{"*.csv", ".csv", "", false},
		{"?csv", ".csv", "", false},
		{".*", ".csv", "", true},
		{"a.csv", "a.csv", "", true},
		{"a.csv", "axcsv", "", false},
		{"[ab].csv", "a.csv", "", false},
		{"[ab].csv", "[ab].csv", "", true},
		{`a\*.csv`, `a\b.csv`, "", true},
		{"", "", "", true},
		{"", "a", "", false},
		{"**a**", "bab", "", true},
		{"a*", "b", "", false},
	} {
		date, ok := MatchName(tt.pattern, tt.name)
		if date != tt.date || ok != tt.ok {
			t.Errorf("%q of %q: %q, %v", tt.name, tt.pattern, date, ok)
		}
	}
}

// A server's name must not make matching slow.
func TestMatchNameIsNotExponential(t *testing.T) {
	pattern := strings.Repeat("*a", 100) + "{date}" + strings.Repeat("*a", 100) + "b"
	name := strings.Repeat("a", 2000) + "2026-11-22" + strings.Repeat("a", 2000)
	if _, ok := MatchName(pattern, name); ok {
		t.Error("matches")
	}
}

func FuzzMatchName(f *testing.F) {
	f.Add("a_{date}.csv", "a_2026-11-22.csv")
	f.Add("*{date}?", "x2026-11-22é")
	f.Add("**?*", "\xff\xfe")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 64 || len(name) > 64 {
			return
		}
		date, ok := MatchName(pattern, name)
		if want := slowMatch(pattern, name); ok != want {
			t.Fatalf("%q of %q: %v, want %v", name, pattern, ok, want)
		}
		if _, err := ParseDate(date); date != "" && (err != nil || !strings.Contains(name, date)) {
			t.Errorf("%q of %q: date %q", name, pattern, date)
		}
	})
}

// slowMatch tries everything, remembering what it tried.
func slowMatch(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && pattern != "" && strings.ContainsAny(pattern[:1], "*?") {
		return false
	}
	type state struct {
		pattern, name string
		dated         bool
	}
	tried := map[state]bool{}
	var match func(p, n string, dated bool) bool
	match = func(p, n string, dated bool) bool {
		s := state{p, n, dated}
		if known, ok := tried[s]; ok {
			return known
		}
		ok := false
		switch {
		case p == "":
			ok = n == ""
		case !dated && strings.HasPrefix(p, datePlace):
			if len(n) >= 10 {
				_, err := ParseDate(n[:10])
				ok = err == nil && match(p[len(datePlace):], n[10:], true)
			}
		case p[0] == '*':
			ok = match(p[1:], n, dated) || n != "" && match(p, n[firstWidth(n):], dated)
		case p[0] == '?':
			ok = n != "" && match(p[1:], n[firstWidth(n):], dated)
		default:
			ok = n != "" && p[0] == n[0] && match(p[1:], n[1:], dated)
		}
		tried[s] = ok
		return ok
	}
	return match(pattern, name, false)
}

func firstWidth(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}
