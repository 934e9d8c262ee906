package main

import (
	"fmt"

	"tallyman/formats"
)

// matchText is what a person sees of the match with Moment's own reports; nothing if none was given.
func matchText(c formats.Completeness) string {
	if c.Match == nil {
		return ""
	}
	proof := "no event was missed"
	if !c.Proven {
		proof = "it is not proven that no event was missed"
	}
	return fmt.Sprintf("  Moment's reports: %d payments in both (%d with another amount), %d only in the journal, %d only in the reports, %d refunds; %s\n",
		c.Match.Both, c.Match.AmountDiffers, c.Match.WebhookOnly, c.Match.ReportOnly, c.Match.Refunds, proof)
}
