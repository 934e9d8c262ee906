package sandbox

import (
	"net/http"
	"strings"
	"sync"
)

// keyring knows the bearer keys and what has become of them.
type keyring struct {
	invalidStatus int

	mu      sync.Mutex
	modes   map[string]Mode
	revoked map[Mode]bool
}

func newKeyring(test, live string, invalidStatus int) *keyring {
	return &keyring{
		invalidStatus: invalidStatus,
		modes:         map[string]Mode{test: Test, live: Live},
		revoked:       map[Mode]bool{},
	}
}

// admit returns the mode of the request's key, or the refusal. Moment has three
// classes of refusals: none given, never valid, no longer valid
// (/api-reference/getting-started/authentication).
func (k *keyring) admit(r *http.Request) (Mode, *answer) {
	refuse := func(status int, fragment, detail string) (Mode, *answer) {
		a := newProblem(status, fragment, r.URL.Path, detail)
		return "", &a
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || key == "" {
		return refuse(http.StatusUnauthorized, problemUnauthorized, "no API key: send Authorization: Bearer and a secret key")
	}
	k.mu.Lock()
	mode, known := k.modes[key]
	revoked := k.revoked[mode]
	k.mu.Unlock()
	switch {
	case revoked:
		return refuse(http.StatusForbidden, problemForbidden, "this API key has been deleted or has expired")
	case known:
		return mode, nil
	case strings.HasPrefix(key, "pk_"):
		return refuse(http.StatusForbidden, problemForbidden, "a public key has no access to billing: use the secret key")
	case k.invalidStatus == http.StatusBadRequest:
		return refuse(http.StatusBadRequest, problemInvalid, "invalid API key")
	}
	return refuse(http.StatusUnauthorized, problemUnauthorized, "invalid API key")
}

// RevokeKey makes the mode's key one that was deleted: it is answered 403 until
// [Sandbox.RestoreKey].
func (s *Sandbox) RevokeKey(m Mode) { s.setRevoked(m, true) }

// RestoreKey undoes [Sandbox.RevokeKey].
func (s *Sandbox) RestoreKey(m Mode) { s.setRevoked(m, false) }

func (s *Sandbox) setRevoked(m Mode, revoked bool) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	s.keys.revoked[m] = revoked
}
