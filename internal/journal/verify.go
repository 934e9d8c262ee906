package journal

import (
	"context"
	"fmt"

	"tallyman/formats"
)

// Report is what Verify found.
type Report struct {
	Summary
	Verified   int64 // lines whose signature was made by a secret at hand
	Unverified int64 // lines whose secret is not at hand, and bare events
	Failed     int64 // lines whose signature is wrong; each is in Damage too
}

// Verify reads a whole journal, a directory or a file, checks its chain, its
// head files and every signature whose secret is at hand, and names each damage
// by file, line and byte. known are lines that must be there still. It changes
// nothing, takes constant memory, and may run while the receiver writes. The
// journal is whole if DamageCount is 0.
func Verify(ctx context.Context, path string, secrets Secrets, known ...Witness) (Report, error) {
	var report Report
	s, err := newScan(path, nil)
	if err != nil {
		return Report{}, err
	}
	s.work.Secrets, s.known = secrets, append(s.known, known...)
	s.work.Key = formats.NewEventKey() // not for the events: their reader is the quickest for lines
	s.fn = func(l Line) error {
		switch l.Signature {
		case Verified:
			report.Verified++
		case Unverified:
			report.Unverified++
		case Failed:
			report.Failed++
			s.damage.add(BadSignature, l.position(), "the secret %s did not make the signature of this line", l.Record.Key)
		}
		return nil
	}
	s.wantHead()
	if report.Summary, err = s.run(ctx); err != nil {
		return Report{}, fmt.Errorf("verify journal: %w", err)
	}
	return report, nil
}

// wantHead names segments without a head.
func (s *scan) wantHead() {
	if !s.own && s.hasSegments() {
		s.own = true
		s.damage.add(HeadMissing, position{file: headName}, "without it nobody can tell whether the end of the journal is there: take it from a backup")
	}
}

// hasSegments reports whether the path is a directory with segments in it.
func (s *scan) hasSegments() bool {
	if len(s.files) == 1 && s.files[0] == s.path {
		return false
	}
	segments, err := Segments(s.path)
	return err == nil && len(segments) > 0
}
