package importer

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
)

// hiding are records of which the first look finds nothing, so that the file is read whichever way it ended.
type hiding struct {
	Ledger
	looked *bool
}

func (h hiding) Rows(ctx context.Context, from, to int) ([]*Row, error) {
	if !*h.looked {
		*h.looked = true
		return nil, nil
	}
	return h.Ledger.Rows(ctx, from, to)
}

// TestAccountedBothWays: the outcomes are the same bytes whether they are told by the records alone or beside the file, and
// a file without rejected records is not read for them.
func TestAccountedBothWays(t *testing.T) {
	const records = 2*chunkSize + 100
	for name, c := range map[string]struct {
		at, first int    // number of the record that differs; how many are sent
		row       string // that record
		read      bool   // the file, beyond its head
	}{
		"all is well":                      {},
		"rejected in the first chunk":      {at: 1, row: "W-1,Ada,not-an-address,1,,", read: true},
		"rejected at the end of a chunk":   {at: 2 * chunkSize, row: "refuse,refuse me,,1,,", read: true},
		"the last ones were not sent":      {first: 2 * chunkSize, read: true},
		"the second chunk was sent partly": {first: chunkSize + 1, read: true},
	} {
		t.Run(name, func(t *testing.T) {
			rows := make([]string, records)
			for i := range rows {
				rows[i] = fmt.Sprintf("R-%d,Ada%200s,,%d,,", i+1, "Ngcobo", i) // so long that the file is no single block
			}
			if c.at > 0 {
				rows[c.at-1] = c.row
			}
			content := fileText(rows...)
			f := fileOf(content, newMemory().begin("2026-11-22"))
			im := New(newModel(), optionsFor(t))
			s, err := im.Survey(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			few := f
			few.First = c.first
			if err := im.Send(t.Context(), few, s); err != nil {
				t.Fatal(err)
			}
			var read counting
			f.Open = func() (io.ReadCloser, error) {
				read = counting{Reader: strings.NewReader(content)}
				return &read, nil
			}
			got := account(t.Context(), t, im, f, s, nil)
			if whole := read.bytes == len(content); whole != c.read {
				t.Errorf("%d bytes of %d were read", read.bytes, len(content))
			}
			f.Ledger = hiding{f.Ledger, new(bool)}
			want := account(t.Context(), t, im, f, s, nil)
			if string(got.outcomes) != string(want.outcomes) || string(got.rejects) != string(want.rejects) {
				t.Error("told by the records it is another file")
			}
			if diff := cmp.Diff(want.account, got.account); diff != "" {
				t.Error(diff)
			}
			if n := got.account.Counts[formats.Created]; len(got.rows) != records || c.first == 0 && n < records-1 {
				t.Errorf("%d rows, %d created", len(got.rows), n)
			}
		})
	}
}

// counting counts what is read of a file.
type counting struct {
	io.Reader
	bytes int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += n
	return n, err
}

func (*counting) Close() error { return nil }
