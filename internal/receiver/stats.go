package receiver

import (
	"sync/atomic"

	"tallyman/internal/journal"
)

// Stats counts what has come in since the start.
type Stats struct {
	Stored      int64 // new events, on disk
	Duplicates  int64 // known events, answered again
	Forged      int64 // no signature matched
	TooOld      int64 // timestamp before the window
	TooNew      int64 // timestamp after it; many mean that our own clock is wrong
	Malformed   int64 // headers or body wrong
	TooLarge    int64 // body over the limit
	TooMany     int64 // not read, because the address has sent too much that was refused
	Unavailable int64 // verified, and the journal could not take it

	Healthy bool          // events are taken
	Journal journal.Stats // how far the journal is
}

// Stats returns the counts as they are now. It is for a metrics page: quick, and
// safe while deliveries come in.
func (rc *Receiver) Stats() Stats {
	c := &rc.counts
	return Stats{
		Stored: c.stored.Load(), Duplicates: c.duplicates.Load(), Forged: c.forged.Load(),
		TooOld: c.tooOld.Load(), TooNew: c.tooNew.Load(), Malformed: c.malformed.Load(),
		TooLarge: c.tooLarge.Load(), TooMany: c.tooMany.Load(), Unavailable: c.unavailable.Load(),
		Healthy: rc.opt.Journal.Health() == nil, Journal: rc.opt.Journal.Stats(),
	}
}

type counts struct {
	stored, duplicates, forged, tooOld, tooNew, malformed, tooLarge, tooMany, unavailable atomic.Int64
}

func (c *counts) refused(why *refusal) {
	switch why {
	case errForged, errRetired:
		c.forged.Add(1)
	case errTooOld:
		c.tooOld.Add(1)
	case errTooNew:
		c.tooNew.Add(1)
	case errTooMany:
		c.tooMany.Add(1)
	case errTooLarge:
		c.tooLarge.Add(1)
	default:
		c.malformed.Add(1)
	}
}
