package nightly

import (
	"context"
	"errors"
	"io"

	"tallyman/formats"
)

// writeRejects reads the records again and writes those that were rejected as an import does.
func (c *check) writeRejects(ctx context.Context, records *formats.CustomerReader, w io.Writer) error {
	rejects, err := formats.NewRejectsWriter(w, records)
	if err != nil {
		return err
	}
	conflicts := c.conflicts
	for {
		record, err := records.Next()
		if errors.Is(err, io.EOF) {
			return rejects.Flush()
		}
		if err != nil {
			return err
		}
		reason, detail := "", ""
		switch {
		case len(record.Problems) > 0:
			reason, detail = formats.Explain(record.Problems)
		case len(conflicts) > 0 && conflicts[0].Number == record.Number:
			reason, detail = formats.ConflictingRows, "external_reference: "+conflicts[0].Remedy()
			conflicts = conflicts[1:]
		default:
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := rejects.Write(record.Raw, reason, detail); err != nil {
			return err
		}
	}
}
