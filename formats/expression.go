package formats

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// expression makes the text of one target field from the cells of a row: a single column, a constant, or a template of
// both. Nothing is trimmed, padded or changed in case unless a column's rules say so.
type expression struct {
	parts []part
}

// part is a literal text, or a column with the rules that apply to its cells.
type part struct {
	literal string
	column  string
	rules   []columnRule
	cell    int // of a column: where its cells stand in a row, set once the header is known
}

// columnRule changes a cell as the configuration asks. A rule word says that the cell cannot be read so.
type columnRule func(cell string) (text, word, remedy string)

// parseExpression reads "column", "=constant" or "text {column} {column|rule|rule:argument}".
func parseExpression(text string) (*expression, error) {
	if text == "" {
		return nil, errors.New("names no column")
	}
	if constant, ok := strings.CutPrefix(text, "="); ok {
		if constant == "" {
			return nil, errors.New("is a constant without a value")
		}
		return &expression{parts: []part{{literal: constant}}}, nil
	}
	if !strings.ContainsAny(text, "{}") {
		return &expression{parts: []part{{column: text}}}, nil
	}
	e := &expression{}
	for text != "" {
		literal, rest, open := strings.Cut(text, "{")
		if strings.Contains(literal, "}") {
			return nil, errors.New("has a brace without its other half")
		}
		if literal != "" {
			e.parts = append(e.parts, part{literal: literal})
		}
		if !open {
			break
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed || strings.Contains(inner, "{") {
			return nil, errors.New("has a brace without its other half")
		}
		p, err := parseColumn(inner)
		if err != nil {
			return nil, err
		}
		e.parts, text = append(e.parts, p), after
	}
	return e, nil
}

// parseColumn reads what stands in braces: a column's name and its rules.
func parseColumn(text string) (part, error) {
	words := strings.Split(text, "|")
	p := part{column: strings.TrimSpace(words[0])}
	if p.column == "" {
		return p, errors.New("has braces without a column's name")
	}
	for _, word := range words[1:] {
		rule, err := parseRule(strings.TrimSpace(word))
		if err != nil {
			return p, err
		}
		p.rules = append(p.rules, rule)
	}
	return p, nil
}

func parseRule(text string) (columnRule, error) {
	name, argument, _ := strings.Cut(text, ":")
	switch {
	case text == "trim":
		return plainRule(strings.TrimSpace), nil
	case text == "upper":
		return plainRule(strings.ToUpper), nil
	case text == "lower":
		return plainRule(strings.ToLower), nil
	case name == "pad":
		width, err := strconv.Atoi(argument)
		if err != nil || width < 1 || width > MaxReference {
			return nil, fmt.Errorf("has the rule %q: write pad: and how many digits there must be, such as pad:10", text)
		}
		return plainRule(func(cell string) string { return padDigits(cell, width) }), nil
	case name == "date":
		layout, err := parseDateLayout(argument)
		if err != nil {
			return nil, err
		}
		return layout.rule, nil
	}
	return nil, fmt.Errorf("has the rule %q: known are trim, upper, lower, pad:N and date:LAYOUT", text)
}

func plainRule(f func(string) string) columnRule {
	return func(cell string) (text, word, remedy string) { return f(cell), "", "" }
}

// padDigits puts zeros before a number that has fewer digits than it should; any other text stays as it is.
func padDigits(cell string, width int) string {
	if !allDigits(cell) || len(cell) >= width {
		return cell
	}
	return strings.Repeat("0", width-len(cell)) + cell
}

// single reports whether the expression is one column as it comes.
func (e *expression) single() bool {
	return len(e.parts) == 1 && e.parts[0].column != "" && len(e.parts[0].rules) == 0
}

// constant reports whether the expression reads no column.
func (e *expression) constant() bool {
	for _, p := range e.parts {
		if p.column != "" {
			return false
		}
	}
	return true
}

// text makes the text from a row's cells. Columns that are empty take the blank space that parts them along; if all of
// them are empty, so is the text, since an empty cell says nothing. complete is false if any of them is empty.
func (e *expression) text(cells []string) (text string, complete bool, word, remedy string) {
	if e.constant() {
		return e.parts[0].literal, true, "", ""
	}
	var room [128]byte
	out := room[:0]
	pending, said := "", false
	complete, skipped := true, false // skipped: the column before was empty
	for _, p := range e.parts {
		if p.column == "" {
			if !skipped || strings.TrimSpace(p.literal) != "" {
				pending += p.literal
			}
			continue
		}
		cell := cells[p.cell]
		for _, rule := range p.rules {
			if cell == "" {
				break
			}
			if cell, word, remedy = rule(cell); word != "" {
				return cells[p.cell], true, word, remedy
			}
		}
		if skipped = cell == ""; skipped {
			complete = false
			continue
		}
		if said || strings.TrimSpace(pending) != "" {
			out = append(out, pending...)
		}
		out = append(out, cell...)
		pending, said = "", true
	}
	if !said {
		return "", complete, "", ""
	}
	if complete || strings.TrimSpace(pending) != "" {
		out = append(out, pending...)
	}
	return string(out), complete, "", ""
}
