package config

import "testing"

func TestMemoryText(t *testing.T) {
	for text, want := range map[string]Memory{"1MiB": 1 << 20, "512MiB": 512 << 20, "3GiB": 3 << 30, "off": 0} {
		var m Memory
		if err := m.UnmarshalText([]byte(text)); err != nil || m != want || m.String() != text {
			t.Errorf("%s is %d, printed as %s, %v", text, int64(m), m, err)
		}
	}
	for _, text := range []string{"", "0", "512", "0MiB", "-1MiB", "+1MiB", "1.5GiB", "512MB", "512 MiB", "99999999999GiB", "OFF", "MiB"} {
		var m Memory
		if err := m.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, m)
		}
	}
}
