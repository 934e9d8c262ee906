package formats

import (
	"fmt"
	"testing"
	"time"
)

// A date is what package time takes for one, and as many days from 1970.
func TestDays(t *testing.T) {
	texts := []string{"", "2026-1-01", "2026-01-1", "2026-01-011", "2026/01/01", "20260101", "2O26-01-01", "2026-01-0:", "-026-01-01", "2026-+1-01", " 026-01-01"}
	for _, year := range []int{0, 1, 1600, 1900, 1969, 1970, 2000, 2024, 2026, 2100, 9999} {
		for month := range 14 {
			for day := range 33 {
				texts = append(texts, fmt.Sprintf("%04d-%02d-%02d", year, month, day))
			}
		}
	}
	for _, text := range texts {
		want, err := time.Parse(time.DateOnly, text)
		days, ok := Days(text)
		if ok != (err == nil) || (ok && int64(days)*86400 != want.Unix()) {
			t.Errorf("%q: %d, %v; package time says %v, %v", text, days, ok, want, err)
		}
	}
}
