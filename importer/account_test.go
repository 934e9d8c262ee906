package importer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tallyman/formats"
)

// mixed is a file with one record for every way to end without a fault of Moment's.
var mixed = []string{
	"N-1,Ada,,100,home,2026-12-01", // created
	"K-1,Ada,,100,,",               // unchanged
	"K-2,Ada,,200,,",               // updated
	"N-1,Ada,,100,home,2026-12-01", // duplicate
	"W-1,Ada,not-an-address,1,,",   // rejected
	"X-1,Ada,,1,,",                 // rejected: contradicted below
	"X-1,Ada,,2,,",
	"refuse,refuse me,,1,,", // rejected by Moment
}

// knownCustomers returns records in which K-1 and K-2 stand at 100, and a Moment that has them.
func knownCustomers(t *testing.T) (*memory, *model) {
	t.Helper()
	records, m := newMemory(), newModel()
	o := optionsFor(t)
	o.Concurrency = 1 // for ids in order
	r := run(t.Context(), t, m, o, fileOf(fileText("K-1,Ada,,100,,", "K-2,Ada,,100,,"), records.begin("2026-11-21")))
	if r.account.Counts[formats.Created] != 2 {
		t.Fatal(r.account.Counts)
	}
	return records, m
}

func TestAccount(t *testing.T) {
	records, m := knownCustomers(t)
	o := optionsFor(t)
	var progress []formats.Outcome
	o.Concurrency = 1
	o.Progress = func(outcome formats.Outcome) { progress = append(progress, outcome) }
	r := run(t.Context(), t, m, o, fileOf(fileText(mixed...), records.begin("2026-11-22")))
	want := `line,external_reference,outcome,customer_id,currency,balance,payable,http_status,attempts,reason,detail
2,N-1,created,bcus_3,ZAR,100,yes,201,1,,
3,K-1,unchanged,bcus_1,ZAR,100,yes,,0,,
4,K-2,updated,bcus_2,ZAR,200,yes,200,1,,changes balance 1.00 ZAR -> 2.00 ZAR
5,N-1,duplicate,,ZAR,100,,,0,same_row,"the same as line 2, which counts"
6,W-1,rejected,,ZAR,1,,,0,bad_email,EMAIL
7,X-1,rejected,,ZAR,1,,,0,conflicting_rows,external_reference: another row with this reference says something else (at line 8); leave the right one only
8,X-1,rejected,,ZAR,2,,,0,conflicting_rows,external_reference: another row with this reference says something else (at line 7); leave the right one only
9,refuse,rejected,,ZAR,1,,422,1,refused_by_api,the API refuses the record with 422 (name is refused)
`
	got := string(r.outcomes)
	if from := strings.Index(got, "bad_email,"); from > 0 { // the words of a rule are the formats' own
		to := from + strings.Index(got[from:], "\n")
		got = got[:from] + "bad_email,EMAIL" + got[to:]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Counts{formats.Created: 1, formats.Unchanged: 1, formats.Updated: 1, formats.Duplicate: 1, formats.Rejected: 4}, r.account.Counts); diff != "" || r.account.Read != 8 {
		t.Error(diff)
	}
	if len(progress) != 8 {
		t.Errorf("progress %v", progress)
	}
	var classes []string
	for _, p := range r.account.Problems {
		classes = append(classes, p.Reason)
		if strings.Contains(p.Detail, "not-an-address") {
			t.Errorf("a value of the file in an example: %s", p.Detail)
		}
	}
	if diff := cmp.Diff([]string{"bad_email", "conflicting_rows", "refused_by_api"}, classes); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(string(r.rejects), "\n"); n != 5 || !strings.HasPrefix(string(r.rejects), strings.TrimSuffix(header, "\n")+",reject_reason,reject_detail\n") {
		t.Errorf("%s", r.rejects)
	}
}

// TestDryRunDecidesAlike: what a dry run says would be done is what is done, as far as the file and the records tell; it
// sends nothing and records nothing.
func TestDryRunDecidesAlike(t *testing.T) {
	records, m := knownCustomers(t)
	file := records.begin("2026-11-22")
	o := optionsFor(t)
	o.DryRun = true
	calls := m.calls
	records.fault = func() error { return errors.New("a dry run writes nothing") }
	dry := run(t.Context(), t, nil, o, fileOf(fileText(mixed...), file))
	if m.calls != calls || len(file.rows) != 0 {
		t.Error("a dry run has sent or recorded something")
	}
	records.fault, o.DryRun = nil, false
	real := run(t.Context(), t, m, o, fileOf(fileText(mixed...), file))
	for i, d := range dry.rows[:7] { // the last is refused by Moment
		if r := real.rows[i]; d.Outcome != r.Outcome || d.Reason != r.Reason || d.Detail != r.Detail || d.Balance != r.Balance {
			t.Errorf("dry %+v\nreal %+v", d, r)
		}
	}
}

