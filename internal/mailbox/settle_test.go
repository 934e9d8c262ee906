package mailbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tallyman/internal/sshdtest"
)

func TestSettled(t *testing.T) {
	_, o := sshd(t, sshdtest.Options{})
	o.Settle = 50 * time.Millisecond
	for _, name := range []string{"still.csv", "grows.csv", "touched.csv", "vouched.csv", "vouched.csv.done", "finished.csv", "gone.csv"} {
		leave(t, o, name, []byte("1"))
	}
	m := open(t, o)
	entries, _, err := m.List(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	first := time.Now()
	// Between the two looks:
	leave(t, o, "grows.csv", []byte("12"))
	leave(t, o, "vouched.csv", []byte("12"))
	leave(t, o, "finished.csv", []byte("12"))
	leave(t, o, "finished.csv.sha256", nil)
	leave(t, o, "new.csv", nil)
	if err := os.Chtimes(filepath.Join(o.Path, "touched.csv"), first, first.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(o.Path, "gone.csv")); err != nil {
		t.Fatal(err)
	}
	ready, growing, err := m.Settled(testContext(t), entries)
	if err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(entries[0].seen); waited < o.Settle {
		t.Errorf("second look after %s, want %s or more", waited, o.Settle)
	}
	if got, want := entryNames(ready), []string{"finished.csv", "still.csv", "vouched.csv"}; !slices.Equal(got, want) {
		t.Errorf("ready %q, want %q", got, want)
	}
	if got, want := entryNames(growing), []string{"grows.csv", "touched.csv"}; !slices.Equal(got, want) {
		t.Errorf("growing %q, want %q", got, want)
	}
	for _, e := range ready {
		if e.Name != "still.csv" && e.Size != 2 {
			t.Errorf("%s has the size of the first look", e.Name)
		}
	}
}

// Files that a partner vouches for need no second look, so no server either.
func TestSettledAtOnce(t *testing.T) {
	vouched := []Entry{{Name: "a.csv", Done: true}, {Name: "b.csv", SHA256: true}, {Name: "c.csv", MD5: true}}
	m := &Mailbox{opts: Options{Settle: time.Hour}.withDefaults()}
	if ready, growing, err := m.Settled(testContext(t), vouched); err != nil || len(ready) != 3 || len(growing) != 0 {
		t.Errorf("ready %v, growing %v, error %v", ready, growing, err)
	}
	m.opts.Settle = 0
	if ready, _, err := m.Settled(testContext(t), []Entry{{Name: "c.csv"}}); err != nil || len(ready) != 1 {
		t.Errorf("ready %v, error %v", ready, err)
	}
}

func TestSettledStopsWaiting(t *testing.T) {
	m := &Mailbox{opts: Options{Settle: time.Hour}.withDefaults()}
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if _, _, err := m.Settled(ctx, []Entry{{Name: "c.csv"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func entryNames(entries []Entry) []string {
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names
}
