package sandbox

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// problemBase is the host that Moment's error pages still show in problem types;
// clients must go by the fragment.
const problemBase = "https://api.momentco.io/docs/errors#"

// Fragments of problem types. Only not-found and conflict are Moment's own; the
// others follow their style, as the documentation gives none.
const (
	problemInvalid      = "invalid-request"
	problemUnauthorized = "unauthorized"
	problemForbidden    = "forbidden"
	problemNotFound     = "not-found"
	problemMethod       = "method-not-allowed"
	problemConflict     = "conflict"
	problemKeyInUse     = "idempotency-key-in-use"
	problemTooLarge     = "payload-too-large"
	problemKeyReused    = "idempotency-key-reused"
	problemTooMany      = "too-many-requests"
	problemInternal     = "internal-error"
)

const (
	typeJSON    = "application/json"
	typeProblem = "application/problem+json"
	typeHTML    = "text/html; charset=utf-8"
)

// problem is an error answer as RFC 9457 has it, with the members that Moment's
// sample shows.
type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
}

// answer is what the API has decided to say, before faults decide whether the
// caller hears it.
type answer struct {
	status      int
	contentType string
	body        []byte
	replayed    bool
	retryAfter  int    // seconds; 0 = not said
	allow       string // for 405
}

func newProblem(status int, fragment, instance, detail string) answer {
	body, err := json.Marshal(problem{
		Type: problemBase + fragment, Title: http.StatusText(status), Status: status, Detail: detail,
		Instance: strings.ToValidUTF8(instance, "?"),
	})
	if err != nil {
		body = []byte("{}") // unreachable: five plain members, valid text
	}
	return answer{status: status, contentType: typeProblem, body: body}
}

// newResource is a success with a customer in it.
func newResource(status int, instance string, c Customer) answer {
	body, err := c.encode()
	if err != nil {
		return newProblem(http.StatusInternalServerError, problemInternal, instance, "the customer cannot be shown: "+err.Error())
	}
	return answer{status: status, contentType: typeJSON, body: body}
}

func invalid(instance string, faults []string) answer {
	return newProblem(http.StatusBadRequest, problemInvalid, instance, strings.Join(faults, "; "))
}

func notFound(instance string) answer {
	return newProblem(http.StatusNotFound, problemNotFound, instance, "no such resource")
}
