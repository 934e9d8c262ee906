package metric

import "time"

// Figures are what is shown. Empty parts are left out.
type Figures struct {
	Version, Merchant, Mode string

	Runs    []RunCount
	Last    []Run
	Files   map[string]int64 // on record, by state
	Journal *Journal
	// Receiver is nil where none runs.
	Receiver *Receiver
}

// Receiver is what a receiver has seen since it started.
type Receiver struct {
	Deliveries map[string]int64 // by what became of them
	Healthy    bool             // events are taken
}

// RunCount says how often a command ended with an exit code.
type RunCount struct {
	Command string
	Exit    string // the exit code, or "none": at work or killed
	Count   int64
}

// Run is the last run of a command that ended.
type Run struct {
	Command      string
	Start, End   time.Time
	Exit         int
	Completed    time.Time        // when a run of the command last came to its end (exit code 0 or 3); zero: never
	Success      time.Time        // when one last ended with 0; zero: never
	Rows         map[string]int64 // by outcome
	Exceptions   map[string]int64 // of its report, by severity
	Requests     map[string]int64 // by HTTP status, or "none"
	Pace         float64          // requests a second, at the end
	LatencyCount uint64
	LatencySum   time.Duration
	Latency      map[float64]uint64 // cumulative, by upper bound in seconds
}

// Journal is the extent of the event journal.
type Journal struct {
	Bytes    int64
	Segments int
	Events   int64     // number of the last one
	LastAt   time.Time // when it was received; zero: not known
}
