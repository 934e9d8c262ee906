package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tallyman/internal/journal"
)

func newJournalListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "ls [PATH]",
		Short:   "List the segments of a journal",
		Long:    `Lists name, first and last number, lines, bytes, and first and last time of receipt of each segment.`,
		Example: "  tallyman journal ls",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJournalList(cmd.Context(), a, args)
		},
	}
}

// segmentInfo is one file of a journal as its lines show it. Numbers are 0 and times zero where no line tells them.
type segmentInfo struct {
	Name      string    `json:"name"`
	FirstSeq  int64     `json:"first_seq"`
	LastSeq   int64     `json:"last_seq"`
	Lines     int64     `json:"lines"`
	Bytes     int64     `json:"bytes"`
	FirstTime time.Time `json:"first_time,omitzero"`
	LastTime  time.Time `json:"last_time,omitzero"`
}

// listAnswer is what `tallyman journal ls --json` says.
type listAnswer struct {
	Path     string        `json:"path"`
	Segments []segmentInfo `json:"segments"`
}

func runJournalList(ctx context.Context, a *app, args []string) error {
	path, missing, err := a.journalPath(args)
	if err != nil {
		return err
	}
	answer := listAnswer{Path: path, Segments: []segmentInfo{}}
	if missing {
		return a.answer(answer, noJournal(path))
	}
	files, err := segmentFiles(path)
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := readSegment(ctx, file)
		if err != nil {
			return err
		}
		answer.Segments = append(answer.Segments, info)
	}
	return a.answer(answer, listText(answer))
}

// segmentFiles returns the segments of a journal's directory, or the one file that was named.
func segmentFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("list journal: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	segments, err := journal.Segments(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, s := range segments {
		files = append(files, s.Path)
	}
	return files, nil
}

// readSegment reads one file of a journal from beginning to end.
func readSegment(ctx context.Context, path string) (segmentInfo, error) {
	s := segmentInfo{Name: filepath.Base(path)}
	info, err := os.Stat(path)
	if err != nil {
		return s, fmt.Errorf("list journal: %w", err)
	}
	s.Bytes = info.Size()
	_, err = journal.Read(ctx, path, func(line journal.Line) error {
		s.Lines++
		if r := line.Record; line.Err == nil && !r.Bare {
			if s.FirstSeq == 0 {
				s.FirstSeq, s.FirstTime = r.Seq, r.ReceivedAt
			}
			s.LastSeq, s.LastTime = r.Seq, r.ReceivedAt
		}
		return nil
	})
	return s, err
}

// lastReceived returns the youngest segment of a journal that has a line, and whether there is one.
func lastReceived(ctx context.Context, dir string) (s segmentInfo, ok bool, err error) {
	segments, err := journal.Segments(dir)
	if errors.Is(err, os.ErrNotExist) {
		return s, false, nil
	}
	if err != nil {
		return s, false, err
	}
	for i := len(segments) - 1; i >= 0; i-- {
		if s, err = readSegment(ctx, segments[i].Path); err != nil || s.LastSeq > 0 {
			return s, err == nil, err
		}
	}
	return s, false, nil
}

func listText(answer listAnswer) string {
	if len(answer.Segments) == 0 {
		return answer.Path + ": no segments\n"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "SEGMENT\tSEQ\tLINES\tBYTES\tFIRST\tLAST")
	for _, s := range answer.Segments {
		_, _ = fmt.Fprintf(w, "%s\t%d-%d\t%d\t%d\t%s\t%s\n", printable(s.Name), s.FirstSeq, s.LastSeq, s.Lines, s.Bytes, shortTime(s.FirstTime, time.UTC), shortTime(s.LastTime, time.UTC))
	}
	_ = w.Flush()
	return b.String()
}

// shortTime prints an instant to the second in a zone; "-" for the zero time.
func shortTime(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(zone).Format(time.RFC3339)
}
