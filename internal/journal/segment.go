package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
)

const day = "2006-01-02"

// Segment is one file of a journal: the deliveries of one UTC day. After a
// write error the day goes on in a second file, 2026-11-22_02.jsonl, which
// sorts behind the first by name.
type Segment struct {
	Name       string    // 2026-11-22.jsonl
	Path       string    // the name in its directory
	Day        time.Time // midnight UTC
	Bytes      int64     // on disk
	Compressed bool      // .gz or .zst
}

// Segments returns the segments of the journal in dir in the order in which
// they were written.
func Segments(dir string) ([]Segment, error) {
	names, err := lineFiles(dir)
	if err != nil {
		return nil, err
	}
	var segments []Segment
	for _, name := range names {
		date, ok := segmentDay(name)
		if !ok {
			continue
		}
		path, info, err := statSegment(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("list journal %s: %w", dir, err)
		}
		name = filepath.Base(path)
		segments = append(segments, Segment{
			Name: name, Path: path, Day: date, Bytes: info.Size(), Compressed: plainName(name) != name,
		})
	}
	return segments, nil
}

// lineFiles returns the names of the regular files of dir that hold journal
// lines (*.jsonl, *.jsonl.gz, *.jsonl.zst; as in a shell no dotfiles), by name.
// A segment that is there both plain and compressed is being sealed, and is
// named once.
func lineFiles(dir string) ([]string, error) {
	names, err := listLineFiles(dir)
	for err == nil {
		// A listing can miss both names of a segment that is sealed meanwhile; the
		// next one cannot.
		var again []string
		if again, err = listLineFiles(dir); slices.Equal(names, again) {
			break
		}
		names = again
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, segment := segmentDay(name)
		plain := plainName(name)
		return segment && plain != name && slices.Contains(names, plain)
	}), nil
}

// statSegment looks at a file of lines, or at what it has become if it was
// sealed since it was listed.
func statSegment(path string) (string, os.FileInfo, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if sealed, sealedErr := os.Stat(path + sealedSuffix); sealedErr == nil {
			return path + sealedSuffix, sealed, nil
		}
	}
	return path, info, err
}

// plainName returns the name without .gz or .zst.
func plainName(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
}

func listLineFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list journal: %w", err)
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(plainName(name), ".jsonl") || strings.HasPrefix(name, ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, name)) // follows links
		if errors.Is(err, fs.ErrNotExist) && e.Type().IsRegular() {
			continue // sealed meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list journal: %w", err)
		}
		if info.Mode().IsRegular() {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

var segmentPattern = regexp.MustCompile(`^\d{4}-\d\d-\d\d(_\d\d)?\.jsonl(\.gz|\.zst)?$`)

// segmentDay reads the UTC day from the name of a segment.
func segmentDay(name string) (time.Time, bool) {
	if !segmentPattern.MatchString(name) {
		return time.Time{}, false
	}
	t, err := time.Parse(day, name[:len(day)])
	return t, err == nil
}

// segmentName returns the name of the n-th segment of a day, from 1.
func segmentName(date time.Time, n int) string {
	if n <= 1 {
		return date.UTC().Format(day) + ".jsonl"
	}
	return fmt.Sprintf("%s_%02d.jsonl", date.UTC().Format(day), n)
}
