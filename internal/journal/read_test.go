package journal

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"tallyman/formats"
)

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(b, nil)
}

// seal replaces a segment by its compressed form.
func seal(t testing.TB, path string) {
	t.Helper()
	writeBytes(t, zstandard(t, readBytes(t, path)), path+".zst")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func bodies(all []Line) string {
	var out []string
	for _, l := range all {
		out = append(out, l.Ref()+"="+string(l.Record.Body))
	}
	return strings.Join(out, " ")
}

func TestReadADirectoryOfOthers(t *testing.T) {
	dir := t.TempDir()
	writeBytes(t, []byte("{\"id\":\"b\"}\n\n \r\n{\"id\":\"c\"}"), dir, "b.jsonl")
	writeBytes(t, gzipped(t, []byte("\ufeff{\"id\":\"a\"}\r\n")), dir, "a.jsonl.gz")
	two := append(zstandard(t, []byte("{\"seq\":5,\"event\":{\"id\":\"d\"}}\n")), zstandard(t, []byte("rubbish\n"))...)
	writeBytes(t, two, dir, "c.jsonl.zst")
	writeBytes(t, []byte("x\n"), dir, "d.json")
	writeBytes(t, []byte("x\n"), dir, "e.jsonl.torn-20261122T120000Z")
	writeBytes(t, []byte("x\n"), dir, ".f.jsonl")
	if err := os.Mkdir(filepath.Join(dir, "g.jsonl"), 0o700); err != nil {
		t.Fatal(err)
	}
	all, sum := lines(t, dir)
	want := "a.jsonl.gz:1={\"id\":\"a\"}\r b.jsonl:1={\"id\":\"b\"} b.jsonl:4={\"id\":\"c\"} c.jsonl.zst:1={\"id\":\"d\"} c.jsonl.zst:2=rubbish"
	if got := strings.ReplaceAll(bodies(all), "\ufeff", "BOM"); got != want {
		t.Errorf("lines\n got %q\nwant %q", got, want)
	}
	if sum.DamageCount != 0 || len(sum.Notices) != 0 || sum.Lines != 5 || sum.Seq != 0 || sum.Hash != "" {
		t.Errorf("summary %+v", sum)
	}
	for i, name := range []string{"a.jsonl.gz", "b.jsonl", "c.jsonl.zst"} {
		hash := sha256.Sum256(readBytes(t, dir, name))
		if f := sum.Files[i]; f.Path != filepath.Join(dir, name) || f.SHA256 != hex.EncodeToString(hash[:]) || f.Lines == 0 {
			t.Errorf("file %+v", f)
		}
	}
}

func TestReadOneFile(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 10)
	all, sum := lines(t, filepath.Join(dir, pages[1]))
	if len(all) != 5 || sum.Seq != 10 || describe(sum.Notices) != "starts_late 2026-11-23.jsonl:1" || sum.DamageCount != 0 {
		t.Errorf("%d lines, %+v", len(all), sum)
	}
	if r := verify(t, filepath.Join(dir, pages[0])); r.DamageCount != 0 || r.Seq != 5 {
		t.Errorf("verify one file: %+v", r)
	}
	if _, err := Read(t.Context(), filepath.Join(dir, "nowhere"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestReadChecksTheChainOnTheWay(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 10)
	editLine(t, dir, 1, "T12", "T13")
	addTail(t, dir, "half")
	all, sum := lines(t, dir)
	if len(all) != 10 || describe(sum.Damage) != "edited 2026-11-23.jsonl:2, torn_tail 2026-11-23.jsonl:6" {
		t.Errorf("%d lines, damage %v", len(all), sum.Damage)
	}
	if sum.Torn == nil || sum.Torn.Line != 6 || sum.Torn.Offset != int64(len(readBytes(t, dir, pages[1])))-4 {
		t.Errorf("torn %+v", sum.Torn)
	}
}

func TestReadHandsOutEveryLineWhateverItIs(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 4)
	l := split(readBytes(t, dir, pages[0]))
	l[1] = []byte("{\"seq\":2,\"seq\":2,\"event\":{}}\n")
	writeBytes(t, bytes.Join(l, nil), dir, pages[0])
	writeBytes(t, []byte("{\"id\":\"x\",\"type\":\"t\"}\n"), dir, "imported.jsonl")
	all, sum := lines(t, dir)
	if len(all) != 5 || all[1].Err == nil || !all[1].Record.Bare || string(all[1].Record.Body)+"\n" != string(l[1]) {
		t.Errorf("lines %s", bodies(all))
	}
	if describe(sum.Damage) != "unparsable 2026-11-22.jsonl:2" || describe(sum.Notices) != "foreign_file imported.jsonl:0" {
		t.Errorf("damage %v, notices %v", sum.Damage, sum.Notices)
	}
}

func TestReadWithoutAHeadChecksChainedLines(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 4)
	l := split(readBytes(t, dir, pages[0]))
	for _, c := range []struct {
		name string
		text [][]byte
		want string
	}{
		{"whole", l, ""},
		{"first line replaced", [][]byte{[]byte("{\"type\":\"t\"}\n"), l[1]}, "unparsable x.jsonl:1"},
		{"last line replaced", [][]byte{l[0], []byte("{\"type\":\"t\"}\n")}, "unparsable x.jsonl:2"},
		{"bare events before a whole journal", [][]byte{[]byte("{\"type\":\"t\"}\n"), l[0], l[1]}, ""},
		{"no newline at the end", [][]byte{l[0], bytes.TrimSpace(l[1])}, "torn_tail x.jsonl:2"},
		{"half an event", [][]byte{[]byte("{\"type\":\"t\"}\n{\"ty")}, "torn_tail x.jsonl:2"},
		{"two journals in one file", [][]byte{l[0], l[1], l[0], l[1]}, "swapped x.jsonl:3"},
	} {
		other := t.TempDir()
		writeBytes(t, bytes.Join(c.text, nil), other, "x.jsonl")
		for _, path := range []string{other, filepath.Join(other, "x.jsonl")} {
			if _, sum := lines(t, path); describe(sum.Damage) != c.want {
				t.Errorf("%s: damage %v, want %s", c.name, sum.Damage, c.want)
			}
		}
	}
}

