package journal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	if e, err := Measure(dir); err != nil || e != (Extent{}) {
		t.Errorf("no journal: %+v %v", e, err)
	}
	clock := newClock()
	s := testSecret(t, 0)
	w := openWriter(t, dir, Options{Now: clock.Now})
	appendOne(t, w, signed(s, "msg_1", `{}`))
	clock.set(noon.Add(24 * time.Hour))
	// A line longer than what is read at first.
	appendOne(t, w, signed(s, "msg_2", `{"a":"`+strings.Repeat("x", 200<<10)+`"}`))
	closeWriter(t, w)

	var bytes int64
	for _, name := range []string{"2026-11-22.jsonl", "2026-11-23.jsonl"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	want := Extent{Segments: 2, Bytes: bytes, Seq: 2, LastAt: noon.Add(24 * time.Hour).Truncate(time.Microsecond)}
	if e, err := Measure(dir); err != nil || e != want {
		t.Errorf("%+v %v, want %+v", e, err, want)
	}

	// A line that is being written, or torn, does not count; nor does an empty segment.
	last := filepath.Join(dir, "2026-11-23.jsonl")
	writeBytes(t, append(readBytes(t, last), `{"seq":3`...), last)
	writeBytes(t, nil, filepath.Join(dir, "2026-11-24.jsonl"))
	if e, err := Measure(dir); err != nil || e.LastAt != want.LastAt || e.Segments != 3 {
		t.Errorf("with a torn tail: %+v %v", e, err)
	}
}
