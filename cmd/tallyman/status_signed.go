package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tallyman/internal/ledger"
	"tallyman/internal/nightly"
	"tallyman/internal/overview"
)

// statusSigned is how many signatures the overview shows; of older ones those whose figures have moved.
const statusSigned = 5

// signedInfo is a signature, and what has become of the figures.
type signedInfo struct {
	BusinessDate string           `json:"business_date"`
	By           string           `json:"by"`
	Note         string           `json:"note"`
	At           time.Time        `json:"at"`
	Report       string           `json:"report"` // the directory's name of the report that was signed
	Latest       string           `json:"latest"` // of the last one of the same period
	Moved        []overview.Moved `json:"moved"`
}

// signedReports compares every signature with the last report of its period.
func signedReports(ctx context.Context, l *ledger.Ledger) ([]signedInfo, error) {
	list := []signedInfo{}
	signatures, err := l.Signatures(ctx, "")
	if err != nil {
		return nil, err
	}
	for i, s := range signatures {
		latest, _, err := l.LatestReport(ctx, s.Report.Period)
		if err != nil {
			return nil, err
		}
		story := nightly.SignedStory(s, latest.Figures)
		if i < statusSigned || len(story.Moved) > 0 {
			list = append(list, signedInfo{
				BusinessDate: s.Report.BusinessDate, By: s.By, Note: s.Note, At: s.SignedAt, Report: s.Report.Name, Latest: latest.Name, Moved: story.Moved,
			})
		}
	}
	return list, nil
}

// signedText is the overview's part about signatures; empty if nobody has signed.
func signedText(list []signedInfo, zone *time.Location) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nSIGNED\n")
	for _, s := range list {
		story := overview.Signed{Moved: s.Moved}
		fmt.Fprintf(&b, "  %s  by %s  %s  %s\n", s.BusinessDate, printable(s.By), shortTime(s.At, zone), printable(story.Story()))
	}
	return b.String()
}

// afterSigned is what signatures leave to do.
func afterSigned(list []signedInfo) []nextStep {
	var steps []nextStep
	for _, s := range list {
		if len(s.Moved) > 0 {
			steps = append(steps, nextStep{
				fmt.Sprintf("the figures for %s have moved since %s signed them", s.BusinessDate, s.By),
				fmt.Sprintf("look at changes.csv in the report %s, then tallyman sign --report DIR --by NAME", s.Latest),
			})
		}
	}
	return steps
}
