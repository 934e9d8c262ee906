package nightly

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/config"
	"tallyman/internal/ledger"
	"tallyman/internal/sandbox"
)

// rowsOf are n customers with a balance each, in cents.
func rowsOf(n int, balance func(i int) int64) []string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("C-%d,Customer %d,ZAR,%d,", i, i, balance(i))
	}
	return rows
}

func always(v int64) func(int) int64 { return func(int) int64 { return v } }

// Each guard at its limit and just beyond it: what is held sends nothing, and says why with figures.
func TestGuards(t *testing.T) {
	steady := func(i int) int64 { return int64(1000 + 10*i) }
	wrong := func(rows []string, n int) []string {
		for i := range n {
			rows[i] = strings.Replace(rows[i], "C-", "C ", 1)
		}
		return rows
	}
	for _, tt := range []struct {
		name          string
		first, second []string
		change        func(*config.Guards)
		want          []string // guard and a piece of its text
	}{
		{"nothing wrong", rowsOf(40, steady), rowsOf(40, func(i int) int64 { return steady(i) + 1 }), nil, nil},
		{"5% rejected", rowsOf(40, steady), wrong(rowsOf(40, steady), 2), nil, nil},
		{
			"more than 5% rejected", rowsOf(40, steady), wrong(rowsOf(40, steady), 3), nil,
			[]string{"max_rejected: 3 of the 40 records would be rejected, 3 of them for bad_reference"},
		},
		{
			"conflicts are rejected too", rowsOf(40, steady), append(rowsOf(40, steady), "C-0,Other,ZAR,1,", "C-1,Other,ZAR,1,"), nil,
			[]string{"max_rejected: 4 of the 42 records"},
		},
		{"too few to tell", rowsOf(15, steady), wrong(rowsOf(15, steady), 3), nil, nil},
		{"a fifth missing", rowsOf(40, always(100)), rowsOf(32, always(101)), nil, nil},
		{
			"more than a fifth missing", rowsOf(40, always(100)), rowsOf(31, always(101)), nil,
			[]string{"max_missing: 9 of the 40 customers of yesterday's file are missing"},
		},
		{"half more owed", rowsOf(40, always(100)), rowsOf(40, always(150)), nil, nil},
		{
			"more than half more owed", rowsOf(40, always(100)), rowsOf(40, func(i int) int64 { return 150 + int64(i/39) }), nil,
			[]string{"max_balance_change: the total owed in ZAR is 60.01, and was 40.00 in yesterday's file"},
		},
		{
			"more than half less owed", rowsOf(40, always(100)), rowsOf(40, always(49)), nil,
			[]string{"max_balance_change: the total owed in ZAR is 19.60, and was 40.00"},
		},
		{
			"over 100% allowed", rowsOf(40, always(100)), rowsOf(40, always(250)),
			func(g *config.Guards) { g.MaxBalanceChange = config.PercentGuard(150) }, nil,
		},
		{
			"another currency", rowsOf(40, always(100)), append(rowsOf(40, always(101)), "U-1,Una,USD,5,"), nil,
			[]string{"max_balance_change: the total owed in USD is 0.05, and was 0.00"},
		},
		{
			"a hundred times larger", rowsOf(40, steady), rowsOf(40, func(i int) int64 { return 100 * steady(i) }),
			func(g *config.Guards) { g.MaxBalanceChange = config.OffGuard() },
			[]string{"unit_shift: 40 of the 40 balances that can be compared are about 100 times larger"},
		},
		{
			"about a hundred times smaller", rowsOf(40, func(i int) int64 { return 100 * steady(i) }), rowsOf(40, func(i int) int64 { return steady(i) + 7 }),
			func(g *config.Guards) { g.MaxBalanceChange = config.OffGuard() },
			[]string{"unit_shift: 40 of the 40 balances that can be compared are about 100 times smaller"},
		},
		{
			"half of them larger", rowsOf(40, always(100)), rowsOf(40, func(i int) int64 { return []int64{100, 10000}[i%2] }),
			func(g *config.Guards) { g.MaxBalanceChange = config.OffGuard() }, nil,
		},
		{
			"among a few, about a hundred is chance", rowsOf(3, always(100)), rowsOf(3, always(9900)),
			func(g *config.Guards) { g.MaxBalanceChange = config.OffGuard() }, nil,
		},
		{
			"nineteen are a few", rowsOf(19, always(100)), rowsOf(19, always(9900)),
			func(g *config.Guards) { g.MaxBalanceChange = config.OffGuard() }, nil,
		},
		{
			"twenty are not", rowsOf(20, always(100)), rowsOf(20, always(9900)),
			func(g *config.Guards) { g.MaxBalanceChange = config.OffGuard() },
			[]string{"unit_shift: 20 of the 20 balances"},
		},
		{
			"credits that became debts are no shift", rowsOf(3, always(-100)), rowsOf(3, always(10000)),
			func(g *config.Guards) { g.MaxBalanceChange = config.OffGuard() }, nil,
		},
		{
			"among a few, exactly a hundred", rowsOf(3, always(-100)), rowsOf(3, always(-10000)),
			func(g *config.Guards) { g.MaxBalanceChange = config.OffGuard() },
			[]string{"unit_shift: 3 of the 3 balances"},
		},
		{
			"the same bytes", rowsOf(3, always(100)), rowsOf(3, always(100)), nil,
			[]string{"same_content: it has the very bytes of the day file of 2026-03-16"},
		},
		{"everything off", rowsOf(40, always(100)), wrong(rowsOf(20, always(10000)), 19), func(g *config.Guards) {
			*g = config.Guards{MaxRejected: config.OffGuard(), MaxMissing: config.OffGuard(), MaxBalanceChange: config.OffGuard()}
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, sandbox.Options{})
			if tt.change != nil {
				tt.change(&w.cfg.Imports.Guards)
			}
			w.leave("2026-03-16", tt.first...)
			if f := w.night("2026-03-16").Files[0]; len(f.Held) > 0 {
				t.Fatalf("the first file is held: %v", f.Held)
			}
			writes := len(w.api.Writes())
			w.clock.at(t, "2026-03-17T04:30:00Z")
			w.leave("2026-03-17", tt.second...)
			r := w.night("2026-03-17")
			f := r.Files[0]
			if len(f.Held) != len(tt.want) {
				t.Fatalf("held %+v, want %q", f.Held, tt.want)
			}
			for i, h := range f.Held {
				if got := h.Guard + ": " + h.Detail; !strings.HasPrefix(got, tt.want[i]) {
					t.Errorf("%s\nwant %s", got, tt.want[i])
				}
			}
			if len(tt.want) == 0 {
				return
			}
			if sent := len(w.api.Writes()) - writes; sent != 0 || f.State != ledger.FileHeld || r.ExitCode() != ExitNeedsPerson || r.Report == nil {
				t.Errorf("%d requests, state %s, exit %d, report %v", sent, f.State, r.ExitCode(), r.Report)
			}
		})
	}
}

