package reconciler

import "testing"

func TestOneEdit(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"bcus_1", "bcus_2", true},
		{"bcus_1", "bcus_12", true},
		{"bcus_12", "bcus_21", true},
		{"bcus_1", "bcus_1", false},
		{"abc", "ab", true},
		{"abc", "bc", true},
		{"bcus_12", "bcus_34", false},
		{"ab", "abcd", false},
		{"", "a", false},
		{"abcd", "badc", false},
		{"ab", "ba", true},
	} {
		if got := oneEdit(c.a, c.b); got != c.want || oneEdit(c.b, c.a) != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}
