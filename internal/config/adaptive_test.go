package config

import "testing"

func TestAdaptive(t *testing.T) {
	base := "merchant: acme\ndata_dir: ./data\napi: {key: sk_test_abcdefgh, mode: test"
	for text, want := range map[string]bool{"}\n": false, ", adaptive: false}\n": false, ", adaptive: true}\n": true} {
		c, err := Load(write(t, base+text), environ(), SectionAPI)
		if err != nil {
			t.Fatal(err)
		}
		if c.API.Adaptive != want {
			t.Errorf("%q: %t", text, c.API.Adaptive)
		}
	}
	if got := problems(t, base+", adaptive: sometimes}\n", environ(), SectionAPI); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
