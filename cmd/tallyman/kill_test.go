package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tallyman/internal/nightly"
	"tallyman/internal/sandbox"
)

// kill -9 anywhere in an import, then the same command again: nobody twice, nobody lost, although the stand-in would
// take a second customer with the same reference, loses answers, and stores failures under the keys.
func TestKillAnywhereInAnImport(t *testing.T) {
	const customers, kills = 150, 8
	s := newStage(t, sandbox.Options{UniqueOff: true, Faults: sandbox.Faults{
		Latency: time.Millisecond, DropBefore: 0.03, DropAfter: 0.03, ErrorBefore: 0.02, ErrorAfter: 0.02, TooMany: 0.01,
	}})
	var file strings.Builder
	file.WriteString("external_reference,name,currency,balance\n")
	for i := range customers {
		fmt.Fprintf(&file, "C-%d,Customer %d,ZAR,%d\n", i, i, i)
	}
	path := s.leave(filepath.Join(s.dir, "customers.csv"), file.String())
	random := rand.New(rand.NewPCG(1, 2))
	for range kills {
		cmd := s.command("import", path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		at := len(s.api.Writes()) + 1 + random.IntN(customers/kills)
		waitFor(t, func() bool { return len(s.api.Writes()) >= at || processEnded(cmd.Process.Pid) })
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	if err := s.api.SetFaults(sandbox.Faults{}); err != nil {
		t.Fatal(err)
	}
	var r nightly.Result
	s.runJSON(0, &r, "import", path)
	if f := r.Files[0]; f.Outcomes["created"] != customers {
		t.Errorf("%v", f.Outcomes)
	}
	there := s.customers()
	if len(there) != customers {
		t.Errorf("%d customers, want %d", len(there), customers)
	}
	for _, row := range table(t, r.Files[0].Outcome) {
		if there[row["external_reference"]].ID != row["customer_id"] {
			t.Errorf("outcome %v", row)
		}
	}
	s.noViolations()
	writes := len(s.api.Writes())
	s.run(0, "import", path)
	if n := len(s.api.Writes()) - writes; n != 0 {
		t.Errorf("the finished file sent %d writes", n)
	}
}
