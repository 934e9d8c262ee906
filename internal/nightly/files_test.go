package nightly

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// What is no file is not opened: a pipe without a writer would keep the run for ever.
func TestSourceThatIsNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	socket, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	defer socket.Close()
	if files, err := listFiles([]string{path}); err == nil || !strings.Contains(err.Error(), "neither a file nor a directory") {
		t.Errorf("%q, %v", files, err)
	}
}
