package nightly

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/mailtest"
	"tallyman/internal/sandbox"
)

// A report that cannot be sent is said, kept, and sent by the next run; nobody's name stands in a subject.
func TestMailIsSentNextTime(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	box := mailtest.Start(t, mailtest.Options{Username: "acme", Password: "secret", Refuse: true})
	w.cfg.Notify.SMTP = config.SMTP{
		Address: box.Address, TLS: "starttls", From: "tallyman@example.com", To: []string{"finance@example.com"},
		Username: "acme", Password: config.NewSecret("secret", "test"),
	}
	night := func(date string) *Result {
		t.Helper()
		n, err := Open(t.Context(), Options{Config: w.cfg, Command: "run", Version: "test", Log: quiet(), Now: w.clock.Now, MailRoots: box.Roots})
		if err != nil {
			t.Fatal(err)
		}
		r, err := n.Run(t.Context(), RunRequest{Date: date, Secrets: journal.Secrets{w.key}})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		return r
	}
	w.leave("2026-03-16", "A,Thandiwe Nkosi,ZAR,10000,2026-03-01")
	first := night("2026-03-16")
	if len(first.Faults) != 1 || !strings.Contains(first.Faults[0], "the report for 2026-03-16 could not be sent by mail and will be next time") || first.ExitCode() != ExitNeedsPerson {
		t.Errorf("%q, exit %d", first.Faults, first.ExitCode())
	}
	box.Refuse(false)
	w.clock.at(t, "2026-03-17T04:30:00Z")
	w.leave("2026-03-17", "A,Thandiwe Nkosi,ZAR,10001,2026-03-01")
	if second := night("2026-03-17"); len(second.Faults) != 0 || len(second.Report.Reasons) != 0 {
		t.Errorf("%q, %q", second.Faults, second.Report.Reasons)
	}
	taken := box.Taken()
	if len(taken) != 2 || !strings.Contains(taken[0].Data, "Subject: sandbox 2026-03-16: all right\r\n") || !strings.Contains(taken[1].Data, "Subject: sandbox 2026-03-17: all right\r\n") {
		t.Fatalf("%d messages: %v", len(taken), taken)
	}
	for _, m := range taken {
		header, _, _ := strings.Cut(m.Data, "\r\n\r\n")
		if strings.Contains(header, "Thandiwe") || !strings.Contains(m.Data, "report.xlsx") || !m.TLS {
			t.Errorf("%s", header)
		}
	}
	if left := names(t, filepath.Join(w.cfg.DataDir, "mail")); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

// A report that is gone by the time it could be sent is dropped, and that is said once.
func TestMailOfAReportThatIsGone(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	box := mailtest.Start(t, mailtest.Options{})
	w.cfg.Notify.SMTP = config.SMTP{Address: box.Address, TLS: "starttls", From: "a@example.com", To: []string{"b@example.com"}}
	n := w.open("run")
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := os.MkdirAll(n.letters(), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(n.letters(), "x.json")
	if err := os.WriteFile(path, []byte(`{"run":"x","report":"/nowhere","date":"2026-03-15"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	result := &Result{}
	if err := n.sendLetters(t.Context(), result); err != nil || len(result.Faults) != 1 || !strings.Contains(result.Faults[0], "the report for 2026-03-15 is no longer there") {
		t.Errorf("%q, %v", result.Faults, err)
	}
	if left := names(t, n.letters()); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}