// Where the guards' limits are, to the record.
func TestGuardEdges(t *testing.T) {
	for _, tt := range []struct {
		records, rejected int
		want              bool
	}{{19, 19, false}, {20, 1, false}, {20, 2, true}, {40, 2, false}, {41, 2, false}, {39, 2, true}} {
		g := &guards{config: config.Guards{MaxRejected: config.PercentGuard(5)}}
		held, err := g.rejected(t.Context(), &importer.Survey{Records: tt.records, Rejected: tt.rejected})
		if err != nil || (len(held) > 0) != tt.want {
			t.Errorf("%d of %d rejected: held %v, %v", tt.rejected, tt.records, held, err)
		}
	}
	for _, tt := range []struct {
		large, small uint64
		want         shifts
	}{
		{4999, 100, shifts{}},
		{5000, 100, shifts{near: 1}},
		{10000, 100, shifts{near: 1, exact: 1}},
		{10001, 100, shifts{near: 1}},
		{19999, 100, shifts{near: 1}},
		{20000, 100, shifts{}},
		{1 << 63, 1 << 57, shifts{near: 1}}, // the largest credit there is
	} {
		var got shifts
		if got.add(tt.large, tt.small); got != tt.want {
			t.Errorf("%d beside %d: %+v", tt.large, tt.small, got)
		}
	}
	if size(math.MinInt64) != 1<<63 || size(-5) != 5 || size(5) != 5 {
		t.Error("a size is wrong")
	}
}

