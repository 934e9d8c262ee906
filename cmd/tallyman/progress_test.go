package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tallyman/internal/nightly"
)

func TestProgressLines(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	l := &lines{out: &out, now: func() time.Time { return now }, last: now}
	for i := range 30 {
		l.report(nightly.Progress{File: "c\x1b.csv", Done: i + 1, Total: 100, Refused: int64(i / 20)})
		now = now.Add(time.Second)
	}
	l.end()
	want := "tallyman: c\\u001b.csv: 11 of 100 records, about 1m21s left\n" +
		"tallyman: c\\u001b.csv: 21 of 100 records, 1 refused for now, about 1m15s left\n"
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

func TestProgressBar(t *testing.T) {
	var out bytes.Buffer
	b := newBar(&out)
	for _, file := range []string{"a.csv", "b.csv"} {
		b.report(nightly.Progress{File: file, Done: 1, Total: 2})
		b.report(nightly.Progress{File: file, Done: 2, Total: 2, Refused: 3})
	}
	b.end()
	for _, text := range []string{"a.csv", "b.csv", "3 refused for now"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("no %q in %q", text, out.String())
		}
	}
}
