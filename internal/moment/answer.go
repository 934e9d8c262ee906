package moment

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Class says what an exchange allows to conclude.
type Class int

// The classes of answers. "Failure answers" are those for which Failure is true.
const (
	Silence       Class = iota // sent, or perhaps sent, and no usable answer came
	NotSent                    // nothing of the request left this machine
	OK                         // 2xx with a usable customer
	NotFound                   // 404 for one customer
	Conflict                   // 409: the reference is taken, or a kind of conflict that is not known
	InFlight                   // 409: the first request with this key has not ended
	KeyReused                  // the key was used with another body: a fault of ours
	Invalid                    // the request was understood and refused for what it says
	Throttled                  // 429 or 503: too fast, or not now
	ServerError                // 408, 425 or another 5xx
	Unauthorized               // 401 or 403: the credentials are refused
	Misconfigured              // an answer that Moment would not give: redirect, no such path, TLS fault
)

// String names the class for logs.
func (c Class) String() string {
	return [...]string{
		"silence", "not_sent", "ok", "not_found", "conflict", "in_flight", "key_reused", "invalid", "throttled",
		"server_error", "unauthorized", "misconfigured",
	}[c]
}

// Answer is the result of one exchange.
type Answer struct {
	Class    Class
	Status   int      // HTTP status; 0 without an answer
	Replayed bool     // Moment repeated a stored outcome (Idempotent-Replayed)
	Customer Customer // with OK
	Problem  Problem  // with an error status, as far as it could be read
	Err      error    // with Silence, NotSent and Misconfigured: what happened
	GiveUp   error    // set when nothing but refusals came for as long as is allowed: the caller should stop
}

// classify sorts a complete answer by status, problem type and what was asked for. collection is true for a path that
// does not name one customer.
func classify(status int, problem Problem, collection bool) Class {
	switch {
	case status >= 200 && status < 300:
		return OK
	case status >= 300 && status < 400, status == http.StatusMethodNotAllowed, status == http.StatusProxyAuthRequired, status == http.StatusNotFound && collection:
		return Misconfigured
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Unauthorized
	case status == http.StatusNotFound:
		return NotFound
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return Throttled
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return ServerError
	case problem.aboutKey():
		return classifyKeyProblem(status, problem)
	case status == http.StatusConflict:
		return Conflict
	default:
		return Invalid
	}
}

// Words by which Moment's answer may tell a key that is in use from one that was used for something else. Neither is
// documented; a 409 that cannot be told counts as any other conflict, which a look-up settles.
var (
	inFlightWords = []string{"in-use", "in_use", "in use", "in-progress", "in_progress", "in progress", "in-flight", "in flight", "processing", "being processed", "concurrent", "outstanding", "still"}
	reusedWords   = []string{"reuse", "re-use", "mismatch", "different", "does not match", "already used"}
)

func classifyKeyProblem(status int, problem Problem) Class {
	text := strings.ToLower(problem.Type + " " + problem.Title + " " + problem.Detail)
	has := func(word string) bool { return strings.Contains(text, word) }
	switch {
	case status == http.StatusConflict && slices.ContainsFunc(inFlightWords, has):
		return InFlight
	case slices.ContainsFunc(reusedWords, has):
		return KeyReused
	case status == http.StatusConflict:
		return Conflict
	default:
		return Invalid
	}
}

// Failure reports whether the class is a definite failure answer: Moment said no, and may have stored that under the
// request's key.
func (c Class) Failure() bool {
	switch c {
	case Invalid, Throttled, ServerError, Unauthorized:
		return true
	}
	return false
}

// progress reports whether an answer shows that the API does the work it is asked for.
func (c Class) progress() bool {
	switch c {
	case OK, Conflict, KeyReused, Invalid:
		return true
	}
	return false
}

// retryAfter reads a Retry-After header in seconds or any of the three HTTP-date forms (RFC 9110 section 10.2.3). What
// is past, negative or unreadable is no delay; a huge number is a huge delay, never an overflow.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0
	}
	if strings.Trim(header, "0123456789") == "" {
		const most = 1 << 30
		seconds := 0
		for _, digit := range header {
			seconds = min(seconds*10+int(digit-'0'), most)
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
