//go:build !linux || !amd64

package syscalltest

import (
	"os/exec"
	"testing"
)

// Main does nothing here.
func Main() {}

// Start skips the test: system calls cannot be watched here.
func Start(t testing.TB, _ *exec.Cmd, _ func(Call) Verdict) (ended func()) {
	t.Helper()
	t.Skip("SKIPPED: system calls can be watched on Linux on amd64 only")
	return func() {}
}
