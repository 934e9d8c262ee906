package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestWithSignals(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction("os/signal.loop"))
	exited := make(chan int, 1)
	ctx, release := withSignals(t.Context(), func(code int) { exited <- code })
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}

	if err := self.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	cause, ok := errors.AsType[interruption](context.Cause(ctx))
	if !ok || cause.Error() != "interrupted by terminated" {
		t.Errorf("cause is %v", context.Cause(ctx))
	}
	select {
	case code := <-exited:
		t.Fatalf("the first signal ended the program with %d", code)
	default:
	}

	if err := self.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := <-exited; code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	release()
}

func TestWithSignalsReleased(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction("os/signal.loop"))
	ctx, release := withSignals(t.Context(), func(int) { t.Error("exited") })
	release()
	if _, interrupted := errors.AsType[interruption](context.Cause(ctx)); interrupted || ctx.Err() == nil {
		t.Errorf("cause is %v", context.Cause(ctx))
	}
}
