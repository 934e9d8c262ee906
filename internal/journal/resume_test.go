package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tallyman/formats"
)

// reopen starts a writer the day after fill, appends a delivery, and ends it.
func reopen(t *testing.T, dir string, s Secret) {
	t.Helper()
	w := openWriter(t, dir, Options{Now: func() time.Time { return noon.AddDate(0, 0, 1) }})
	appendOne(t, w, signed(s, "msg_new", "x"))
	closeWriter(t, w)
}

func TestOpenMovesATornTailAside(t *testing.T) {
	for _, tail := range []string{"x", `{"seq":11,"rec`, "\x00\x00\x00", "\x00\x00\n\x00\n", "rubbish\n"} {
		t.Run(fmt.Sprintf("%q", tail), func(t *testing.T) {
			dir := t.TempDir()
			s := fill(t, dir, 10)
			addTail(t, dir, tail)
			reopen(t, dir, s)
			sound(t, dir, 11, s)
			aside, err := filepath.Glob(filepath.Join(dir, "*.torn-*"))
			if err != nil || len(aside) != 1 || string(readBytes(t, aside[0])) != tail {
				t.Errorf("aside %v %v", aside, err)
			}
		})
	}
}

func TestOpenAfterEveryTear(t *testing.T) {
	whole := t.TempDir()
	s := fill(t, whole, 4)
	page := readBytes(t, whole, pages[1]) // lines 3 and 4
	third := split(page)[0]
	for cut := len(third); cut < len(page); cut += 13 {
		dir := t.TempDir()
		writeBytes(t, readBytes(t, whole, pages[0]), dir, pages[0])
		writeBytes(t, page[:cut], dir, pages[1])
		// As after a kill: HEAD is behind, at line 2.
		hash := parse(t, bytes.TrimSpace(third)).Prev
		writeBytes(t, Witness{Seq: 2, Hash: hash}.text(), dir, "HEAD")
		reopen(t, dir, s)
		sound(t, dir, 4, s)
	}
}

func TestOpenKeepsALostEndInSight(t *testing.T) {
	dir := t.TempDir()
	s := fill(t, dir, 10)
	lost := split(readBytes(t, dir, pages[1]))[3:]
	cutEnd(t, dir, 2)
	reopen(t, dir, s)
	r := verify(t, dir, s)
	if describe(r.Damage) != "lost_lines 2026-11-23.jsonl:4" || r.Seq != 11 {
		t.Errorf("seq %d, damage %v", r.Seq, r.Damage)
	}
	// The lines come back from a backup, and all is well.
	l := split(readBytes(t, dir, pages[1]))
	l = append(l[:3:3], append(lost, l[3])...)
	writeBytes(t, bytes.Join(l, nil), dir, pages[1])
	sound(t, dir, 11, s)
}

func TestOpenKeepsAHeadThatContradicts(t *testing.T) {
	dir := t.TempDir()
	s := fill(t, dir, 10)
	rebuild(t, dir)
	reopen(t, dir, s)
	reopen(t, dir, s)
	r := verify(t, dir)
	kept, err := filepath.Glob(filepath.Join(dir, "HEAD.mismatch-*"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v %v", kept, err)
	}
	if want := fmt.Sprintf("head_mismatch %s:0", filepath.Base(kept[0])); describe(r.Damage) != want {
		t.Errorf("damage %s, want %s", describe(r.Damage), want)
	}
}

func TestOpenWithoutOrWithABrokenHead(t *testing.T) {
	for _, head := range []string{"", "{}", "\x00", `{"seq":-1,"hash":"` + strings.Repeat("0", 64) + `"}`} {
		dir := t.TempDir()
		s := fill(t, dir, 10)
		remove(t, dir, "HEAD")
		if head != "" {
			writeBytes(t, []byte(head), dir, "HEAD")
		}
		reopen(t, dir, s)
		r := verify(t, dir, s)
		if head == "" {
			sound(t, dir, 11, s)
		} else if len(r.Damage) != 1 || r.Damage[0].Kind != HeadUnreadable || !strings.HasPrefix(r.Damage[0].File, "HEAD.mismatch-") {
			t.Errorf("head %q: damage %v", head, r.Damage)
		}
	}
}

func TestOpenGoesOnBehindDamage(t *testing.T) {
	dir := t.TempDir()
	s := fill(t, dir, 10)
	editLine(t, dir, 1, "T12", "T13")
	reopen(t, dir, s)
	if r := verify(t, dir, s); describe(r.Damage) != "edited 2026-11-23.jsonl:2" || r.Seq != 11 {
		t.Errorf("seq %d, damage %v", r.Seq, r.Damage)
	}
}

func TestOpenSweepsUpAfterAKilledHead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	s := fill(t, dir, 2)
	writeBytes(t, []byte("x"), dir, ".HEAD12345")
	reopen(t, dir, s)
	checkModes(t, dir)
	sound(t, dir, 3, s)
}

