package formats

import (
	"regexp/syntax"
	"slices"
)

// digitMatcher is a regular expression over ASCII digits, compiled into a table: one step a digit, no memory. The patterns
// of telephone numbers are such, and there is one number for every row of a file.
type digitMatcher struct {
	next   [][10]int16 // next state of each state by digit; deadState ends it
	accept []bool
}

const (
	deadState = -1
	maxStates = 4096
)

// compileDigits compiles a pattern that must match a text as a whole. It returns nil for one that is no regular expression,
// looks at more than digits, or needs too large a table.
func compileDigits(pattern string) *digitMatcher {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil
	}
	c := &digitCompiler{prog: prog, states: map[string]int16{}}
	if _, ok := c.state([]uint32{uint32(prog.Start)}); !ok {
		return nil
	}
	for i := 0; i < len(c.sets); i++ {
		for d := range 10 {
			to, ok := c.step(c.sets[i], rune('0'+d))
			if !ok {
				return nil
			}
			c.m.next[i][d] = to
		}
	}
	return &c.m
}

// match reports whether the pattern matches all of a text.
func (m *digitMatcher) match(text string) bool {
	at := int16(0)
	for i := range len(text) {
		d := text[i] - '0'
		if d > 9 {
			return false
		}
		if at = m.next[at][d]; at == deadState {
			return false
		}
	}
	return m.accept[at]
}

// digitCompiler builds the table: a state is a set of places in the compiled expression (Thompson's construction).
type digitCompiler struct {
	prog   *syntax.Prog
	m      digitMatcher
	sets   [][]uint32
	states map[string]int16
}

// state returns the number of the state that a set of places, and all that can be reached from it without a digit, stands for.
func (c *digitCompiler) state(from []uint32) (int16, bool) {
	set, ok := c.closure(from)
	if !ok || len(c.sets) >= maxStates {
		return 0, false
	}
	key := make([]byte, 0, 4*len(set))
	for _, pc := range set {
		key = append(key, byte(pc), byte(pc>>8), byte(pc>>16), byte(pc>>24))
	}
	if s, known := c.states[string(key)]; known {
		return s, true
	}
	s := int16(len(c.sets))
	c.states[string(key)] = s
	c.sets = append(c.sets, set)
	c.m.next = append(c.m.next, [10]int16{})
	c.m.accept = append(c.m.accept, slices.ContainsFunc(set, func(pc uint32) bool { return c.prog.Inst[pc].Op == syntax.InstMatch }))
	return s, true
}

// closure follows what needs no digit. Assertions such as ^ are more than the table can hold.
func (c *digitCompiler) closure(from []uint32) ([]uint32, bool) {
	var set []uint32
	seen := map[uint32]bool{}
	for stack := slices.Clone(from); len(stack) > 0; {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch inst := &c.prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			stack = append(stack, inst.Out)
		case syntax.InstEmptyWidth:
			return nil, false
		case syntax.InstFail:
		default:
			set = append(set, pc)
		}
	}
	slices.Sort(set)
	return set, true
}

// step returns the state after one digit.
func (c *digitCompiler) step(set []uint32, digit rune) (int16, bool) {
	var to []uint32
	for _, pc := range set {
		if inst := &c.prog.Inst[pc]; inst.Op != syntax.InstMatch && inst.MatchRune(digit) {
			to = append(to, inst.Out)
		}
	}
	if len(to) == 0 {
		return deadState, true
	}
	return c.state(to)
}
