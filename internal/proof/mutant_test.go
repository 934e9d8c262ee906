package proof

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

var (
	mutants = flag.Bool("mutants", false, "try every mutant")
	only    = flag.String("mutant", "", "try the mutants whose name or file holds this text")
)

const root = "../.."

// least is how many guards the list must hold, so that it is not emptied by and by.
const least = 40

func load(t *testing.T) []mutant {
	t.Helper()
	text, err := os.ReadFile("mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	list, err := parseMutants(string(text))
	if err != nil {
		t.Fatalf("mutants.txt: %v", err)
	}
	return list
}

// broken returns the source of the mutant's file without its guard.
func (m mutant) broken() (string, error) {
	source, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	return m.apply(string(source))
}

func TestMutantsAreTrueToTheCode(t *testing.T) {
	list := load(t)
	if len(list) < least {
		t.Errorf("%d mutants, want %d at least", len(list), least)
	}
	seen := map[string]bool{}
	for _, m := range list {
		if seen[m.name] {
			t.Errorf("two mutants are called %q", m.name)
		}
		seen[m.name] = true
		if _, err := m.broken(); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryMutantIsCaught(t *testing.T) {
	if !*mutants && *only == "" {
		t.Skip("mutants are tried with -mutants, as make prove does")
	}
	var tried, caught atomic.Int64
	t.Cleanup(func() { t.Logf("proof: %d of %d mutants caught", caught.Load(), tried.Load()) })
	for _, m := range load(t) {
		if !strings.Contains(m.name, *only) && !strings.Contains(m.file, *only) {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			tried.Add(1)
			if by := m.caught(t); by != "" {
				caught.Add(1)
				t.Logf("caught by %s", by)
			}
		})
	}
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)|^panic: (.*)`)

// caught requires that the broken code compiles and that its tests turn red. It returns which of them did first.
func (m mutant) caught(t *testing.T) string {
	binary := m.build(t)
	args := append([]string{"-test.run", m.run, "-test.failfast", "-test.timeout", "5m"}, m.args...)
	if m.draws(t) {
		args = append(args, "-rapid.nofailfile") // what fails here is no bug to be tried again
	}
	run := exec.Command(binary, args...)
	run.Dir = filepath.Join(root, m.pkg)
	out, err := run.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil && strings.Contains(string(out), "no tests to run"):
		t.Errorf("%s has no test that fits %s", m.pkg, m.run)
	case err == nil:
		t.Errorf("nobody noticed: %s (%s)", m.name, m.file)
	case !errors.As(err, &exit):
		t.Fatal(err)
	default:
		by := failed.FindStringSubmatch(string(out))
		if by == nil || strings.HasPrefix(by[2], "test timed out") {
			t.Errorf("the tests ended badly or not at all, and none of them has failed:\n%s", out)
			return ""
		}
		return by[1] + by[2]
	}
	return ""
}

// draws reports whether tests of the package leave drawn cases that failed in its testdata.
func (m mutant) draws(t *testing.T) bool {
	files, err := filepath.Glob(filepath.Join(root, m.pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"pgregory.net/rapid"`) {
			return true
		}
	}
	return false
}

// build compiles the tests with the broken file in the place of the good one, which is not touched.
func (m mutant) build(t *testing.T) (binary string) {
	text, err := m.broken()
	if err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, list := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: file}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.WriteFile(list, overlay, 0o600)); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "tests")
	build := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-w", "-overlay", list, "-o", binary, m.pkg)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the broken code must compile: %v\n%s", err, out)
	}
	return binary
}
