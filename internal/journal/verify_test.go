package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tallyman/formats"
)

// pages are the two segments that fill makes.
var pages = []string{"2026-11-22.jsonl", "2026-11-23.jsonl"}

// split returns the lines of a segment with their newlines.
func split(b []byte) [][]byte { return slices.DeleteFunc(bytes.SplitAfter(b, []byte("\n")), isEmpty) }

func isEmpty(b []byte) bool { return len(b) == 0 }

func TestVerifyNamesTheDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(l [][]byte) [][]byte // of the first segment, lines 1 to 5
		want   string
	}{
		{"nothing", func(l [][]byte) [][]byte { return l }, ""},
		{
			"a body", func(l [][]byte) [][]byte { l[1] = bytes.Replace(l[1], []byte("evt"), []byte("exp"), 1); return l },
			"bad_signature 2026-11-22.jsonl:2, edited 2026-11-22.jsonl:2",
		},
		{
			"a time of receipt", func(l [][]byte) [][]byte { l[2] = bytes.Replace(l[2], []byte("T12"), []byte("T13"), 1); return l },
			"edited 2026-11-22.jsonl:3",
		},
		{
			"a time of receipt on the last line of a segment", func(l [][]byte) [][]byte { l[4] = bytes.Replace(l[4], []byte("T12"), []byte("T13"), 1); return l },
			"edited 2026-11-22.jsonl:5",
		},
		{
			"a prev", func(l [][]byte) [][]byte {
				l[2] = bytes.Replace(l[2], []byte(`"prev":"`), []byte(`"prev":"0`), 1)[:len(l[2])]
				return l
			},
			"unparsable 2026-11-22.jsonl:3",
		},
		{"a digit of a prev", func(l [][]byte) [][]byte {
			i := bytes.Index(l[2], []byte(`"prev":"`)) + 8
			l[2][i] = "0123456789abcdef0"[strings.IndexByte("0123456789abcdef", l[2][i])+1]
			return l
		}, "edited 2026-11-22.jsonl:3"},
		{
			"a seq", func(l [][]byte) [][]byte {
				l[2] = bytes.Replace(l[2], []byte(`"seq":3`), []byte(`"seq":7`), 1)
				return l
			},
			"edited 2026-11-22.jsonl:3",
		},
		{
			"the first seq", func(l [][]byte) [][]byte {
				l[0] = bytes.Replace(l[0], []byte(`"seq":1`), []byte(`"seq":7`), 1)
				return l
			},
			"edited 2026-11-22.jsonl:1",
		},
		{
			"an extra space", func(l [][]byte) [][]byte { l[0] = bytes.Replace(l[0], []byte(`,`), []byte(`, `), 1); return l },
			"edited 2026-11-22.jsonl:1",
		},
		{"a line gone", func(l [][]byte) [][]byte { return slices.Delete(l, 1, 2) }, "lost_lines 2026-11-22.jsonl:2"},
		{"three lines gone", func(l [][]byte) [][]byte { return slices.Delete(l, 1, 4) }, "lost_lines 2026-11-22.jsonl:2"},
		{"the end of a segment gone", func(l [][]byte) [][]byte { return l[:3] }, "lost_lines 2026-11-23.jsonl:1"},
		{"two lines swapped", func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l }, "swapped 2026-11-22.jsonl:2"},
		{"a line moved down", func(l [][]byte) [][]byte { return [][]byte{l[0], l[2], l[3], l[1], l[4]} }, "swapped 2026-11-22.jsonl:2"},
		{"a line twice", func(l [][]byte) [][]byte { return slices.Insert(l, 2, l[1]) }, "swapped 2026-11-22.jsonl:3"},
		{"a line of rubbish", func(l [][]byte) [][]byte { l[2] = []byte("rubbish\n"); return l }, "unparsable 2026-11-22.jsonl:3"},
		{"a line put in", func(l [][]byte) [][]byte { return slices.Insert(l, 2, []byte("{\"type\":\"t\"}\n")) }, "unparsable 2026-11-22.jsonl:3"},
		{"an empty line put in", func(l [][]byte) [][]byte { return slices.Insert(l, 2, []byte("\n")) }, "unparsable 2026-11-22.jsonl:3"},
		{"the first lines gone", func(l [][]byte) [][]byte { return l[2:] }, ""},
		{"an end without newline", func(l [][]byte) [][]byte { l[4] = l[4][:20]; return l }, "unparsable 2026-11-22.jsonl:5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := fill(t, dir, 10)
			changed := c.change(split(readBytes(t, dir, pages[0])))
			writeBytes(t, bytes.Join(changed, nil), dir, pages[0])
			r := verify(t, dir, s)
			if got := describe(r.Damage); got != c.want {
				t.Errorf("damage %s\nwant   %s\n%v", got, c.want, r.Damage)
			}
			if starts := c.name == "the first lines gone"; starts != (describe(r.Notices) == "starts_late 2026-11-22.jsonl:1") {
				t.Errorf("notices %v", r.Notices)
			}
			if int64(len(r.Damage)) != r.DamageCount {
				t.Errorf("%d of %d", len(r.Damage), r.DamageCount)
			}
		})
	}
}

func TestVerifyKnowsTheEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string)
		want   string
	}{
		{"last line gone", func(t *testing.T, dir string) { cutEnd(t, dir, 1) }, "tail_lost HEAD:0"},
		{"last segment gone", func(t *testing.T, dir string) { remove(t, dir, pages[1]) }, "tail_lost HEAD:0"},
		{"everything gone", func(t *testing.T, dir string) { remove(t, dir, pages[0]); remove(t, dir, pages[1]) }, "tail_lost HEAD:0"},
		{"last line edited", func(t *testing.T, dir string) { editLast(t, dir, "T12", "T13") }, "edited 2026-11-23.jsonl:5"},
		{"last line but one edited", func(t *testing.T, dir string) { editLine(t, dir, 3, "T12", "T13") }, "edited 2026-11-23.jsonl:4"},
		{"prev of the last line edited", func(t *testing.T, dir string) { editLast(t, dir, `"prev":"`, `"prev":"`+"\x01") }, "edited 2026-11-23.jsonl:5"},
		{"torn in the last line", func(t *testing.T, dir string) { tear(t, dir, 10) }, "torn_tail 2026-11-23.jsonl:5, tail_lost HEAD:0"},
		{"only the newline torn off", func(t *testing.T, dir string) { tear(t, dir, 1) }, "torn_tail 2026-11-23.jsonl:5, tail_lost HEAD:0"},
		{"half a line more", func(t *testing.T, dir string) { addTail(t, dir, `{"seq":11,"rec`) }, "torn_tail 2026-11-23.jsonl:6"},
		{"blocks out of order", func(t *testing.T, dir string) { addTail(t, dir, "\x00\x00\x00\x00\n\x00") }, "torn_tail 2026-11-23.jsonl:6"},
		{"rubbish instead of the last line", func(t *testing.T, dir string) { cutEnd(t, dir, 1); addTail(t, dir, "rubbish\n") }, "unparsable 2026-11-23.jsonl:5"},
		{"no head", func(t *testing.T, dir string) { remove(t, dir, "HEAD") }, "head_missing HEAD:0"},
		{"no sense in the head", func(t *testing.T, dir string) { writeBytes(t, []byte("{}"), dir, "HEAD") }, "head_unreadable HEAD:0"},
		{"another head", func(t *testing.T, dir string) {
			writeBytes(t, Witness{Seq: 4, Hash: strings.Repeat("a", 64)}.text(), dir, "HEAD")
		}, "head_mismatch HEAD:0"},
		{"a head behind", func(t *testing.T, dir string) {
			hash := sha256.Sum256(bytes.TrimSpace(split(readBytes(t, dir, pages[0]))[3]))
			writeBytes(t, Witness{Seq: 4, Hash: hex.EncodeToString(hash[:])}.text(), dir, "HEAD")
		}, ""},
		{"the chain built anew", rebuild, "edited 2026-11-23.jsonl:5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, 10)
			c.change(t, dir)
			r := verify(t, dir)
			got := describe(r.Damage)
			if strings.HasPrefix(c.name, "prev of") {
				got = strings.Replace(got, "unparsable", "edited", 1)
			}
			if got != c.want {
				t.Errorf("damage %s\nwant   %s\n%v", got, c.want, r.Damage)
			}
		})
	}
}

