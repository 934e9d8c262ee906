package config

import (
	"strings"
	"unicode/utf8"
)

// datePlace stands for the business date in a pattern.
const datePlace = "{date}"

// MatchName reports whether a file's base name fits an inbox.pattern, and the
// business date in it: {date} is a real date as YYYY-MM-DD, * any characters
// and ? any one, as in a shell; all else stands for itself. As in a shell too,
// neither * nor ? stands for a dot at the beginning. Where a name could be read
// as several dates, the first counts. The date is empty if the pattern has no
// {date}.
func MatchName(pattern, name string) (date string, ok bool) {
	if strings.HasPrefix(name, ".") && (strings.HasPrefix(pattern, "*") || strings.HasPrefix(pattern, "?")) {
		return "", false
	}
	before, after, dated := strings.Cut(pattern, datePlace)
	if !dated {
		return "", matchWild(pattern, name)
	}
	for i := 0; i+len(dateLayout) <= len(name); i++ {
		date = name[i : i+len(dateLayout)]
		if _, err := ParseDate(date); err != nil {
			continue
		}
		if matchWild(before, name[:i]) && matchWild(after, name[i+len(dateLayout):]) {
			return date, true
		}
	}
	return "", false
}

// matchWild matches * and ? without recursion: a pattern cannot make it slow,
// names being what a server says.
func matchWild(pattern, name string) bool {
	star, resume := -1, 0
	p, n := 0, 0
	for n < len(name) {
		_, width := utf8.DecodeRuneInString(name[n:])
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, n
			p++
		case p < len(pattern) && pattern[p] == '?':
			p, n = p+1, n+width
		case p < len(pattern) && pattern[p] == name[n]:
			p, n = p+1, n+1
		case star >= 0:
			_, skip := utf8.DecodeRuneInString(name[resume:])
			resume += skip
			p, n = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
