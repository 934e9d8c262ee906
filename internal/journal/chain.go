package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"tallyman/formats"
)

// chain follows the hash chain of one journal, line by line, in constant
// memory. A changed line shows only in the next one, whose prev no longer fits,
// and a changed prev shows in its own line and in the next: so a line that does
// not fit is a suspect until the line behind it says which of the two it was.
type chain struct {
	damage  *findings
	notices *findings

	excerpt bool // only the youngest segments are read

	started bool
	first   int64             // number of the first line
	seq     int64             // number of the last line that was accepted
	hash    [sha256.Size]byte // of that line
	at      position          // of that line

	suspect   position // a line whose prev did not fit; at is its own place
	before    position // the line before the suspect
	explained bool     // the last line is known to be changed: that the next does not fit is no news
	blind     int64    // lines since the last accepted one that could not be read
	blindAt   position // the first of them
	gap       gap
	edited    map[position]bool // lines already named, so that no witness names them again
	seen      []sighting
}

// gap is the last stretch of missing lines, kept in case one of them turns up.
type gap struct {
	from, to int64
	finding  int
}

// sighting is a witness and what was found in its place.
type sighting struct {
	Witness
	met bool // the line with that number came by
	fit bool // and had that hash
	at  position
}

func newChain(damage, notices *findings, witnesses []Witness) *chain {
	c := &chain{damage: damage, notices: notices, edited: make(map[position]bool)}
	for _, w := range witnesses {
		c.seen = append(c.seen, sighting{Witness: w})
	}
	return c
}

// add takes the next record of the chain, standing at at with the hash sum.
func (c *chain) add(r *formats.JournalRecord, sum [sha256.Size]byte, at position) {
	var prev [sha256.Size]byte
	_, _ = hex.Decode(prev[:], []byte(r.Prev)) // ParseJournalLine has checked it
	seq := r.Seq
	genesis := prev == [sha256.Size]byte{}
	switch {
	case !c.started:
		seq = c.start(seq, genesis, at)
	case seq == 1 && genesis:
		c.damage.add(Swapped, at, "another journal begins here: keep every journal in its own directory")
		c.suspect, c.explained = position{}, false
	case c.blind > 0:
		if !c.afterBlind(seq, at) {
			return
		}
	default:
		var ok bool
		if seq, ok = c.follow(seq, prev, at); !ok {
			return
		}
	}
	c.blind = 0
	c.seq, c.hash, c.at = seq, sum, at
	c.witness()
}

// start takes the first line of all and returns the number it has in the chain.
func (c *chain) start(seq int64, genesis bool, at position) int64 {
	switch {
	case c.blind > 0: // the line before is named already
	case (seq == 1) != genesis:
		c.name(at, "the first line of a journal has the number 1 and a prev of zeros, and no other has")
		c.explained = true
		if genesis {
			seq = 1
		}
	case seq > 1:
		c.notices.add(StartsLate, at, "the journal begins with line number %d; older segments are not here", seq)
	}
	c.started, c.first = true, seq
	return seq
}

// afterBlind takes the line behind one that could not be read: nothing binds it
// but its number.
func (c *chain) afterBlind(seq int64, at position) bool {
	if seq <= c.seq {
		c.damage.add(Swapped, at, "line number %d stands behind line number %d", seq, c.seq)
		return false
	}
	c.explained = false
	return true
}

