package mailbox

import (
	"context"
	"sync/atomic"
	"time"
)

// watch cuts a session when the operation on it goes without progress for too
// long, takes too long altogether, or is no longer wanted. The SFTP library
// knows neither contexts nor deadlines, and a server may well answer
// keepalives while its file system hangs.
type watch struct {
	session *session
	begin   time.Time
	seen    atomic.Int64 // when there was progress last, since begin
	quit    chan struct{}
	gone    chan struct{}
	cause   error // set before gone is closed
}

// startWatch begins to watch; end must be called.
func startWatch(ctx context.Context, s *session, idle, total time.Duration) *watch {
	w := &watch{session: s, begin: time.Now(), quit: make(chan struct{}), gone: make(chan struct{})}
	go w.run(ctx, idle, total)
	return w
}

// tick notes progress.
func (w *watch) tick() { w.seen.Store(int64(time.Since(w.begin))) }

// end stops watching and returns why the session was cut, if it was.
func (w *watch) end() error {
	close(w.quit)
	<-w.gone
	return w.cause
}

func (w *watch) run(ctx context.Context, idle, total time.Duration) {
	defer close(w.gone)
	silence := time.NewTimer(idle)
	defer silence.Stop()
	limit := time.NewTimer(total)
	defer limit.Stop()
	for w.cause == nil {
		select {
		case <-w.quit:
			return
		case <-ctx.Done():
			w.cause = context.Cause(ctx)
		case <-limit.C:
			w.cause = errSlow
		case <-silence.C:
			quiet := time.Since(w.begin) - time.Duration(w.seen.Load())
			if quiet < idle {
				silence.Reset(idle - quiet)
				continue
			}
			w.cause = errSilent
		}
	}
	w.session.cut()
}
