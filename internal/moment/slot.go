package moment

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"
)

// slot is the right to one exchange at a time. What an exchange needs is made once and used by one after the other, for as long
// as each ends well: to make it anew takes a tenth of the time of an exchange.
type slot struct {
	life   context.Context // of the exchanges; nil: to be made
	close  func()          // ends it
	timer  *time.Timer     // ends it too, after the timeout of one exchange
	caller <-chan struct{} // when this is closed, an exchange that has begun has the grace left
	header http.Header     // nil: to be made
}

// begin returns the context of an exchange that begins: bounded by the timeout, and by the grace once ctx is done.
func (s *slot) begin(ctx context.Context, o *Options) context.Context {
	if s.life != nil && s.caller == ctx.Done() {
		s.timer.Reset(o.Timeout)
		return s.life
	}
	s.drop()
	life, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() {
		time.AfterFunc(o.Grace, func() { cancel(context.Canceled) })
	})
	s.life, s.caller = life, ctx.Done()
	s.timer = time.AfterFunc(o.Timeout, func() { cancel(context.DeadlineExceeded) })
	s.close = func() {
		forget()
		cancel(context.Canceled)
	}
	return life
}

// end notes that an exchange has ended; well, if all of the answer came.
func (s *slot) end(well bool) {
	inTime := s.timer.Stop()
	if !well {
		s.header = nil // it may be read still
	}
	if !well || !inTime {
		s.drop()
	}
}

func (s *slot) drop() {
	if s.life != nil {
		s.close()
		s.life = nil
	}
}

// set returns the headers of a request, which are the slot's until it has ended.
func (s *slot) set(always http.Header, key string, hasBody bool) http.Header {
	if s.header == nil {
		s.header = maps.Clone(always)
	}
	setOrNot(s.header, "Content-Type", "application/json", hasBody)
	setOrNot(s.header, "Idempotency-Key", key, key != "")
	return s.header
}

func setOrNot(h http.Header, name, value string, set bool) {
	if set {
		h[name] = []string{value}
	} else {
		delete(h, name)
	}
}

// why returns the error of an exchange, told apart: an end by the timeout is no end by the caller, as which some layers of
// net/http know it.
func (s *slot) why(err error) error {
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(s.life), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}
