package main

import (
	"fmt"

	"tallyman/formats"
	"tallyman/internal/config"
	"tallyman/internal/moment"
	"tallyman/internal/nightly"
	"tallyman/reconciler"
)

// liveComparison is how a report of `tallyman reconcile` compares balances with what Moment shows. A configuration that
// cannot reach Moment is no reason to go without the report. end gives the connections back.
func (a *app) liveComparison(cfg *config.Config, mode string) (c nightly.LiveComparison, end func()) {
	c = nightly.LiveComparison{Mode: mode, Concurrency: cfg.API.Concurrency}
	if mode == reconciler.LiveNone {
		return c, func() {}
	}
	whole, err := a.config(config.SectionAPI)
	if err != nil {
		c.Off = "the configuration cannot reach Moment: tallyman doctor says why"
		return c, func() {}
	}
	api := whole.API
	client := moment.New(moment.Options{
		BaseURL: api.BaseURL, Key: api.Key.Reveal(), Rate: float64(api.Rate), Adaptive: api.Adaptive, Concurrency: api.Concurrency,
		Timeout: api.Timeout, GiveUpAfter: api.GiveUpAfter, UserAgent: "tallyman/" + readVersion().Version,
	})
	c.API = client
	return c, client.Close
}

// liveText is what a person sees of the comparison.
func liveText(l formats.Live) string {
	switch {
	case l.Mode == reconciler.LiveNone:
		return ""
	case l.Compared == 0 && l.Stopped == "":
		return "  live: nobody to compare\n"
	}
	text := fmt.Sprintf("  live: %d balances compared with what Moment shows, %d drifted", l.Compared, l.Drift)
	switch l.LowersBalance {
	case formats.LowersYes:
		text += "; Moment lowers a balance when it is paid"
	case formats.LowersNo:
		text += "; Moment does not lower a balance when it is paid"
	}
	if l.Stopped != "" {
		text += "; stopped: " + l.Stopped
	}
	return text + "\n"
}
