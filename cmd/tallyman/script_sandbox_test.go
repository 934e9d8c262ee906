package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tallyman/internal/sandbox"
)

// stageOfScript is what the commands below keep for one script.
type stageOfScript struct {
	box      *sandbox.Sandbox
	receiver *exec.Cmd // nil unless it runs
	metrics  string    // where it serves metrics, if it does
}

func setUpScript(env *testscript.Env) error {
	env.Values["stage"] = &stageOfScript{}
	return nil
}

// scriptCommands are what a script can do besides running tallyman:
//
//	sandbox                       start a stand-in for Moment and the mailbox in ./sandbox, for this script;
//	                              its configuration is $TALLYMAN_CONFIG
//	receive [FLAG...]             start tallyman receive
//	scrape FILE                   write what it shows as metrics to FILE
//	halt                          end it
//	pay REF AMOUNT [EVENT OB PAY] a payer pays; waits until the receiver has the event
//	send FILE                     a signed event with the text of FILE as its body; waits as well
//	revoke                        Moment deletes the key
//	await PATTERN                 waits until there is a file of that name
//	clock TIME                    it is that time now, in RFC 3339, for tallyman
func scriptCommands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"sandbox": scriptSandbox,
		"receive": scriptReceive,
		"scrape":  scriptScrape,
		"halt":    scriptHalt,
		"pay":     scriptPay,
		"send":    scriptSend,
		"revoke": func(ts *testscript.TestScript, _ bool, _ []string) {
			boxOf(ts).RevokeKey(sandbox.Test)
		},
		"await": scriptAwait,
		"clock": func(ts *testscript.TestScript, _ bool, args []string) {
			now, err := time.Parse(time.RFC3339, args[0])
			ts.Check(err)
			ts.Setenv(clockVariable, clockFrom(now))
		},
	}
}

func boxOf(ts *testscript.TestScript) *sandbox.Sandbox {
	box := ts.Value("stage").(*stageOfScript).box
	if box == nil {
		ts.Fatalf("the script has no sandbox")
	}
	return box
}

func scriptSandbox(ts *testscript.TestScript, _ bool, _ []string) {
	// Scripts run beside each other: each receiver takes a free port.
	box, err := sandbox.Start(context.Background(), sandbox.Options{Dir: ts.MkAbs("sandbox"), ReceiverListen: "127.0.0.1:0"})
	ts.Check(err)
	ts.Defer(func() { ts.Check(box.Close()) })
	_, err = box.WriteConfig()
	ts.Check(err)
	ts.Setenv("TALLYMAN_CONFIG", box.ConfigPath())
	ts.Setenv("SFTP_ADDRESS", box.SFTPAddress())
	ts.Setenv("HOST_KEY", box.HostKeyFingerprint())
	ts.Value("stage").(*stageOfScript).box = box
}

// scriptReceive starts the receiver and tells the sandbox where it listens.
func scriptReceive(ts *testscript.TestScript, _ bool, args []string) {
	stderr := newWatch("receiving webhooks")
	cmd := exec.Command("tallyman", append([]string{"receive"}, args...)...)
	cmd.Dir, cmd.Stderr = ts.MkAbs("."), stderr
	cmd.Env = append(os.Environ(), "TALLYMAN_CONFIG="+ts.Getenv("TALLYMAN_CONFIG"))
	ts.Check(cmd.Start())
	ts.Value("stage").(*stageOfScript).receiver = cmd
	ts.Defer(func() { endReceiver(ts) })
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	select {
	case line := <-stderr.seen:
		address := regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(line)
		if address == nil {
			ts.Fatalf("no address in %q", line)
		}
		ts.Check(boxOf(ts).SetWebhookURL("http://" + address[1] + "/webhooks/moment"))
		if metrics := regexp.MustCompile(`serving metrics.*address=(\S+)`).FindStringSubmatch(stderr.written()); metrics != nil {
			ts.Value("stage").(*stageOfScript).metrics = metrics[1]
		}
	case <-deadline.C:
		ts.Fatalf("the receiver does not start")
	}
}

func scriptScrape(ts *testscript.TestScript, _ bool, args []string) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + ts.Value("stage").(*stageOfScript).metrics + "/metrics")
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", resp.Status, text)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

func scriptHalt(ts *testscript.TestScript, _ bool, _ []string) { endReceiver(ts) }

// endReceiver ends the receiver as an operator does; it must end in good order.
func endReceiver(ts *testscript.TestScript) {
	stage := ts.Value("stage").(*stageOfScript)
	if stage.receiver == nil {
		return
	}
	cmd := stage.receiver
	stage.receiver = nil
	ts.Check(cmd.Process.Signal(os.Interrupt))
	ts.Check(cmd.Wait())
}

func scriptPay(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 && len(args) != 5 {
		ts.Fatalf("usage: pay REF AMOUNT [EVENT OBLIGATION PAYMENT]")
	}
	amount, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	p := sandbox.Payment{CustomerID: args[0], Amount: amount}
	if len(args) == 5 {
		p.EventID, p.ObligationID, p.PaymentID = args[2], args[3], args[4]
	}
	_, err = boxOf(ts).Pay(p)
	ts.Check(err)
	delivered(ts)
}

func scriptSend(ts *testscript.TestScript, _ bool, args []string) {
	boxOf(ts).SendBody([]byte(ts.ReadFile(args[0])))
	delivered(ts)
}

// delivered waits until every event is with the receiver.
func delivered(ts *testscript.TestScript) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ts.Check(boxOf(ts).Flush(ctx))
	if d := boxOf(ts).Deliveries(); d.GivenUp > 0 || d.Pending > 0 {
		ts.Fatalf("events did not arrive: %+v", d)
	}
}

func scriptAwait(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		if len(found) > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			ts.Fatalf("there is no %s", fmt.Sprint(args))
		}
	}
}
