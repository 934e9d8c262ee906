package journal

import (
	"fmt"
	"strconv"
)

// Kind is a kind of damage, or of a notice.
type Kind string

// What can be wrong with a journal. Every one of them needs a person.
const (
	Edited          Kind = "edited"           // a line is not what it was when the next one was written
	LostLines       Kind = "lost_lines"       // lines are missing before this one
	Swapped         Kind = "swapped"          // a line stands out of its order, or twice
	Unparsable      Kind = "unparsable"       // a line that is no record of this journal
	TornTail        Kind = "torn_tail"        // the end was never written whole
	TailLost        Kind = "tail_lost"        // the head, or an earlier report, knows lines that are not there
	HeadMismatch    Kind = "head_mismatch"    // the head, or an earlier report, knows another line than the one that is there
	HeadUnreadable  Kind = "head_unreadable"  // the head file makes no sense
	HeadMissing     Kind = "head_missing"     // segments without a head file: a lost end would not show
	BadSignature    Kind = "bad_signature"    // a signature whose secret is at hand does not verify
	UnreadableInput Kind = "unreadable_input" // a compressed file that breaks off or is damaged
)

// What is worth knowing of a journal, with nothing to fix.
const (
	StartsLate   Kind = "starts_late"   // older segments are archived elsewhere
	BeingWritten Kind = "being_written" // the last line was just being written while it was read
	ForeignFile  Kind = "foreign_file"  // a file of lines that is no segment of the journal
)

// maxFindings bounds the list of damage, so that memory stays flat whatever
// state a journal is in; the rest is counted.
const maxFindings = 1000

// Finding is one damage or notice.
type Finding struct {
	Kind   Kind   `json:"kind"`
	File   string `json:"file"`             // name without directory; empty if it is not about one file
	Line   int64  `json:"line,omitempty"`   // from 1; 0 if it is about the whole file
	Offset int64  `json:"offset,omitempty"` // of the first byte of the line in the file, uncompressed
	Detail string `json:"detail"`           // a sentence for people
}

// String returns file:line, the kind and the detail.
func (f Finding) String() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s: %s", f.File, f.Kind, f.Detail)
	}
	return fmt.Sprintf("%s:%d: %s at byte %d: %s", f.File, f.Line, f.Kind, f.Offset, f.Detail)
}

// findings is a bounded list.
type findings struct {
	list  []Finding
	count int64
}

func (f *findings) add(kind Kind, at position, format string, args ...any) {
	f.count++
	if len(f.list) < maxFindings {
		f.list = append(f.list, Finding{kind, at.file, at.line, at.offset, fmt.Sprintf(format, args...)})
	}
}

// position is where a line stands.
type position struct {
	file   string
	line   int64
	offset int64
}

func (p position) known() bool { return p.line > 0 }

func (p position) text() string { return p.file + ":" + strconv.FormatInt(p.line, 10) }
