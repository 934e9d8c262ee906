package nightly

import (
	"context"
	"fmt"
	"os"
	"time"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/ledger"
)

// Approval is a person's word that a held file is right, as a run tells it that imports the file.
type Approval struct {
	HeldFor    string    `json:"held_for"`
	Reason     string    `json:"reason"`
	By         string    `json:"by"`
	ApprovedAt time.Time `json:"approved_at"`
}

// hold notes that nothing of a file is sent.
func (r *FileResult) hold(s *importer.Survey) {
	r.State, r.Read = ledger.FileHeld, s.Records
	r.Outcomes = map[formats.Outcome]int{formats.NotAttempted: s.Records}
}

// recall notes in the result what is on record of a file that was not finished: that a person approved it, and of a new
// day file, that it corrects an earlier one.
func (n *Night) recall(ctx context.Context, row ledger.File, result *FileResult) error {
	if n.ledger == nil || row.State == ledger.FileDone {
		return nil
	}
	approval, ok, err := n.ledger.ApprovalOf(ctx, row.ID)
	if err != nil {
		return err
	}
	if ok {
		a := Approval(approval)
		result.Approval = &a
	}
	if !row.DayFile {
		return nil
	}
	before, ok, err := n.ledger.Corrected(ctx, row)
	if ok {
		result.Corrects = before.SHA256[:12]
		result.Notes = append(result.Notes, fmt.Sprintf("a correction: the day file of %s came before with other content (%s, %s)", row.BusinessDate, result.Corrects, before.State))
	}
	return err
}

// send sends the file; of the first file ever, a few records before the others, if imports.canary says so.
func (n *Night) send(ctx context.Context, im *importer.Importer, file importer.File, row ledger.File, s *importer.Survey, result *FileResult) error {
	few := n.config.Imports.Canary
	if few == 0 || few >= s.Records || n.options.DryRun || result.Approval != nil {
		return im.Send(ctx, file, s)
	}
	first, err := n.ledger.FirstEver(ctx, row.ID)
	if err != nil {
		return err
	}
	if !first {
		return im.Send(ctx, file, s)
	}
	canary := file
	canary.First = few
	if err := im.Send(ctx, canary, s); err != nil {
		return err
	}
	sent, wrong, err := n.canaryAnswers(ctx, row, few)
	if err != nil {
		return err
	}
	if wrong == "" {
		result.Notes = append(result.Notes, fmt.Sprintf("the first %s records were sent alone, %s of them had an answer, and all is well (imports.canary)", grouped(few), grouped(sent)))
		return im.Send(ctx, file, s)
	}
	result.Held = []Hold{{guardCanary, fmt.Sprint(few), wrong}}
	return nil
}

// canaryAnswers looks at what Moment said of the first records: how many it answered, and what is wrong, if anything is.
func (n *Night) canaryAnswers(ctx context.Context, row ledger.File, few int) (sent int, wrong string, err error) {
	rows, err := n.ledger.Rows(ctx, row.ID, 1, few)
	if err != nil {
		return 0, "", err
	}
	bad := 0
	var example ledger.Row
	for _, r := range rows {
		if r.Operation == ledger.OperationNone {
			continue
		}
		sent++
		switch r.Result.Outcome {
		case formats.Created, formats.Updated, formats.Unchanged:
		default:
			if bad == 0 {
				example = r
			}
			bad++
		}
	}
	if bad == 0 {
		return sent, "", nil
	}
	return sent, fmt.Sprintf("%s of the first %s records that were sent were not taken; the first at line %d: %s, %s",
		grouped(bad), grouped(sent), example.Result.Line, example.Result.Outcome, example.Result.Reason), nil
}

// released returns the files that a person has approved and that are not among those at hand: from their kept bytes.
func (n *Night) released(ctx context.Context, atHand []customerFile) ([]customerFile, error) {
	if n.ledger == nil {
		return nil, nil
	}
	approved, err := n.ledger.Approved(ctx)
	if err != nil {
		return nil, err
	}
	there := map[[2]string]bool{}
	for _, f := range atHand {
		there[[2]string{f.date, f.sha256}] = true
	}
	var files []customerFile
	for _, f := range approved {
		path := n.kept(f.SHA256)
		if _, err := os.Stat(path); err != nil || there[[2]string{f.BusinessDate, f.SHA256}] {
			// Without its bytes it waits until the file itself is imported again; status says so.
			continue
		}
		files = append(files, customerFile{name: f.Name, path: path, sha256: f.SHA256, date: f.BusinessDate, dayFile: f.DayFile, retried: true})
	}
	return files, nil
}
