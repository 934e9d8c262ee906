package journal

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// victimDir is the variable that makes the test binary a writer to be killed.
const victimDir = "TALLYMAN_TEST_JOURNAL_VICTIM"

// victim appends to the journal in dir from many goroutines and prints the id
// of each acknowledged delivery, until it is killed.
func victim(dir string) int {
	w, err := Open(context.Background(), dir, Options{})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("msg_%d_%d_%d", os.Getpid(), i, n)
				_, err := w.Append(context.Background(), Delivery{WebhookID: id, Timestamp: 1, Signature: "v1,", Body: []byte(`{"id":"` + id + `"}`)})
				if err != nil {
					return
				}
				out.Lock()
				fmt.Println(id)
				out.Unlock()
			}
		})
	}
	wg.Wait()
	return 0
}

func TestKilledUnderLoad(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(7, 7))
	acknowledged := make(map[string]bool)
	for range rounds {
		for _, id := range killOne(t, dir, 50+r.IntN(2000)) {
			acknowledged[id] = true
		}
	}
	w, err := Open(t.Context(), dir, Options{Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	closeWriter(t, w)
	stored := make(map[string]int)
	all, _ := lines(t, dir)
	for _, l := range all {
		stored[l.Record.WebhookID]++
	}
	for id := range acknowledged {
		if stored[id] != 1 {
			t.Fatalf("%s was acknowledged and stands in the journal %d times", id, stored[id])
		}
	}
	report := verify(t, dir)
	if report.DamageCount != 0 {
		t.Errorf("damage %v", report.Damage)
	}
	t.Logf("proof: a journal killed %d times under load: %d events acknowledged, each stored once", rounds, len(acknowledged))
}

// killOne starts a victim, kills it once it has acknowledged so many
// deliveries, and returns all that it acknowledged.
func killOne(t *testing.T, dir string, after int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	from := bufio.NewReader(out)
	for {
		line, err := from.ReadString('\n')
		if err != nil { // an id without its newline may be cut off
			break
		}
		if strings.HasPrefix(line, "error") {
			t.Fatal(line)
		}
		if ids = append(ids, strings.TrimSpace(line)); len(ids) == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || ctx.Err() != nil {
		t.Fatalf("the victim ended by itself: %v", err)
	}
	return ids
}
