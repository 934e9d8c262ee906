package nightly

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// NewRunID returns a name for a run that sorts by time and is unique: 20261122T043000123Z-1f3c.
func NewRunID(now time.Time) (string, error) {
	var b [2]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("name the run: %w", err)
	}
	now = now.UTC()
	return fmt.Sprintf("%s%03dZ-%s", now.Format("20060102T150405"), now.Nanosecond()/int(time.Millisecond), hex.EncodeToString(b[:])), nil
}

// runTime returns when the run of that id began; ok is false if it is no id of a run.
func runTime(id string) (at time.Time, ok bool) {
	begin, tail, found := strings.Cut(id, "Z-")
	if !found || len(begin) != len("20060102T150405000") || len(tail) != 4 || strings.Trim(tail, "0123456789abcdef") != "" {
		return time.Time{}, false
	}
	at, err := time.Parse("20060102T150405.000", begin[:15]+"."+begin[15:])
	return at, err == nil
}
