package config

import (
	"testing"
	"time"
)

func TestRetentionText(t *testing.T) {
	for text, want := range map[string]Retention{"1d": 1, "400d": 400, "off": 0} {
		var r Retention
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want || r.String() != text {
			t.Errorf("%s is %d, printed as %s, %v", text, r, r, err)
		}
	}
	for _, text := range []string{"", "d", "0d", "400", "-1d", "+1d", "1h", "1.5d", "1 d", "36601d", "99999999999999999999d", "OFF", "never"} {
		var r Retention
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, r)
		}
	}
}

func TestRetentionBefore(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if got, want := Retention(2).Before(now), time.Date(2026, 2, 27, 12, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("%s, want %s", got, want)
	}
}