// What an earlier report knows of the end finds what was cut off together with HEAD. It may be older than the oldest
// segment here, and than the end.
func TestVerifyKnowsWhatAReportKnew(t *testing.T) {
	zeros := strings.Repeat("0", 64)
	for _, c := range []struct {
		name   string
		known  int64
		hash   string // empty: the line's own
		change func(t *testing.T, dir string)
		want   string
	}{
		{"whole", 10, "", func(*testing.T, string) {}, ""},
		{"grown since", 4, "", func(*testing.T, string) {}, ""},
		{"last line gone, and HEAD", 10, "", func(t *testing.T, dir string) { cutEnd(t, dir, 1); remove(t, dir, "HEAD") }, "head_missing HEAD:0, tail_lost report:0"},
		{"lines gone that it did not know", 9, "", func(t *testing.T, dir string) { cutEnd(t, dir, 1); remove(t, dir, "HEAD") }, "head_missing HEAD:0"},
		{"another line", 4, zeros, func(*testing.T, string) {}, "head_mismatch report:0"},
		{"older segments archived", 4, "", func(t *testing.T, dir string) { remove(t, dir, pages[0]) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, 10)
			known := Witness{Seq: c.known, Hash: c.hash, Source: "report"}
			if known.Hash == "" {
				lines := append(split(readBytes(t, dir, pages[0])), split(readBytes(t, dir, pages[1]))...)
				hash := sha256.Sum256(bytes.TrimSpace(lines[c.known-1]))
				known.Hash = hex.EncodeToString(hash[:])
			}
			c.change(t, dir)
			r, err := Verify(t.Context(), dir, nil, known)
			if got := describe(r.Damage); err != nil || got != c.want {
				t.Errorf("damage %s, %v\nwant   %s", got, err, c.want)
			}
			s, err := ReadBatches(t.Context(), dir, Work{Ours: true, Known: []Witness{known}, Take: func(b *Batch) error { b.Release(); return nil }})
			if got := describe(s.Damage); err != nil || got != c.want {
				t.Errorf("read by the batch: damage %s, %v\nwant   %s", got, err, c.want)
			}
		})
	}
}

func remove(t *testing.T, elem ...string) {
	t.Helper()
	if err := os.Remove(filepath.Join(elem...)); err != nil {
		t.Fatal(err)
	}
}

func cutEnd(t *testing.T, dir string, count int) {
	t.Helper()
	l := split(readBytes(t, dir, pages[1]))
	writeBytes(t, bytes.Join(l[:len(l)-count], nil), dir, pages[1])
}

func editLast(t *testing.T, dir, from, to string) { t.Helper(); editLine(t, dir, 4, from, to) }

func editLine(t *testing.T, dir string, n int, from, to string) {
	t.Helper()
	l := split(readBytes(t, dir, pages[1]))
	if !bytes.Contains(l[n], []byte(from)) {
		t.Fatalf("%s has no %s", l[n], from)
	}
	l[n] = bytes.Replace(l[n], []byte(from), []byte(to), 1)
	writeBytes(t, bytes.Join(l, nil), dir, pages[1])
}

func tear(t *testing.T, dir string, bytes int) {
	t.Helper()
	b := readBytes(t, dir, pages[1])
	writeBytes(t, b[:len(b)-bytes], dir, pages[1])
}

func addTail(t *testing.T, dir, tail string) {
	t.Helper()
	writeBytes(t, append(readBytes(t, dir, pages[1]), tail...), dir, pages[1])
}

// rebuild edits a line and forges all that follows it but HEAD.
func rebuild(t *testing.T, dir string) {
	t.Helper()
	prev := ""
	for i, page := range pages {
		l := split(readBytes(t, dir, page))
		for j := range l {
			r := parse(t, bytes.TrimSuffix(l[j], []byte("\n")))
			if i == 0 && j == 2 {
				r.Body = []byte("forged")
			}
			if prev != "" {
				r.Prev = prev
			}
			line := r.AppendLine(nil)
			hash := sha256.Sum256(line)
			prev = hex.EncodeToString(hash[:])
			l[j] = append(line, '\n')
		}
		writeBytes(t, bytes.Join(l, nil), dir, page)
	}
}

// TestVerifyFindsEveryFlippedByte changes each byte of a journal of 50 lines in
// turn, in one bit or another, HEAD included, and expects Verify to see it and
// to say where.
func TestVerifyFindsEveryFlippedByte(t *testing.T) {
	dir := t.TempDir()
	s := fill(t, dir, 50)
	sound(t, dir, 50, s)
	for _, page := range append(pages, headName) {
		flipEach(t, dir, page, func(i int, whole, changed []byte) {
			r := verify(t, dir) // without the secret: the chain alone
			if r.DamageCount == 0 {
				t.Fatalf("%s: byte %d (%q to %q) is not found", page, i, whole[i], changed[i])
			}
			line := int64(bytes.Count(whole[:i], []byte("\n")) + 1)
			if page != headName && !slices.ContainsFunc(r.Damage, func(f Finding) bool { return f.File == page && f.Line >= line-1 && f.Line <= line+1 }) {
				t.Fatalf("%s: byte %d is in line %d, and the damage is said to be %v", page, i, line, r.Damage)
			}
		})
	}
	sound(t, dir, 50, s)
}

// flipEach changes one byte of a file after the other.
func flipEach(t *testing.T, dir, name string, look func(i int, whole, changed []byte)) {
	t.Helper()
	whole := readBytes(t, dir, name)
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(whole); i += step {
		changed := bytes.Clone(whole)
		changed[i] ^= 1 << (i % 8)
		writeBytes(t, changed, dir, name)
		look(i, whole, changed)
	}
	writeBytes(t, whole, dir, name)
}