// A one-off is not compared with day files, but wrong units and wrong rows hold it as well.
func TestGuardsOfOneOffs(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", rowsOf(40, always(100))...)
	w.night("2026-03-16")
	for name, tt := range map[string]struct {
		rows []string
		want string
	}{
		"few.csv":   {rowsOf(2, always(9000)), ""},
		"shift.csv": {rowsOf(30, always(10000)), "unit_shift"},
		"wrong.csv": {append(rowsOf(30, always(100)), ",a,,,", ",b,,,"), "max_rejected"},
	} {
		path := filepath.Join(w.dir, name)
		if err := os.WriteFile(path, []byte("external_reference,name,currency,balance,due_date\n"+strings.Join(tt.rows, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		n := w.open("import")
		r, err := n.Import(t.Context(), ImportRequest{Sources: []string{path}})
		if err := errors.Join(err, n.Close()); err != nil {
			t.Fatal(err)
		}
		f := r.Files[0]
		switch {
		case tt.want == "" && len(f.Held) == 0:
		case len(f.Held) == 1 && f.Held[0].Guard == tt.want && f.Outcomes[formats.NotAttempted] == f.Read:
		default:
			t.Errorf("%s: held %+v, %v", name, f.Held, f.Outcomes)
		}
	}
}

// approve releases the one held file.
func (w *world) approve() ledger.File {
	w.t.Helper()
	l, err := ledger.Open(w.t.Context(), w.cfg.DataDir)
	if err != nil {
		w.t.Fatal(err)
	}
	files, err := l.Files(w.t.Context(), 1)
	if err != nil {
		w.t.Fatal(err)
	}
	ok, err := l.Approve(w.t.Context(), files[0].ID, ledger.Approval{HeldFor: files[0].Reason, Reason: "asked", By: "nomsa", ApprovedAt: w.clock.now})
	if err := errors.Join(err, l.Close()); err != nil || !ok {
		w.t.Fatalf("approved %v: %v", ok, err)
	}
	return files[0]
}

// A held file stays held night after night, is imported once approved, from its kept bytes if its copy in the inbox is
// gone, and then is no more held; the run that imports it says who approved it.
func TestApprovedFileIsImported(t *testing.T) {
	for _, gone := range []bool{false, true} {
		w := newWorld(t, sandbox.Options{})
		w.leave("2026-03-16", rowsOf(40, always(100))...)
		w.night("2026-03-16")
		w.clock.at(t, "2026-03-17T04:30:00Z")
		w.leave("2026-03-17", rowsOf(20, always(101))...)
		for range 2 {
			if r := w.night("2026-03-17"); len(r.Files) != 1 || r.Files[0].State != ledger.FileHeld {
				t.Fatalf("%+v", r.Files)
			}
		}
		inbox := filepath.Join(w.api.InboxDir(), "za_sandbox_dailyfile_2026-03-17.csv")
		if gone {
			if err := os.Remove(inbox); err != nil {
				t.Fatal(err)
			}
		}
		held := w.approve()
		kept := filepath.Join(w.cfg.DataDir, "files", held.SHA256)
		if _, err := os.Stat(kept); err != nil {
			t.Error(err)
		}
		r := w.night("2026-03-17")
		if len(r.Files) != 1 {
			t.Fatalf("%+v", r.Files)
		}
		f := r.Files[0]
		if f.State != ledger.FileDone || f.Outcomes[formats.Updated] != 20 || f.Approval == nil || f.Approval.By != "nomsa" || !strings.Contains(f.Approval.HeldFor, "max_missing") {
			t.Errorf("%+v", f)
		}
		for _, path := range []string{kept, inbox} {
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %v", path, err)
			}
		}
		if r := w.night("2026-03-17"); len(r.Files) != 0 || r.ExitCode() != ExitDone {
			t.Errorf("the night after: %+v", r.NeedsPerson())
		}
	}
}

// A file of which something was sent is finished, whatever the guards would say by now.
func TestGuardsLeaveABegunFileAlone(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", rowsOf(40, always(100))...)
	w.night("2026-03-16")
	w.leave("2026-03-17", rowsOf(40, always(120))...)
	w.api.RevokeKey(sandbox.Test)
	if r := w.night("2026-03-17"); r.ExitCode() != ExitStopped {
		t.Fatalf("exit %d", r.ExitCode())
	}
	w.api.RestoreKey(sandbox.Test)
	w.cfg.Imports.Guards.MaxBalanceChange = config.PercentGuard(1)
	if f := w.night("2026-03-17").Files[0]; f.State != ledger.FileDone || f.Outcomes[formats.Updated] != 40 {
		t.Errorf("%+v", f)
	}
}

// Neither a held file nor an interrupted one is a measure for the next; a correction is compared with the day before, and
// shown as what it is.
func TestWhatAFileIsComparedWith(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", rowsOf(40, always(100))...)
	w.night("2026-03-16")
	w.leave("2026-03-17", rowsOf(20, always(100))...) // held
	w.night("2026-03-17")
	w.leave("2026-03-17", rowsOf(40, always(102))...) // corrects it
	f := w.night("2026-03-17").Files[0]
	if f.State != ledger.FileDone || f.Corrects == "" || !strings.Contains(strings.Join(f.Notes, "\n"), "a correction: the day file of 2026-03-17 came before with other content ("+f.Corrects+", held)") {
		t.Errorf("%+v", f)
	}
	w.leave("2026-03-19", rowsOf(10, always(103))...)
	if f := w.night("2026-03-19").Files[0]; len(f.Held) != 2 || !strings.HasPrefix(f.Held[0].Detail, "30 of the 40 customers of the day file of 2026-03-17") {
		t.Errorf("%+v", f.Held)
	}
}

// A dry run shows what would be held, and holds nothing.
func TestDryRunShowsGuards(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.leave("2026-03-16", rowsOf(40, always(100))...)
	w.night("2026-03-16")
	w.leave("2026-03-17", rowsOf(20, always(100))...)
	n, err := Open(t.Context(), Options{Config: w.cfg, Command: "run", DryRun: true, Log: quiet(), Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Run(t.Context(), RunRequest{Date: "2026-03-17"})
	if err := errors.Join(err, n.Close()); err != nil {
		t.Fatal(err)
	}
	if len(r.Files) != 1 || len(r.Files[0].Held) == 0 {
		t.Errorf("%+v", r.Files)
	}
	if files, err := openLedger(t, w.cfg.DataDir).Files(t.Context(), 10); err != nil || len(files) != 1 {
		t.Errorf("%+v, %v", files, err)
	}
}

// Of the first file ever a few records go first. If Moment does not take one of them, the others wait for a person.
func TestCanary(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.cfg.Imports.Canary = 3
	if err := w.api.SetFaults(sandbox.Faults{ErrorBefore: 1}); err != nil {
		t.Fatal(err)
	}
	w.leave("2026-03-16", rowsOf(10, always(100))...)
	n, err := Open(t.Context(), Options{Config: w.cfg, Command: "run", Log: quiet(), Now: w.clock.Now, Waits: importer.Waits{First: time.Millisecond, Most: time.Millisecond, Stale: time.Millisecond, Tries: 2}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Run(t.Context(), RunRequest{Date: "2026-03-16"})
	if err := errors.Join(err, n.Close()); err != nil {
		t.Fatal(err)
	}
	f := r.Files[0]
	if f.State != ledger.FileHeld || len(f.Held) != 1 || f.Held[0].Guard != "canary" || f.Outcomes[formats.InDoubt] != 3 || f.Outcomes[formats.NotAttempted] != 7 {
		t.Fatalf("%+v", f)
	}
	if err := w.api.SetFaults(sandbox.Faults{}); err != nil {
		t.Fatal(err)
	}
	f = w.night("2026-03-16").Files[0]
	if f.State != ledger.FileDone || f.Outcomes[formats.Created] != 10 || !strings.Contains(strings.Join(f.Notes, "\n"), "the first 3 records were sent alone, 3 of them had an answer") {
		t.Errorf("%+v", f)
	}
	w.leave("2026-03-17", rowsOf(10, always(101))...)
	if f := w.night("2026-03-17").Files[0]; strings.Contains(strings.Join(f.Notes, "\n"), "sent alone") {
		t.Errorf("a second file has a canary: %q", f.Notes)
	}
}
