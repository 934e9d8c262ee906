package notify

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listener is the other side: it keeps what arrives, and answers as it is told.
type listener struct {
	*httptest.Server
	mu      sync.Mutex
	arrived []string // "POST /path?query: body"
	answer  func(w http.ResponseWriter, r *http.Request)
}

func listen(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *listener {
	t.Helper()
	l := &listener{answer: answer}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.mu.Lock()
		l.arrived = append(l.arrived, r.Method+" "+r.URL.RequestURI()+": "+string(body))
		l.mu.Unlock()
		if l.answer != nil {
			l.answer(w, r)
		}
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) got() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.arrived)
}

// told is a notifier with its log.
type told struct {
	*Notifier
	log *slog.Logger
}

func (n told) Start(ctx context.Context) { n.Notifier.Start(ctx, n.log) }

func (n told) End(ctx context.Context, m Message) { n.Notifier.End(ctx, n.log, m) }

func newTest(o Options) (told, *bytes.Buffer) {
	log := &bytes.Buffer{}
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	return told{New(o), slog.New(slog.NewTextHandler(log, nil))}, log
}

func TestConventions(t *testing.T) {
	for _, tt := range []struct {
		path string
		ok   bool
		want []string
	}{
		{"/uuid", true, []string{"POST /uuid/start: ", "POST /uuid: all well"}},
		{"/uuid", false, []string{"POST /uuid/start: ", "POST /uuid/fail: all well"}},
		{"/key/slug?create=1", false, []string{"POST /key/slug/start?create=1: ", "POST /key/slug/fail?create=1: all well"}},
		{"/uuid/", true, []string{"POST /uuid/start: ", "POST /uuid/: all well"}},
	} {
		l := listen(t, nil)
		n, log := newTest(Options{PingURL: l.URL + tt.path})
		n.Start(t.Context())
		n.End(t.Context(), Message{OK: tt.ok, Text: "all well"})
		if got := l.got(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.path, got, tt.want)
		}
		if log.Len() > 0 {
			t.Errorf("%s: logged %s", tt.path, log)
		}
	}
}

func TestWebhookGetsTheDocument(t *testing.T) {
	l := listen(t, nil)
	n, _ := newTest(Options{WebhookURL: l.URL + "/hook?token=1"})
	n.Start(t.Context())
	n.End(t.Context(), Message{Document: []byte(`{"run_id":"1"}`)})
	if got, want := l.got(), []string{`POST /hook?token=1: {"run_id":"1"}`}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTriesAgain(t *testing.T) {
	answers := []int{503, 429, 500, 204}
	l := listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answers[0])
		answers = answers[1:]
	})
	n, log := newTest(Options{WebhookURL: l.URL})
	n.End(t.Context(), Message{Document: []byte("{}")})
	if got := l.got(); len(got) != 4 {
		t.Errorf("%d attempts, want 4", len(got))
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log)
	}
}

func TestRefusalIsFinal(t *testing.T) {
	for _, code := range []int{301, 307, 400, 404, 410} {
		l := listen(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		})
		n, log := newTest(Options{WebhookURL: l.URL + "/secret-path"})
		n.End(t.Context(), Message{})
		if got := l.got(); len(got) != 1 {
			t.Errorf("%d: %d attempts, want 1", code, len(got))
		}
		if !strings.Contains(log.String(), "notify.webhook_url") || strings.Contains(log.String(), "secret-path") {
			t.Errorf("%d: logged %s", code, log)
		}
	}
}

// A server that takes the request and never answers holds a run up for no longer than it may.
func TestHangingServer(t *testing.T) {
	release := make(chan struct{})
	l := listen(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	n, log := newTest(Options{PingURL: l.URL + "/secret-ping", WebhookURL: l.URL + "/secret-hook", Patience: 50 * time.Millisecond})
	n.Start(t.Context()) // returns though nothing answers
	n.End(t.Context(), Message{Text: "x", Document: []byte("{}")})
	for _, want := range []string{"notify.ping_url", "notify.webhook_url"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say that %s was not told: %s", want, log)
		}
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("an address is in the log: %s", log)
	}
}

// The address of a server that is not there, with what makes it a secret, is in no error.
func TestAddressIsNotLogged(t *testing.T) {
	l := listen(t, nil)
	l.Close()
	n, log := newTest(Options{PingURL: l.URL + "/secret-ping", Patience: 5 * time.Millisecond})
	n.End(t.Context(), Message{})
	if log.Len() == 0 || strings.Contains(log.String(), "secret") {
		t.Errorf("logged %q", log)
	}
}

// A run that was interrupted says so, though its context is done.
func TestInterruptedRunStillTells(t *testing.T) {
	l := listen(t, nil)
	n, _ := newTest(Options{PingURL: l.URL + "/p"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n.End(ctx, Message{Text: "interrupted"})
	if got, want := l.got(), []string{"POST /p/fail: interrupted"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNobodyToTell(t *testing.T) {
	n, log := newTest(Options{})
	n.Start(t.Context())
	n.End(t.Context(), Message{})
	if log.Len() > 0 {
		t.Errorf("logged %s", log)
	}
}
