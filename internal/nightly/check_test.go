package nightly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/config"
)

func fileWith(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheck(t *testing.T) {
	defaults := config.Default().Files
	noCurrency := defaults
	noCurrency.Currency = ""
	for _, tt := range []struct {
		name, text string
		files      config.Files
		limit      int
		want       CheckResult
	}{
		{
			"good", "external_reference,name\r\nC-1,Ann\r\nC-2,Bob\r\n", defaults, 20,
			CheckResult{Read: 2, Good: 2},
		},
		{
			"no records", "external_reference,name\n", defaults, 20,
			CheckResult{Notes: []string{"the file has a header and no records"}},
		},
		{
			"several problems of one record count one by one, the record once", "external_reference,phone,email\nC 1,1,x\n", defaults, 20,
			CheckResult{
				Read: 1, Rejected: 1,
				Problems: []CheckProblem{{Line: 2, Column: "external_reference", Rule: "bad_reference"}, {Line: 2, Column: "phone", Rule: "bad_phone"}, {Line: 2, Column: "email", Rule: "bad_email"}},
				Rules:    []RuleCount{{"bad_email", 1}, {"bad_phone", 1}, {"bad_reference", 1}},
			},
		},
		{
			"the limit leaves the counts alone", "external_reference,phone\nC-1,1\nC-2,2\nC-3,3\n", defaults, 2,
			CheckResult{
				Read: 3, Rejected: 3, Problems: []CheckProblem{{Line: 2, Column: "phone", Rule: "bad_phone"}, {Line: 3, Column: "phone", Rule: "bad_phone"}},
				Rules: []RuleCount{{"bad_phone", 3}},
			},
		},
		{
			"what only the whole file shows", "external_reference,name\nC-1,Ann\nC-2,\"Bo\nb\"\nC-1,Bob\nC-2,\"Bo\nb\"\n", defaults, 20,
			CheckResult{
				Read: 4, Good: 1, Duplicate: 1, Rejected: 2,
				Problems: []CheckProblem{{Line: 2, Column: "external_reference", Rule: "conflicting_rows"}, {Line: 5, Column: "external_reference", Rule: "conflicting_rows"}},
				Rules:    []RuleCount{{"conflicting_rows", 2}},
			},
		},
		{
			"the configuration counts", "external_reference,balance\nC-1,5\n", noCurrency, 20,
			CheckResult{Read: 1, Rejected: 1, Problems: []CheckProblem{{Line: 2, Column: "currency", Rule: "missing_currency"}}, Rules: []RuleCount{{"missing_currency", 1}}},
		},
		{
			"a fault of the file", "name,balance\nAnn,5\n", defaults, 20,
			CheckResult{Fault: &CheckProblem{Line: 1, Column: "external_reference", Rule: "missing_column"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := fileWith(t, "customers.csv", tt.text)
			if err := os.WriteFile(path+".done", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Check(t.Context(), path, tt.files, CheckOptions{Problems: tt.limit})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range append(got.Problems, deref(got.Fault)) {
				if p.Rule != "" && len(p.Remedy) < 10 {
					t.Errorf("%+v has no remedy", p)
				}
			}
			withoutRemedies(got)
			got.Profile = nil // see TestProfile
			tt.want.File = path
			if diff := cmp.Diff(filled(tt.want), *got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Clean() != (tt.want.Rejected == 0 && tt.want.Fault == nil) {
				t.Errorf("clean is %v", got.Clean())
			}
		})
	}
}

func deref(p *CheckProblem) CheckProblem {
	if p == nil {
		return CheckProblem{}
	}
	return *p
}

func withoutRemedies(r *CheckResult) {
	for i := range r.Problems {
		r.Problems[i].Remedy = ""
	}
	if r.Fault != nil {
		r.Fault.Remedy = ""
	}
}

// filled has the empty lists that JSON shows.
func filled(r CheckResult) CheckResult {
	if r.Problems == nil {
		r.Problems = []CheckProblem{}
	}
	if r.Rules == nil {
		r.Rules = []RuleCount{}
	}
	return r
}

func TestProfile(t *testing.T) {
	path := fileWith(t, "customers.csv", "external_reference;phone;email;balance;currency\n"+
		"A;+27821234567;a@example.com;500;ZAR\nB;;b@example.com;-20;ZAR\nC;;;9223372036854775807;ZAR\nD;;;7;JPY\nE;;;;\nF;1;;1;ZAR\n")
	got, err := Check(t.Context(), path, config.Default().Files, CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Profile{Encoding: "utf-8", Delimiter: ";", Records: 5, WithPhone: 1, WithEmail: 2, Currencies: []CurrencyTotal{
		{Currency: "JPY", Balances: 1, Total: "7", Lowest: 7, Highest: 7},
		{Currency: "ZAR", Balances: 3, Total: "9223372036854776287", Lowest: -20, Highest: 9223372036854775807},
	}}
	if diff := cmp.Diff(want, got.Profile, cmpopts.IgnoreUnexported(CurrencyTotal{})); diff != "" {
		t.Error(diff)
	}
	if total, lowest, highest := got.Profile.Currencies[1].Major(); total != "92233720368547762.87" || lowest != "-0.20" || highest != "92233720368547758.07" {
		t.Error(total, lowest, highest)
	}
}

// Whatever is in a file, a check must say of it what a dry run of the import does.
func TestCheckIsLikeImport(t *testing.T) {
	cells := []string{"A", "B", "A", "C 1", "", "+27821234567", "x@example.com", "\"two\nlines\"", "é", "1", "-5", "1.5"}
	rapid.Check(t, func(rt *rapid.T) {
		var b strings.Builder
		b.WriteString("external_reference,name,balance\n")
		for range rapid.IntRange(0, 12).Draw(rt, "rows") {
			row := rapid.SliceOfN(rapid.SampledFrom(cells), 2, 4).Draw(rt, "row")
			b.WriteString(strings.Join(row, ",") + rapid.SampledFrom([]string{"\n", "\r\n", "\n\n"}).Draw(rt, "end"))
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "customers.csv")
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			rt.Fatal(err)
		}
		files := config.Default().Files
		got, err := Check(t.Context(), path, files, CheckOptions{Problems: 20, Rejects: filepath.Join(dir, "rejects.csv")})
		if err != nil {
			rt.Fatal(err)
		}
		file := importer.File{
			Open: func() (io.ReadCloser, error) { return os.Open(path) }, Customs: customerOptions(files), Scratch: dir, Ledger: noRecords{},
		}
		im := importer.New(nil, importer.Options{Existing: importer.Update, DryRun: true, Now: time.Now})
		survey, err := im.Survey(t.Context(), file)
		if err != nil {
			rt.Fatal(err)
		}
		var outcomes, rejects strings.Builder
		account, err := im.Account(t.Context(), file, survey, &outcomes, &rejects)
		if err != nil {
			rt.Fatal(err)
		}
		if got.Read != account.Read || got.Rejected != account.Counts[formats.Rejected] || got.Duplicate != account.Counts[formats.Duplicate] {
			rt.Fatalf("%q: %+v, and an import %v", b.String(), got, account.Counts)
		}
		text, err := os.ReadFile(filepath.Join(dir, "rejects.csv"))
		if diff := cmp.Diff(rejects.String(), string(text)); err != nil || diff != "" {
			rt.Fatal(err, diff)
		}
	})
}

// A file of many chunks, with every kind of record somewhere, and a reference that comes again far away.
func TestCheckLarge(t *testing.T) {
	var b strings.Builder
	b.WriteString("external_reference,name,phone\n")
	for i := range 3000 {
		phone := ""
		if i%7 == 0 {
			phone = "12"
		}
		fmt.Fprintf(&b, "C-%d,\"two\nlines\",%s\n", i%2900, phone)
	}
	got, err := Check(t.Context(), fileWith(t, "large.csv", b.String()), config.Default().Files, CheckOptions{Problems: 5})
	if err != nil {
		t.Fatal(err)
	}
	if got.Read != 3000 || got.Good+got.Duplicate+got.Rejected != got.Read || got.Duplicate == 0 || len(got.Problems) != 5 {
		t.Errorf("%+v", got)
	}
	if want := 2 + 7*2; got.Problems[2].Line != want {
		t.Errorf("the third problem, of record 8, is at line %d, want %d", got.Problems[2].Line, want)
	}
	total := 0
	for _, r := range got.Rules {
		total += r.Count
	}
	if total != got.Rejected {
		t.Errorf("%d problems in %d records of one problem each", total, got.Rejected)
	}
}

func TestCheckRefuses(t *testing.T) {
	var wrong *InputError
	for _, path := range []string{filepath.Join(t.TempDir(), "none.csv"), t.TempDir()} {
		if _, err := Check(t.Context(), path, config.Default().Files, CheckOptions{Problems: 20}); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	long := fileWith(t, "long.csv", "external_reference\n"+strings.Repeat("C-1\n", 5000))
	if _, err := Check(ctx, long, config.Default().Files, CheckOptions{Problems: 20}); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interruption: %v", err)
	}
}
