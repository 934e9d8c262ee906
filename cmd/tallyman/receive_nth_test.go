package main

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"tallyman/internal/journal"
	"tallyman/internal/syscalltest"
)

// sessionEvents is how many events come in while one call fails.
const sessionEvents = 20

// attempts is how often a delivery is made in a session before the sender leaves it for the next one.
const attempts = 3

// Every call of a receiver that takes events fails in turn. What it answered with 2xx is in the journal, and the next
// receiver takes the rest: each event stands there once.
func TestReceiverNthCallFails(t *testing.T) { everyReceiverCall(t, false) }

// The same with kill -9 before every call.
func TestReceiverKilledAtNthCall(t *testing.T) { everyReceiverCall(t, true) }

func everyReceiverCall(t *testing.T, kill bool) {
	r := newReceiving(t)
	census := &injector{root: rootOf(t, r.dir)}
	if code, said, taken := r.session(census); code != 0 || len(taken) != sessionEvents {
		t.Fatalf("an undisturbed session ended with %d and took %d events\n%s", code, len(taken), said)
	}
	failEach(t, census.chosen(cutCalls, kill), kill, "a receiver", receiverFails)
}

// receiverFails runs a disturbed session and an undisturbed one after it, in which everything is delivered again.
func receiverFails(t *testing.T, in *injector) (code int) {
	r := newReceiving(t)
	in.root = rootOf(t, r.dir)
	code, said, taken := r.session(in)
	said = fmt.Sprintf("%s: exit %d, %d taken\n%s", in.at, code, len(taken), said)
	sober(t, in, code, said)
	verify, err := r.command("journal", "verify").CombinedOutput()
	if err != nil && len(verify) == 0 {
		t.Errorf("journal verify ended with %v and said nothing\n%s", err, said)
	}
	r.holds(taken, said)
	again := &injector{root: in.root}
	after, told, all := r.session(again)
	if after != 0 || len(all) != sessionEvents {
		t.Errorf("the receiver after it ended with %d and took %d events\n%s\n%s", after, len(all), told, said)
	}
	r.holds(all, said)
	if out, err := r.command("journal", "verify").CombinedOutput(); err != nil {
		t.Errorf("journal verify: %v\n%s\n%s", err, out, said)
	}
	if *prove && testing.Verbose() {
		t.Logf("%sverify: %s", said, verify)
	}
	return code
}

// session runs a receiver whose calls are watched, delivers all events to it, and returns those that it took.
func (r *receiving) session(in *injector) (code int, said string, taken map[string]bool) {
	r.t.Helper()
	cmd := r.command("receive")
	log := newWatch("receiving webhooks")
	cmd.Stdout, cmd.Stderr = log, log
	syscalltest.Start(r.t, cmd, in.decide)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	taken = map[string]bool{}
	select {
	case line := <-log.seen:
		r.url = "http://" + regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(line)[1]
		r.deliver(taken)
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-ended
	case <-ended:
	}
	return cmd.ProcessState.ExitCode(), log.written(), taken
}

// deliver sends every event until it is taken, a few times at most.
func (r *receiving) deliver(taken map[string]bool) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for n := range sessionEvents {
		id := fmt.Sprintf("msg_%d", n)
		body := fmt.Sprintf(`{"id":"evt_%d","type":"obligation.amount_applied"}`, n)
		for range attempts {
			answer, err := r.send(client, id, []byte(body))
			if err == nil && answer.StatusCode == http.StatusNoContent {
				taken[id] = true
				break
			}
		}
	}
}

// holds requires that what was taken is in the journal, and nothing twice.
func (r *receiving) holds(taken map[string]bool, said string) {
	r.t.Helper()
	stored := map[string]int{}
	_, err := journal.Read(r.t.Context(), r.journal(), func(l journal.Line) error {
		if l.Err == nil {
			stored[l.Record.WebhookID]++
		}
		return nil
	})
	if err != nil && len(taken) > 0 {
		r.t.Errorf("%v\n%s", err, said)
	}
	for _, id := range slices.Sorted(maps.Keys(taken)) {
		if stored[id] == 0 {
			r.t.Errorf("%s was answered with 2xx and is not in the journal\n%s", id, said)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(stored)) {
		if stored[id] > 1 || !strings.HasPrefix(id, "msg_") {
			r.t.Errorf("%q stands in the journal %d times\n%s", id, stored[id], said)
		}
	}
}