// TestDryRunOfTheUnfinished tells what another run would do, not what the last one did not.
func TestDryRunOfTheUnfinished(t *testing.T) {
	play(t, func(t *testing.T, s *scene) {
		s.crash(fileText(line), "drop_after")
		s.options.DryRun = true
		s.want(s.run(), "created")
	})
}

// TestToldAgain: a run that was killed after it had recorded everything, before it wrote the outcome file, is told of by
// the next one in the same bytes.
func TestToldAgain(t *testing.T) {
	records, m := knownCustomers(t)
	file := records.begin("2026-11-22")
	f := fileOf(fileText(mixed...), file)
	im := New(m, optionsFor(t))
	s, err := im.Survey(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	first := account(t.Context(), t, im, f, s, im.Send(t.Context(), f, s))
	calls := m.calls
	second := run(t.Context(), t, m, optionsFor(t), f)
	if m.calls != calls {
		t.Errorf("%d more calls", m.calls-calls)
	}
	if diff := cmp.Diff(string(first.outcomes), string(second.outcomes)); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(first.rejects, second.rejects) {
		t.Error("other rejects")
	}
}

// TestRejectsImport: rejected records, corrected in their file, can be imported as they are.
func TestRejectsImport(t *testing.T) {
	records, m := newMemory(), newModel()
	first := run(t.Context(), t, m, optionsFor(t), fileOf(fileText("A,Ada,,1.50,,", "B,Bea,,100,,", "C,Cy,nowhere,7,,"), records.begin("2026-11-22")))
	corrected := strings.NewReplacer("1.50", "150", "nowhere,7", "cy@example.com,7").Replace(string(first.rejects))
	second := run(t.Context(), t, m, optionsFor(t), fileOf(corrected, records.begin("2026-11-22")))
	if second.account.Counts[formats.Created] != 2 || second.account.Read != 2 || len(m.byID) != 3 {
		t.Errorf("%v\n%s", second.account.Counts, corrected)
	}
}

func TestEmptyFile(t *testing.T) {
	r := run(t.Context(), t, newModel(), optionsFor(t), fileOf(header, newMemory().begin("2026-11-22")))
	if r.account.Read != 0 || len(r.rows) != 0 || !strings.HasPrefix(string(r.rejects), "external_reference,") {
		t.Errorf("%s%s", r.outcomes, r.rejects)
	}
}

// TestFileFaults: a fault of the file stops it before anything is sent.
func TestFileFaults(t *testing.T) {
	content := fileText("A,Ada,,1,,", "B,\"Bea,,1,,")
	_, err := New(nil, optionsFor(t)).Survey(t.Context(), fileOf(content, nil))
	var fault *formats.FileError
	if !errors.As(err, &fault) || fault.Rule != "unclosed_quote" {
		t.Errorf("%v", err)
	}
	broken := fileOf("", nil)
	broken.Open = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	if _, err := New(nil, optionsFor(t)).Survey(t.Context(), broken); err == nil || err.Error() != "open customer file: gone" {
		t.Errorf("%v", err)
	}
}

func TestSurvey(t *testing.T) {
	s, err := New(nil, optionsFor(t)).Survey(t.Context(), fileOf("external_reference;nickname\nA;x\n\nB;y\n", nil))
	if err != nil {
		t.Fatal(err)
	}
	if s.Records != 2 || s.BlankLines != 1 || s.Delimiter != ';' || len(s.UnknownColumns) != 1 || s.UnknownColumns[0] != "nickname" {
		t.Errorf("%+v", s)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := New(nil, optionsFor(t)).Survey(stopped, fileOf(manyRows(3000), nil)); reason(err) != "interrupted" {
		t.Errorf("%v", err)
	}
}

// TestFoots: outcomes that do not add up are an error, never passed over.
func TestFoots(t *testing.T) {
	a := &Account{Read: 3, Counts: Counts{formats.Created: 2}}
	var foot *FootError
	if err := a.foots(&Survey{Records: 3}); !errors.As(err, &foot) || foot.Read != 3 || foot.Counted != 2 {
		t.Error(err)
	}
	a.Counts["lost"] = 1
	if a.foots(&Survey{Records: 3}) == nil {
		t.Error("an unknown outcome was counted")
	}
	a = &Account{Read: 2, Counts: Counts{formats.Created: 2}}
	if a.foots(&Survey{Records: 3}) == nil {
		t.Error("a record was lost between two readings")
	}
}
