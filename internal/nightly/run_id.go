package nightly

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
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
