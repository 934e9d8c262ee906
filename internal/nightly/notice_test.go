package nightly

import (
	"strings"
	"testing"
)

// What a person reads counts as people do.
func TestNoticeCounts(t *testing.T) {
	for _, tt := range []struct {
		files, breaks, notices int
		want                   []string
	}{
		{0, 0, 1, []string{"\n0 files; read 0 = 0\n", "\n0 breaks, 1 notice\n"}},
		{1, 1, 2, []string{"\n1 file; read 0 = 0\n", "\n1 break, 2 notices\n"}},
		{2, 0, 0, []string{"\n2 files; read 0 = 0\n"}},
	} {
		text := Notice{Files: make([]NoticeFile, tt.files), Breaks: tt.breaks, Notices: tt.notices}.Text()
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q lacks %q", text, want)
			}
		}
		if tt.breaks+tt.notices == 0 && strings.Contains(text, "break") {
			t.Errorf("%q", text)
		}
	}
}
