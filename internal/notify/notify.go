package notify

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Options say whom to tell.
type Options struct {
	PingURL    string        // the dead man's switch; empty: none
	WebhookURL string        // gets documents; empty: none
	UserAgent  string        // of the requests
	Patience   time.Duration // for one message, all attempts together; 0: 30 s
	Pause      time.Duration // before the second attempt, doubled for each further one; 0: 1 s
}

const (
	defaultPatience = 30 * time.Second
	defaultPause    = time.Second
	attemptTimeout  = 10 * time.Second
)

// Message is how a run ended.
type Message struct {
	OK       bool   // nothing needs anybody
	Text     string // a few lines for people, the body of the ping
	Document []byte // JSON, the body of the webhook
}

// Notifier tells of one run at a time. Its methods return no errors: what could not be told stands in the log that they
// are given.
type Notifier struct {
	options   Options
	transport *http.Transport
	starting  sync.WaitGroup
	giveUp    context.CancelFunc // ends the telling of the start; nil before Start
}

// New returns a notifier. With neither address it does nothing.
func New(o Options) *Notifier {
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	if o.Pause == 0 {
		o.Pause = defaultPause
	}
	return &Notifier{options: o, transport: newTransport()}
}

// Start tells the dead man's switch that a run begins. It returns at once; End waits for it.
func (n *Notifier) Start(ctx context.Context, log *slog.Logger) {
	if n.options.PingURL == "" {
		return
	}
	ctx, n.giveUp = context.WithTimeout(ctx, n.options.Patience)
	n.starting.Go(func() {
		n.tell(ctx, log, "the start", post{key: pingKey, address: n.options.PingURL, below: "start"})
	})
}

// End tells how the run ended, to both. It returns when both know, or when the patience is at its end; a context that is
// done already, as that of an interrupted run is, does not keep it from trying.
func (n *Notifier) End(ctx context.Context, log *slog.Logger, m Message) {
	defer n.transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.options.Patience)
	defer cancel()
	n.awaitStart()
	below := ""
	if !m.OK {
		below = "fail"
	}
	var telling sync.WaitGroup
	if n.options.PingURL != "" {
		telling.Go(func() {
			n.tell(ctx, log, "the end", post{key: pingKey, address: n.options.PingURL, below: below, media: "text/plain; charset=utf-8", body: []byte(m.Text)})
		})
	}
	if n.options.WebhookURL != "" {
		telling.Go(func() {
			n.tell(ctx, log, "the end", post{key: webhookKey, address: n.options.WebhookURL, media: "application/json", body: m.Document})
		})
	}
	telling.Wait()
}

// awaitStart gives the telling of the start a share of the patience: told after the end, it would look like another run.
func (n *Notifier) awaitStart() {
	if n.giveUp == nil {
		return
	}
	late := time.AfterFunc(n.options.Patience/3, n.giveUp)
	n.starting.Wait()
	late.Stop()
	n.giveUp()
}
