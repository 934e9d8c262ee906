package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const exceptionsHeader = "exception_id,severity,reason,external_reference,customer_id,payment_id,event_id,currency,amount,detail,first_seen,age_days,owner,comment\n"

// reportsWith makes a reports directory; the keys are DATE/RUN.
func reportsWith(t *testing.T, reports map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range reports {
		path := filepath.Join(dir, filepath.FromSlash(name), "exceptions.csv")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindException(t *testing.T) {
	dir := reportsWith(t, map[string]string{
		"2026-11-20/20261121T040000Z-aaaa": exceptionsHeader + "ex_1,break,possible_duplicate,C-1,bcus_1,pay_1,evt_1,ZAR,5.00,older,,,,\nex_2,break,conflicting_event,,,,evt_2,ZAR,,only here,,,,\n",
		// A report of an earlier date that was made later is the newer one.
		"2026-11-19/20261122T040000Z-bbbb": exceptionsHeader + "ex_1,break,possible_duplicate,'-1,bcus_1,pay_1,evt_1,ZAR,5.00,newer,,,,\n",
		"2026-11-22/20261123T040000Z-cccc": "\xef\xbb\xbfcomment;Reason;exception_id;detail\r\n\"a;b\";invalid_event;ex_3;\"two\nlines\"\r\n",
		"open/20261124T040000Z-dddd":       "no report at all\n",
	})
	for _, tt := range []struct {
		id, reason, detail, reference, date string
	}{
		{"ex_1", "possible_duplicate", "newer", "-1", "2026-11-19"},
		{"ex_2", "conflicting_event", "only here", "", "2026-11-20"},
		{"ex_3", "invalid_event", "two\nlines", "", "2026-11-22"},
	} {
		e, err := findException(dir, tt.id)
		if err != nil {
			t.Errorf("%s: %v", tt.id, err)
			continue
		}
		if e.ID != tt.id || e.Reason != tt.reason || e.Detail != tt.detail || e.ExternalReference != tt.reference || e.BusinessDate != tt.date {
			t.Errorf("%s: %+v", tt.id, e)
		}
	}
	_, err := findException(dir, "ex_4")
	if err == nil || exitCode(t.Context(), err) != exitUsage || !strings.Contains(err.Error(), "in the 4 reports") || !strings.Contains(err.Error(), "dddd") {
		t.Errorf("one that is nowhere: %v", err)
	}
	if _, err := findException(filepath.Join(dir, "none"), "ex_1"); exitCode(t.Context(), err) != exitUsage {
		t.Errorf("without any reports: %v", err)
	}
}

func TestDecidable(t *testing.T) {
	for reason, want := range map[string]struct{ apply, drop bool }{
		"possible_duplicate": {true, true},
		"conflicting_event":  {true, true},
		"invalid_event":      {false, true},
		"unknown_customer":   {false, false},
		"crossed_payment":    {false, false},
		"overpaid":           {false, false},
		"":                   {false, false},
	} {
		e := exception{ID: "ex_1", Reason: reason}
		if apply, drop := e.decidable("apply") == nil, e.decidable("drop") == nil; apply != want.apply || drop != want.drop {
			t.Errorf("%q: apply %v, drop %v", reason, apply, drop)
		}
	}
}

func FuzzReadException(f *testing.F) {
	f.Add([]byte(exceptionsHeader+"ex_1,break,possible_duplicate,C-1,bcus_1,pay_1,evt_1,ZAR,5.00,detail,,,,\n"), "ex_1")
	f.Add([]byte("\xef\xbb\xbfreason;exception_id\r\ninvalid_event;ex_1\r\n"), "ex_1")
	f.Add([]byte("exception_id,reason\n\"ex_1\n"), "ex_1")
	f.Add([]byte("exception_id,reason\nex_1\n"), "ex_1")
	f.Add([]byte(""), "")
	f.Fuzz(func(t *testing.T, text []byte, id string) {
		e, ok, err := readException(strings.NewReader(string(text)), id)
		if ok && (err != nil || e.ID != id) {
			t.Errorf("found %+v with %v, asked for %q", e, err, id)
		}
	})
}
