package nightly

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tallyman/formats"
	"tallyman/internal/moment"
	"tallyman/internal/sandbox"
)

// The sandbox can be either Moment, and each is found out; a balance that somebody else changed there is a drift.
func TestLive(t *testing.T) {
	for lowers, word := range map[bool]string{true: formats.LowersYes, false: formats.LowersNo} {
		t.Run(word, func(t *testing.T) {
			w := newWorld(t, sandbox.Options{LowerBalance: lowers})
			w.cfg.Reconcile.Live = "all"
			w.leave("2026-03-16", "A,Ann,ZAR,10000,", "B,Ben,ZAR,500,", "C,Cid,ZAR,700,")
			w.night("2026-03-16")
			w.clock.at(t, "2026-03-16T10:00:00Z")
			if _, err := w.api.Pay(sandbox.Payment{CustomerID: w.id("A"), Amount: 4000, Currency: "ZAR"}); err != nil {
				t.Fatal(err)
			}
			w.pay("1", w.id("A"), 4000, "2026-03-16T09:59:00Z")
			r := w.night("2026-03-16")
			if live := r.Report.Summary.Live; live.LowersBalance != word || live.Compared != 3 || live.Drift != 0 || live.Stopped != "" {
				t.Errorf("%+v", live)
			}
			shown, difference := "100.00", "40.00"
			if lowers {
				shown, difference = "60.00", "0.00"
			}
			if row := w.balance(r.Report, "A"); row["live_balance"] != shown || row["live_difference"] != difference {
				t.Errorf("A: %+v", row)
			}
			w.later()
			w.overwrite("B", 450)
			r = w.night("2026-03-16")
			if live := r.Report.Summary.Live; live.Drift != 1 || r.ExitCode() != ExitNeedsPerson {
				t.Errorf("%+v, exit %d", live, r.ExitCode())
			}
			if row := w.balance(r.Report, "B"); row["live_difference"] != "-0.50" {
				t.Errorf("B: %+v", row)
			}
			// Asserted anew, the break is closed.
			w.later()
			w.overwrite("B", 500)
			if got := w.files(w.night("2026-03-16").Report)["exceptions.csv"]; !strings.Contains(got, ",closed,balance_drift,B,") {
				t.Error(got)
			}
		})
	}
}

// later lets a minute go by: reports are in order of time.
func (w *world) later() { w.clock.now = w.clock.now.Add(time.Minute) }

// overwrite changes a balance at Moment behind everybody's back.
func (w *world) overwrite(reference string, balance int64) {
	w.t.Helper()
	client := moment.New(moment.Options{
		BaseURL: w.cfg.API.BaseURL, Key: w.cfg.API.Key.Reveal(), Rate: 100, Concurrency: 1, Timeout: 10 * time.Second, GiveUpAfter: time.Minute,
	})
	defer client.Close()
	if a := client.Update(w.t.Context(), reference, fmt.Appendf(nil, `{"balance":%d,"currency":"ZAR"}`, balance)); a.Class != moment.OK {
		w.t.Fatal(a.Class, a.Problem)
	}
}

// After the next day's file the balance at Moment is that file's: compared is what is known by now, not what was known
// at the end of the date.
func TestLiveAfterTheNextFile(t *testing.T) {
	w := newWorld(t, sandbox.Options{LowerBalance: true})
	w.cfg.Reconcile.Live = "all"
	w.leave("2026-03-16", "A,Ann,ZAR,10000,")
	w.night("2026-03-16")
	w.clock.at(t, "2026-03-17T04:30:00Z")
	w.leave("2026-03-17", "A,Ann,ZAR,12300,")
	r := w.night("2026-03-16")
	if live := r.Report.Summary.Live; live.Compared != 1 || live.Drift != 0 {
		t.Errorf("%+v", live)
	}
	if row := w.balance(r.Report, "A"); row["closing_balance"] != "100.00" || row["live_balance"] != "123.00" || row["live_difference"] != "0.00" {
		t.Errorf("%+v", row)
	}
}

// An API that does not answer costs the comparison and not the report; a break that nobody could look for stays open.
func TestLiveWithoutAPI(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.cfg.Reconcile.Live = "all"
	w.leave("2026-03-16", "A,Ann,ZAR,10000,", "B,Ben,ZAR,1,", "C,Cid,ZAR,1,", "D,Dan,ZAR,1,", "E,Eve,ZAR,1,")
	w.night("2026-03-16")
	w.later()
	w.overwrite("A", 1)
	w.night("2026-03-16")
	for status, word := range map[int]string{http.StatusUnauthorized: "refuses the API key (401)", http.StatusInternalServerError: "answers 500", http.StatusFound: "cannot be asked"} {
		w.later()
		var requests atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			rw.WriteHeader(status)
		}))
		w.cfg.API.BaseURL, w.cfg.API.Concurrency = server.URL, 1
		r := w.night("2026-03-16")
		server.Close()
		live := r.Report.Summary.Live
		if !strings.Contains(live.Stopped, word) || live.Compared != 0 || r.ExitCode() != ExitNeedsPerson {
			t.Errorf("%d: %+v, exit %d", status, live, r.ExitCode())
		}
		if n := requests.Load(); n > liveTries*livePatience {
			t.Errorf("%d: %d requests to an API that does not work", status, n)
		}
		i := slices.IndexFunc(r.Report.Summary.Exceptions, func(e formats.ExceptionTotal) bool {
			return e.Severity == formats.SeverityBreak && e.Reason == formats.ReasonBalanceDrift
		})
		if i < 0 {
			t.Errorf("%d: the drift is gone: %+v", status, r.Report.Summary.Exceptions)
		}
	}
}

// A dry run asks nobody.
func TestLiveDryRun(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.cfg.Reconcile.Live = "all"
	w.leave("2026-03-16", "A,Ann,ZAR,10000,")
	w.night("2026-03-16")
	n, err := Open(t.Context(), Options{Config: w.cfg, Command: "run", Version: "test", DryRun: true, Log: quiet(), Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Run(t.Context(), RunRequest{Date: "2026-03-16"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if live := r.Report.Summary.Live; live.Stopped == "" || live.Compared != 0 || r.ExitCode() != ExitDone {
		t.Errorf("%+v, exit %d", live, r.ExitCode())
	}
}
