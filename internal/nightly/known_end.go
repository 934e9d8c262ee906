package nightly

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tallyman/formats"
	"tallyman/internal/journal"
)

// reading says what a journal must hold: our own one a HEAD, and the line that the last report ended with.
func (q ReportRequest) reading(path string) (work journal.Work) {
	work.Ours = q.Optional
	if q.Optional && slices.Contains(q.Journals, path) {
		work.Known = LastReported(q.Reports)
	}
	return work
}

// LastReported returns what the last report below a reports directory that read a journal knows of its end; nothing if
// there is none. Whoever can change the journal and its HEAD may have forgotten the reports.
func LastReported(reports string) []journal.Witness {
	if reports == "" {
		return nil
	}
	paths, _ := ReportedExceptions(reports) // its only error is that of a wrong pattern
	for _, path := range paths {
		dir := filepath.Dir(path)
		text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
		var summary formats.Summary
		if err != nil || json.Unmarshal(text, &summary) != nil || summary.Journal.Seq == 0 {
			continue
		}
		return []journal.Witness{{
			Seq: summary.Journal.Seq, Hash: summary.Journal.SHA256,
			Source: filepath.Base(filepath.Dir(dir)) + "/" + filepath.Base(dir) + "/summary.json",
		}}
	}
	return nil
}

// gone is what is said of a journal that is not there although an earlier report has read it.
func gone(known []journal.Witness) journal.Summary {
	var s journal.Summary
	for _, w := range known {
		s.Damage = append(s.Damage, journal.Finding{
			Kind: journal.TailLost, File: w.Source,
			Detail: fmt.Sprintf("it read the journal up to line number %d, and there is no journal now: put it back from a backup", w.Seq),
		})
	}
	return s
}