func TestReadDamagedCompression(t *testing.T) {
	text := []byte(strings.Repeat("{\"id\":\"a\"}\n", 5000))
	for name, b := range map[string][]byte{
		"a.jsonl.gz":  gzipped(t, text),
		"b.jsonl.zst": zstandard(t, text),
	} {
		dir := t.TempDir()
		writeBytes(t, b[:len(b)-3], dir, name)
		if _, sum := lines(t, dir); len(sum.Damage) != 1 || sum.Damage[0].Kind != UnreadableInput {
			t.Errorf("%s cut: %v", name, sum.Damage)
		}
		writeBytes(t, []byte("no such format"), dir, name)
		if _, sum := lines(t, dir); len(sum.Damage) != 1 || sum.Damage[0].Kind != UnreadableInput {
			t.Errorf("%s of another format: %v", name, sum.Damage)
		}
	}
}

func TestReadLongLines(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("x", maxLine)
	text := "{\"id\":\"" + strings.Repeat("y", 3*blockSize) + "\"}\n" + long + "\n" + long + "z\nlast\n"
	writeBytes(t, []byte(text), dir, "x.jsonl")
	all, sum := lines(t, filepath.Join(dir, "x.jsonl"))
	if len(all) != 4 || string(all[3].Raw) != "last" || all[3].Offset != int64(len(text))-5 {
		t.Fatalf("%d lines", len(all))
	}
	if len(all[0].Raw) != 3*blockSize+9 || all[1].Err != nil || all[2].Err == nil || len(all[2].Raw) != maxLine {
		t.Error("the long lines are not read as they should")
	}
	if describe(sum.Damage) != "unparsable x.jsonl:3" {
		t.Errorf("damage %v", sum.Damage)
	}
}

func TestReadStops(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 4)
	stop := errors.New("stop")
	count := 0
	if _, err := Read(t.Context(), dir, func(Line) error { count++; return stop }); !errors.Is(err, stop) || count != 1 {
		t.Errorf("%d lines, error %v", count, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Verify(ctx, dir, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// fuzzSeeds adds segments as they are and as they are not.
func fuzzSeeds(f *testing.F) {
	dir := f.TempDir()
	fill(f, dir, 4)
	whole := readBytes(f, dir, pages[0])
	f.Add(whole, true)
	f.Add(whole[:len(whole)-9], true)
	f.Add([]byte("{\"type\":\"t\"}\n\n{\"seq\":0,\"event\":{}}\nx"), false)
	f.Add([]byte("\x00\n\x00"), true)
}

// fuzzJournal makes a journal of one segment.
func fuzzJournal(t *testing.T, text []byte, head bool) string {
	dir := t.TempDir()
	writeBytes(t, text, dir, pages[0])
	if head {
		writeBytes(t, Witness{Hash: formats.JournalGenesis}.text(), dir, headName)
	}
	return dir
}

func FuzzRead(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, text []byte, head bool) {
		all, sum := lines(t, fuzzJournal(t, text, head))
		if int64(len(all)) != sum.Lines || sum.DamageCount < int64(len(sum.Damage)) {
			t.Fatalf("%d lines, %+v", len(all), sum)
		}
		for _, l := range all {
			if !bytes.HasPrefix(text[l.Offset:], l.Raw) {
				t.Fatalf("line %d is not at byte %d", l.Number, l.Offset)
			}
		}
	})
}

// FuzzResume expects that a writer can go on behind anything and loses no byte
// of it.
func FuzzResume(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, text []byte, head bool) {
		dir := fuzzJournal(t, text, head)
		w := openWriter(t, dir, Options{})
		r := appendOne(t, w, signed(testSecret(t, 0), "msg_new", "x"))
		closeWriter(t, w)
		after, kept := readBytes(t, dir, pages[0]), text
		aside, err := filepath.Glob(filepath.Join(dir, "*.torn-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range aside {
			torn := readBytes(t, name)
			kept = text[:len(text)-len(torn)]
			if !bytes.HasSuffix(text, torn) {
				t.Fatal("what was moved aside is not the end")
			}
		}
		if !bytes.HasPrefix(after, kept) {
			t.Fatal("bytes are lost")
		}
		added := bytes.TrimSuffix(after[len(kept):], []byte("\n"))
		if got := parse(t, added); got.Seq != r.Seq || string(got.Body) != "x" {
			t.Fatalf("the new line is %s", added)
		}
	})
}