// follow checks a line against the one before it. It returns the number the
// line has in the chain, and false if the line stands outside of it.
func (c *chain) follow(seq int64, prev [sha256.Size]byte, at position) (int64, bool) {
	link, next := prev == c.hash, seq == c.seq+1
	if link {
		c.clear("the next line was written behind another text")
		c.explained = false
		if !next {
			c.name(at, "the line says number %d and follows number %d", seq, c.seq)
			c.explained = true
		}
		return c.seq + 1, true
	}
	switch {
	case next && c.explained:
		c.explained = false
	case next && c.suspect.known():
		c.name(c.suspect, "neither the line before nor the line behind fits")
		c.suspect = position{}
	case next:
		c.suspect, c.before = at, c.at
	case seq > c.seq+1:
		c.clear("the next line was written behind another text")
		c.explained = false
		c.gap = gap{c.seq + 1, seq - 1, len(c.damage.list)}
		c.damage.add(LostLines, at, "lines number %d to %d are missing before this one: look for them in a backup", c.gap.from, c.gap.to)
	default:
		c.outOfOrder(seq, at)
		return 0, false
	}
	return seq, true
}

// outOfOrder names a line with a number that was already passed.
func (c *chain) outOfOrder(seq int64, at position) {
	if c.gap.from == seq && c.gap.to == seq && c.gap.finding < len(c.damage.list) {
		c.damage.list[c.gap.finding].Kind = Swapped
		c.damage.list[c.gap.finding].Detail = "this line and line " + at.text() + " stand in each other's place"
		c.gap = gap{}
		return
	}
	c.damage.add(Swapped, at, "line number %d stands behind line number %d", seq, c.seq)
}

// clear settles a suspect that turned out to be whole: the line before it is
// the changed one.
func (c *chain) clear(detail string) {
	if c.suspect.known() {
		c.name(c.before, "%s", detail)
		c.suspect = position{}
	}
}

// name reports a changed line.
func (c *chain) name(at position, format string, args ...any) {
	c.damage.add(Edited, at, format, args...)
	if len(c.edited) < maxFindings {
		c.edited[at] = true
	}
}

// unreadable takes a line that is no record of the chain.
func (c *chain) unreadable(at position) {
	c.clear("it and the next line do not fit")
	if c.blind == 0 {
		c.blindAt = at
	}
	c.blind++
	c.explained = false
}

// witness compares the line just accepted with what is known of it.
func (c *chain) witness() {
	for i := range c.seen {
		s := &c.seen[i]
		if s.Seq == c.seq {
			var hash [sha256.Size]byte
			_, _ = hex.Decode(hash[:], []byte(s.Hash)) // readHead has checked it
			s.met, s.fit, s.at = true, bytes.Equal(hash[:], c.hash[:]), c.at
		}
	}
}

// finish settles what the last line left open and asks the witnesses.
func (c *chain) finish() {
	if c.suspect.known() {
		last := c.suspect
		for _, s := range c.seen {
			if s.met && s.at == last && !s.fit {
				c.name(last, "%s knows another text of it", s.Source)
				c.suspect = position{}
			}
		}
		c.clear("the next line was written behind another text, or was changed itself")
	}
	for _, s := range c.seen {
		c.judge(s)
	}
}

func (c *chain) judge(s sighting) {
	at := position{file: s.Source}
	switch {
	case s.Seq == 0 || s.fit || c.edited[s.at] && s.met:
	case s.met && s.at == c.at:
		c.name(c.at, "%s knows another text of this line; if the chain was built anew, earlier lines may be changed too", s.Source)
	case s.met:
		c.damage.add(HeadMismatch, at, "it knows another text of line number %d (%s)", s.Seq, s.at.text())
	case !c.started || s.Seq > c.seq+c.blind:
		c.damage.add(TailLost, at, "the journal went on to line number %d and ends with %d: look for the rest in a backup", s.Seq, c.seq)
	case s.Seq < c.first && !c.excerpt && s.ofHead():
		c.damage.add(HeadMismatch, at, "it stands at line number %d, before the first line here", s.Seq)
	}
}

// expectsMore reports whether a witness knows lines behind the last one.
func (c *chain) expectsMore() bool {
	for _, s := range c.seen {
		if s.Seq > c.seq {
			return true
		}
	}
	return false
}

// end returns number and hash of the last line.
func (c *chain) end() (int64, string) {
	if !c.started {
		return 0, ""
	}
	return c.seq, hex.EncodeToString(c.hash[:])
}