func TestOpenLongAfterTheLastEvent(t *testing.T) {
	dir := t.TempDir()
	s := fill(t, dir, 10)
	writeBytes(t, nil, dir, "2026-12-24.jsonl") // created, and killed before the first line
	later := func() time.Time { return noon.AddDate(0, 2, 0) }
	w := openWriter(t, dir, Options{Now: later})
	appendOne(t, w, signed(s, "msg_new", "x"))
	closeWriter(t, w)
	sound(t, dir, 11, s)
	if b := readBytes(t, dir, "2027-01-22.jsonl"); bytes.Count(b, []byte("\n")) != 1 {
		t.Errorf("new segment: %s", b)
	}
}

func TestOpenBehindASealedSegment(t *testing.T) {
	dir := t.TempDir()
	s := fill(t, dir, 10)
	seal(t, filepath.Join(dir, pages[1]))
	reopen(t, dir, s)
	sound(t, dir, 11, s)
	if _, err := os.Stat(filepath.Join(dir, "2026-11-23_02.jsonl")); err != nil {
		t.Error(err)
	}
}

// TestMemory holds a memory against a list: it knows the last so many, and no
// others.
func TestMemory(t *testing.T) {
	for _, room := range []int{1, 2, 7, 1000, smallRoom + 1000} {
		m := newMemory(room)
		const count = 3*smallRoom + 5
		for n := range count {
			p := pairOf(fmt.Sprint(n), nil)
			if m.knows(p) {
				t.Fatalf("room %d: %d is known before it came", room, n)
			}
			m.add(p)
			m.add(p) // again: it takes no room
			if n < count-3 && n%5000 != 0 {
				continue
			}
			for back := range min(n+1, 2*room) {
				if known, want := m.knows(pairOf(fmt.Sprint(n-back), nil)), back < room; known != want {
					t.Fatalf("room %d: %d of %d is known: %v, want %v", room, n-back, n, known, want)
				}
			}
		}
		taken := 0
		for _, slot := range m.slots {
			if slot != 0 {
				taken++
			}
		}
		if len(m.ring) != room || taken != room {
			t.Errorf("room %d: %d pairs in %d slots", room, len(m.ring), taken)
		}
	}
	if pairOf("ab", []byte("c")) == pairOf("a", []byte("bc")) {
		t.Error("id and body run together")
	}
}

// FuzzReadHead takes a head file only if it is one that the writer writes.
func FuzzReadHead(f *testing.F) {
	f.Add(Witness{Hash: formats.JournalGenesis}.text())
	f.Add(Witness{Seq: 7, Hash: strings.Repeat("ab", 32)}.text())
	for _, seed := range []string{"", "{}", `{"seq":1,"hash":""}`, `{"seq":-1,"hash":"` + formats.JournalGenesis + "\"}\n", "null\n", "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), headName)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := readHead(path)
		switch {
		case err != nil && !errors.Is(err, errHeadUnreadable):
			t.Fatal(err)
		case err == nil && (!bytes.Equal(w.text(), text) || w.Seq < 0 || !isHash(w.Hash)):
			t.Fatalf("%q was read as %+v", text, w)
		}
	})
}