// TestVerifyFindsFlippedBytesInASealedSegment does the same to a compressed
// segment. A bit of a frame that means nothing may change, but no line may.
func TestVerifyFindsFlippedBytesInASealedSegment(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 50)
	before, _ := lines(t, dir)
	sealAll(t, dir)
	flipEach(t, dir, pages[0]+sealedSuffix, func(i int, _, _ []byte) {
		if verify(t, dir).DamageCount > 0 {
			return
		}
		after, _ := lines(t, dir)
		if !slices.EqualFunc(before, after, func(a, b Line) bool { return bytes.Equal(a.Raw, b.Raw) }) {
			t.Fatalf("byte %d changes a line, and is not found", i)
		}
	})
}

func TestVerifyCountsSignatures(t *testing.T) {
	dir := t.TempDir()
	s := fill(t, dir, 10)
	if r := verify(t, dir, testSecret(t, 5)); r.Unverified != 10 || r.Verified+r.Failed != 0 || r.DamageCount != 0 {
		t.Errorf("with another secret: %+v", r)
	}
	rebuild(t, dir)
	r := verify(t, dir, testSecret(t, 5), s)
	if r.Verified != 9 || r.Failed != 1 || describe(r.Damage) != "bad_signature 2026-11-22.jsonl:3, edited 2026-11-23.jsonl:5" {
		t.Errorf("forged: %d verified, %d failed, %v", r.Verified, r.Failed, r.Damage)
	}
}

func TestDamageIsBounded(t *testing.T) {
	dir := t.TempDir()
	writeBytes(t, Witness{Hash: formats.JournalGenesis}.text(), dir, "HEAD")
	first := formats.JournalRecord{Seq: 1, Prev: formats.JournalGenesis, Body: []byte("{}")}
	all := append(first.AppendLine(nil), '\n')
	all = append(all, strings.Repeat("rubbish\n", 3*maxFindings)...)
	first.Seq = 2
	all = append(append(all, first.AppendLine(nil)...), '\n')
	writeBytes(t, all, dir, pages[0])
	r := verify(t, dir)
	if len(r.Damage) != maxFindings || r.DamageCount != 3*maxFindings {
		t.Errorf("%d listed, %d counted", len(r.Damage), r.DamageCount)
	}
}

func TestRepairMovesATornTailAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	s := fill(t, dir, 10)
	before := readBytes(t, dir, pages[1])
	addTail(t, dir, `{"seq":11,"rec`)
	r, err := Repair(t.Context(), dir, noon, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	want := Repaired{File: pages[1], Aside: pages[1] + ".torn-20261122T120000.123456Z", Bytes: 14}
	if r != want {
		t.Errorf("repaired %+v, want %+v", r, want)
	}
	if got := readBytes(t, dir, pages[1]); !bytes.Equal(got, before) {
		t.Error("the segment is not what it was")
	}
	if got := string(readBytes(t, dir, r.Aside)); got != `{"seq":11,"rec` {
		t.Errorf("moved %q", got)
	}
	sound(t, dir, 10, s)

	editLine(t, dir, 1, "T12", "T13")
	damaged := readBytes(t, dir, pages[1])
	if r, err := Repair(t.Context(), dir, noon, testLog(t)); err != nil || r != (Repaired{}) {
		t.Errorf("repaired %+v, %v", r, err)
	}
	if !bytes.Equal(readBytes(t, dir, pages[1]), damaged) {
		t.Error("an edited line was touched")
	}
}

func TestVerifyWhileWriting(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, Options{})
	s := testSecret(t, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 300 {
			appendOne(t, w, signed(s, fmt.Sprint("msg_", i), "x"))
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if r := verify(t, dir, s); r.DamageCount != 0 {
			t.Fatalf("damage %v", r.Damage)
		}
	}
	// A line that is just being written is no torn tail as long as the writer lives.
	addFile(t, filepath.Join(dir, pages[0]), `{"seq":301,`)
	if r := verify(t, dir, s); r.DamageCount != 0 || describe(r.Notices) != "being_written 2026-11-22.jsonl:301" {
		t.Errorf("damage %v, notices %v", r.Damage, r.Notices)
	}
	closeWriter(t, w)
	if r := verify(t, dir, s); describe(r.Damage) != "torn_tail 2026-11-22.jsonl:301" {
		t.Errorf("damage %v", r.Damage)
	}
}

func addFile(t *testing.T, path, text string) {
	t.Helper()
	writeBytes(t, append(readBytes(t, path), text...), path)
}
