package nightly

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"tallyman/internal/config"
	"tallyman/internal/sandbox"
)

func TestConcurrencyNote(t *testing.T) {
	for _, at := range []struct {
		name        string
		concurrency int
		requests    int64
		took, held  float64
		want        string
	}{
		{"held", 8, 3100, 100, 40, "api.concurrency (8) held the pace at 31/s of the 50/s configured: raise it to about 13"},
		{"held nearly always", 1, 400, 100, 95, "api.concurrency (1) held the pace at 4/s of the 50/s configured: raise it to about 13"},
		{"far from enough", 200, 1000, 100, 90, "api.concurrency (200) held the pace at 10/s of the 50/s configured: raise it to about 256"},
		{"as many as can be", 256, 1000, 100, 90, ""},
		{"too few requests to tell", 8, 199, 10, 5, ""},
		{"held by something else", 8, 3100, 100, 9, ""},
		{"close to the rate", 8, 4800, 100, 40, ""},
	} {
		var want []string
		if at.want != "" {
			want = []string{at.want}
		}
		api := config.API{Rate: 50, Concurrency: at.concurrency}
		if got := concurrencyNote(api, at.requests, at.took, at.held); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", at.name, got, want)
		}
	}
}

// customers are rows of a day file.
func customers(n int) (rows []string) {
	for i := range n {
		rows = append(rows, fmt.Sprintf("C%d,Ann,ZAR,100,", i))
	}
	return rows
}

// An import that api.concurrency held back says so, unless it was refused: then more at once would be refused as well.
func TestImportHeldByConcurrency(t *testing.T) {
	held := regexp.MustCompile(`^api\.concurrency \(2\) held the pace at [0-9]+/s of the 5000/s configured: raise it to about [0-9]+$`)
	for _, refuse := range []bool{false, true} {
		w := newWorld(t, sandbox.Options{FaultFunc: func(_ *http.Request, n int) sandbox.Fault {
			if refuse && n == 100 {
				return sandbox.Fault{Kind: sandbox.TooMany}
			}
			return sandbox.Fault{Delay: 5 * time.Millisecond}
		}})
		w.cfg.API.Concurrency = 2
		w.leave("2026-03-16", customers(250)...)
		r := w.night("2026-03-16")
		told := slices.ContainsFunc(r.Files[0].Notes, held.MatchString)
		if told == refuse || (r.Throttled > 0) != refuse {
			t.Errorf("refused %d times: notes %q", r.Throttled, r.Files[0].Notes)
		}
	}
}

// api.adaptive begins at five requests a second, whatever the rate.
func TestAdaptiveIsWired(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	w.cfg.API.Adaptive = true
	w.leave("2026-03-16", customers(6)...)
	begin := time.Now()
	if r := w.night("2026-03-16"); r.Requests != 6 {
		t.Errorf("%d requests", r.Requests)
	}
	if took := time.Since(begin); took < 900*time.Millisecond {
		t.Errorf("six requests within %s", took)
	}
}
