package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// stateVersion is that of moment.json; another one is refused.
const stateVersion = 1

// stateFile is moment.json: what survives a restart. Staleness, counts and
// undelivered events do not.
type stateFile struct {
	Version  int          `json:"version"`
	Test     stateBook    `json:"test"`
	Live     stateBook    `json:"live"`
	Payments []stateEvent `json:"payments"`
}

type stateBook struct {
	Customers []Customer `json:"customers"`
	Keys      []stateKey `json:"keys"`
}

type stateKey struct {
	Key         string    `json:"key"`
	BodyHash    []byte    `json:"body_sha256"`
	Since       time.Time `json:"since"`
	Status      int       `json:"status,omitzero"` // 0: no outcome
	ContentType string    `json:"content_type,omitzero"`
	RetryAfter  int       `json:"retry_after,omitzero"`
	Body        string    `json:"body,omitzero"`
}

type stateEvent struct {
	Mode      Mode   `json:"mode"`
	WebhookID string `json:"webhook_id"`
	Body      string `json:"body"`
}

// saveState replaces the file at path in one step.
func (s *Sandbox) saveState(path string) error {
	state := stateFile{Version: stateVersion, Test: s.books[Test].state(), Live: s.books[Live].state()}
	for _, e := range s.till.all() {
		state.Payments = append(state.Payments, stateEvent{Mode: e.Payment.Mode, WebhookID: e.WebhookID, Body: string(e.Body)})
	}
	data, err := json.Marshal(state, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("write sandbox state: %w", err)
	}
	if err := writeFile(path, data); err != nil {
		return fmt.Errorf("write sandbox state: %w", err)
	}
	return nil
}

// loadState fills empty books from the file at path, if there is one.
func (s *Sandbox) loadState(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var state stateFile
	if err == nil {
		err = json.Unmarshal(data, &state)
	}
	if err == nil && state.Version != stateVersion {
		err = fmt.Errorf("version %d, where %d is known", state.Version, stateVersion)
	}
	if err == nil {
		err = s.restorePayments(state.Payments)
	}
	if err != nil {
		return fmt.Errorf("read sandbox state %s: %w; move the file away to start with empty books", path, err)
	}
	s.books[Test].restore(state.Test)
	s.books[Live].restore(state.Live)
	return nil
}

func (s *Sandbox) restorePayments(events []stateEvent) error {
	for i, e := range events {
		var w wireEvent
		if err := json.Unmarshal([]byte(e.Body), &w); err != nil {
			return fmt.Errorf("payment %d: %w", i+1, err)
		}
		// An event without times was sent so, and stays so.
		at, err := time.Parse(time.RFC3339, w.Data.CreatedAt)
		s.till.add(Event{ID: w.ID, WebhookID: e.WebhookID, Body: []byte(e.Body), Payment: Payment{
			Mode: e.Mode, CustomerID: w.Data.CustomerID, AccountID: w.Data.AccountID, BillID: w.Data.BillID,
			Amount: w.Data.Amount, Currency: w.Data.Currency, Metadata: w.Data.Metadata,
			EventID: w.ID, ObligationID: w.Data.ID, PaymentID: w.Data.PaymentID, At: at, Bare: err != nil,
		}})
	}
	return nil
}

func (b *book) state() stateBook {
	out := stateBook{Customers: b.all()}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(b.keys)) {
		e := b.keys[key]
		k := stateKey{Key: key, BodyHash: e.hash[:], Since: e.since}
		if e.state == keyDone {
			k.Status, k.ContentType, k.RetryAfter, k.Body = e.answer.status, e.answer.contentType, e.answer.retryAfter, string(e.answer.body)
		}
		out.Keys = append(out.Keys, k)
	}
	return out
}

// restore lets duplicates in, whatever the rule is now: they are there.
func (b *book) restore(state stateBook) {
	unique := b.unique
	b.unique = false
	for _, c := range state.Customers {
		b.addSeen(c)
	}
	b.unique = unique
	for _, k := range state.Keys {
		e := &keyEntry{since: k.Since}
		copy(e.hash[:], k.BodyHash)
		if k.Status != 0 {
			e.state = keyDone
			e.answer = answer{status: k.Status, contentType: k.ContentType, retryAfter: k.RetryAfter, body: []byte(k.Body)}
		}
		b.keys[k.Key] = e
	}
}
