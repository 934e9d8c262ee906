package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// keyLifetime is how long Moment replays an outcome
// (/api-reference/getting-started/idempotency); after it a key is brand-new.
const keyLifetime = 24 * time.Hour

// digest is the SHA-256 of a request body.
type digest [32]byte

// keyState is what is known of an idempotency key.
type keyState int

const (
	// keySeen: a request with it came, and left nothing behind.
	keySeen keyState = iota
	// keyBusy: its first request is still being answered.
	keyBusy
	// keyDone: its outcome is stored.
	keyDone
)

// keyEntry outlives its outcome: the body that first came under a key is
// remembered for good, because a correct client never sends another.
type keyEntry struct {
	state  keyState
	hash   digest
	since  time.Time
	answer answer
}

// claim is the result of asking for a key.
type claim int

const (
	claimed      claim = iota // go on, and settle the key in the end
	claimReplay               // the stored outcome is the answer
	claimBusy                 // the first request has no outcome yet
	claimMisused              // another body stands under this key
)

// claimKey takes a key for a request. With claimReplay the stored answer is
// returned. reused tells that the key ever came with another body, also where
// that is no longer refused.
func (b *book) claimKey(key string, hash digest, now time.Time) (c claim, stored answer, reused bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, known := b.keys[key]
	if !known {
		b.keys[key] = &keyEntry{state: keyBusy, hash: hash, since: now}
		return claimed, answer{}, false
	}
	reused = e.hash != hash
	expired := e.state == keyDone && now.Sub(e.since) >= keyLifetime
	switch {
	case e.state == keySeen || expired:
		e.state, e.since, e.answer = keyBusy, now, answer{}
		return claimed, answer{}, reused
	case reused:
		return claimMisused, answer{}, true
	case e.state == keyBusy:
		return claimBusy, answer{}, false
	}
	return claimReplay, e.answer, false
}

// settleKey stores the outcome of a claimed key; nil stores none, so that the
// next request under it is a first one again.
func (b *book) settleKey(key string, outcome *answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.keys[key]
	if outcome == nil {
		e.state = keySeen
		return
	}
	e.state, e.answer = keyDone, *outcome
}

// requestKey returns the request's Idempotency-Key, bare, and whether there is
// exactly one that obeys Moment's rule.
func requestKey(r *http.Request) (string, bool) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) != 1 {
		return strings.Join(values, ", "), false
	}
	key := values[0]
	bad := strings.IndexFunc(key, func(c rune) bool { return !isAlnum(c) && c != '-' }) >= 0
	return key, key != "" && len(key) <= maxText && !bad
}
