package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tallyman/internal/syscalltest"
)

// prove lengthens the proofs that are part of every run of the tests; make prove sets it.
var prove = flag.Bool("prove", false, "run the proofs at full length")

// faultOf is what goes wrong at a call: what a disk or a network can do to it.
func faultOf(c syscalltest.Call) syscalltest.Verdict {
	switch {
	case c.Name == "connect":
		return syscalltest.Verdict{Errno: syscall.ECONNREFUSED}
	case c.Socket():
		return syscalltest.Verdict{Errno: syscall.ECONNRESET, HangUp: true}
	case c.Name == "write" || c.Name == "pwrite64":
		return syscalltest.Verdict{Half: true}
	case c.Name == "mkdirat" || c.Make:
		return syscalltest.Verdict{Errno: syscall.ENOSPC}
	case c.Name == "renameat" || c.Name == "unlinkat" || c.Name == "unlink" || c.Name == "renameat2":
		return syscalltest.Verdict{Errno: syscall.EPERM}
	}
	return syscalltest.Verdict{Errno: syscall.EIO}
}

// spot is one call of a process among all: the k-th of its kind, from 1.
type spot struct {
	kind string // name and place
	k    int
}

func (s spot) String() string { return fmt.Sprintf("%s %d", s.kind, s.k) }

// injector watches the calls of a process, and lets one of them fail.
type injector struct {
	root string // files outside are left alone
	at   spot   // the call that fails; none if it is zero
	kill bool   // the process is killed there instead

	mu    sync.Mutex
	seen  map[string]int // calls by kind
	spots []spot         // all that were seen
	looks map[spot]bool  // those of them that change nothing
	full  string         // a write there was cut short; what follows finds no space
	hit   bool
}

func (i *injector) decide(c syscalltest.Call) syscalltest.Verdict {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !c.Socket() && !strings.HasPrefix(c.Path, i.root+"/") {
		return syscalltest.Verdict{}
	}
	if i.full != "" && c.Path == i.full && (c.Name == "write" || c.Name == "pwrite64") {
		i.full = ""
		return syscalltest.Verdict{Errno: syscall.ENOSPC}
	}
	if i.seen == nil {
		i.seen, i.looks = map[string]int{}, map[spot]bool{}
	}
	kind := c.Name + " " + placeOf(strings.TrimPrefix(c.Path, i.root))
	i.seen[kind]++
	here := spot{kind, i.seen[kind]}
	i.spots = append(i.spots, here)
	if looks(c) {
		i.looks[here] = true
	}
	if here != i.at {
		return syscalltest.Verdict{}
	}
	i.hit = true
	if i.kill {
		return syscalltest.Verdict{Kill: true}
	}
	v := faultOf(c)
	if v.Half {
		i.full = c.Path
	}
	return v
}

// came reports whether the call that was to fail came.
func (i *injector) came() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hit
}

// varying are the pieces of a path that are others in each run: run ids and the numbers of temporary files.
var varying = regexp.MustCompile(`\d{8}T\d{9}Z-[0-9a-f]{4}|\d{6,}`)

// placeOf names a file alike in all runs. Two temporary files of one directory are told apart by their order only.
func placeOf(path string) string {
	if path == "" {
		return "socket"
	}
	return varying.ReplaceAllString(path, "#")
}

// looks reports whether a call changes nothing: to be killed before it is to be killed before the next that does.
func looks(c syscalltest.Call) bool {
	return c.Name == "openat" && !c.Make || !c.Socket() && (c.Name == "read" || c.Name == "pread64")
}

// chosen are the calls that are worth to fail in turn, or to be killed before. At full length that is every one, but for
// bytes that come and go on connections in many pieces; the cut takes what changes something durable, and of that every kind
// once at most.
func (i *injector) chosen(most int, kill bool) []spot {
	i.mu.Lock()
	defer i.mu.Unlock()
	var list []spot
	for _, s := range i.spots {
		name, place, _ := strings.Cut(s.kind, " ")
		stream := place == "socket" && (name == "read" || name == "write")
		heavy := slices.Contains([]string{"fsync", "fdatasync", "renameat", "ftruncate", "unlinkat"}, name)
		if kill && i.looks[s] {
			continue
		}
		if *prove && (!stream || s.k%5 == 1) || !*prove && heavy && s.k == 1 {
			list = append(list, s)
		}
	}
	if *prove || len(list) <= most {
		return list
	}
	var cut []spot
	for n := range most {
		cut = append(cut, list[n*len(list)/most])
	}
	return cut
}

// endings counts how the disturbed processes ended.
type endings struct {
	mu     sync.Mutex
	exits  map[int]int
	missed int // the call did not come to pass
}

func (e *endings) add(code int, hit bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.exits == nil {
		e.exits = map[int]int{}
	}
	e.exits[code]++
	if !hit {
		e.missed++
	}
}

func (e *endings) String() string {
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(e.exits)) {
		parts = append(parts, fmt.Sprintf("%d of them with %d", e.exits[code], code))
	}
	return fmt.Sprintf("ended %s; %d calls did not come again", strings.Join(parts, ", "), e.missed)
}

// failEach runs one disturbed process for each call.
func failEach(t *testing.T, spots []spot, kill bool, what string, run func(*testing.T, *injector) (code int)) {
	t.Helper()
	if len(spots) == 0 {
		t.Fatal("no call was seen")
	}
	var ended endings
	t.Run("call", func(t *testing.T) {
		for n, s := range spots {
			t.Run(fmt.Sprint(n+1), func(t *testing.T) {
				t.Parallel()
				in := &injector{at: s, kill: kill}
				code := run(t, in)
				ended.add(code, in.came())
			})
		}
	})
	how := "fails"
	if kill {
		how = "is preceded by kill -9"
	}
	t.Logf("proof: %s while one system call %s: %d calls in turn, %s", what, how, len(spots), &ended)
}

// watched runs a command whose calls are watched until it ends, and returns what it said.
func watched(t *testing.T, cmd *exec.Cmd, in *injector) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	syscalltest.Start(t, cmd, in.decide)
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// sober requires that a disturbed process ended in one of the ways that are documented.
func sober(t *testing.T, in *injector, code int, said string) {
	t.Helper()
	if strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") || strings.Contains(said, "DATA RACE") || code == 2 {
		t.Errorf("it panicked\n%s", said)
	}
	if !in.kill && !slices.Contains([]int{0, 3, 4, 5, 130}, code) {
		t.Errorf("it ended with %d: an input or output that fails is nothing unforeseen\n%s", code, said)
	}
	if code != 0 && !in.kill && !strings.Contains(said, "tallyman: ") {
		t.Errorf("it ended with %d and said nothing\n%s", code, said)
	}
}

// rootOf is a directory by the name that the kernel gives it.
func rootOf(t *testing.T, dir string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
