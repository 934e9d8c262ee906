package moment

import (
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Problem is what an error answer says of itself (RFC 9457), read leniently: a member that is missing or no text is
// empty, and so are all of them if the body is no JSON object.
type Problem struct {
	Type     string
	Title    string
	Detail   string
	Instance string
}

// readProblem reads an error body, which may be anything.
func readProblem(body []byte) Problem {
	var members map[string]jsontext.Value
	if json.Unmarshal(body, &members, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return Problem{}
	}
	member := func(name string) string {
		var text string
		if json.Unmarshal(members[name], &text, jsontext.AllowInvalidUTF8(true)) != nil {
			return ""
		}
		return text
	}
	return Problem{Type: member("type"), Title: member("title"), Detail: member("detail"), Instance: member("instance")}
}

// Fragment returns the part of the type that names the kind of problem: what follows the # or, without one, the last
// slash. Moment's host in the type is not to be relied on.
func (p Problem) Fragment() string {
	if i := strings.LastIndexAny(p.Type, "#/"); i >= 0 {
		return p.Type[i+1:]
	}
	return p.Type
}

// aboutKey reports whether the problem is one of the idempotency key.
func (p Problem) aboutKey() bool {
	return strings.Contains(strings.ToLower(p.Type+" "+p.Title+" "+p.Detail), "idempoten")
}

// maxProblem is how many characters of a problem a person is shown.
const maxProblem = 300

// String returns the problem in one line for people: at most 300 characters, none of them a control character.
func (p Problem) String() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if fragment := p.Fragment(); fragment != "" && text != "" {
		text = fragment + ": " + text
	} else if text == "" {
		text = fragment
	}
	return oneLine(text)
}

// oneLine makes a text that somebody else wrote fit to be shown in a line.
func oneLine(text string) string {
	var b strings.Builder
	shown := 0
	for _, r := range text {
		if shown++; shown > maxProblem {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
