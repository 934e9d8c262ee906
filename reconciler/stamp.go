package reconciler

import (
	"math"
	"time"

	"tallyman/formats"
)

// stamp is an instant in eight bytes: nanoseconds since 1970, or, far from today, the number of a kept time.
type stamp int64

const (
	noStamp stamp = math.MinInt64 // an instant that is not known
	farAway stamp = math.MinInt64 / 2
)

// stamps keeps the times that have no place in a stamp.
type stamps struct{ far []time.Time }

// near reports whether a time is less than about 130 years from 1970.
func near(t time.Time) bool { return uint64(t.Unix()+1<<32) < 1<<33 }

func (s *stamps) pack(at instant) stamp {
	if !at.known {
		return noStamp
	}
	if near(at.time) {
		return stamp(at.time.UnixNano())
	}
	s.far = append(s.far, at.time)
	return noStamp + stamp(len(s.far))
}

func (s *stamps) unpack(v stamp) instant {
	switch {
	case v == noStamp:
		return instant{}
	case v < farAway:
		return instant{s.far[v-noStamp-1], true}
	default:
		return instant{time.Unix(0, int64(v)).UTC(), true}
	}
}

// dayZero is what 1970-01-01 is packed as, so that no date of four digits is packed as 0.
const dayZero = 1_000_000

// packDate packs YYYY-MM-DD as days; 0 stands for no date.
func packDate(date string) int32 {
	days, ok := formats.Days(date)
	if !ok {
		return 0
	}
	return int32(days) + dayZero
}

func unpackDate(days int32) string {
	if days == 0 {
		return ""
	}
	return time.Unix(int64(days-dayZero)*86400, 0).UTC().Format(time.DateOnly)
}
