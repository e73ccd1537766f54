package access

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/mail"
	"foresight/internal/obs"
)

// Mailer sends letters. *mail.SMTP is one.
type Mailer interface {
	Send(ctx context.Context, l mail.Letter) error
}

const (
	// queued bounds the letters that wait. One beyond is dropped and counted in the log.
	queued = 256
	// writeWithin bounds what is done about one letter.
	writeWithin = time.Minute
)

// Post writes letters in the background, one after the other: the answer to a request
// neither waits for a mail server nor tells by its time whether there was anybody to
// write to. It is a lifecycle.Part. Letters that wait when it stops are lost; people
// ask again.
type Post struct {
	mailer Mailer
	log    *slog.Logger
	count  *prometheus.CounterVec // of letters, by kind and outcome
	work   chan func(context.Context)
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewPost returns the part. Without a mailer nothing is sent, and Configured says so.
// It counts letters as foresight_mail_letters_total; the registerer may be nil.
func NewPost(m Mailer, log *slog.Logger, r prometheus.Registerer) *Post {
	if log == nil {
		log = slog.Default()
	}
	return &Post{mailer: m, log: log, work: make(chan func(context.Context), queued),
		count: obs.NewCounter(r, "mail", "letters_total", "Letters by kind and outcome: sent, failed, unconfigured.", "letter", "outcome")}
}

// Name implements lifecycle.Part.
func (p *Post) Name() string { return "post" }

// Start implements lifecycle.Part.
func (p *Post) Start(ctx context.Context) error {
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case f := <-p.work:
				c, cancel := context.WithTimeout(ctx, writeWithin)
				f(c)
				cancel()
			}
		}
	})
	return nil
}

// Stop implements lifecycle.Part. It interrupts what is being sent.
func (p *Post) Stop(context.Context) error {
	if p.cancel != nil {
		p.cancel()
		p.done.Wait()
	}
	return nil
}

// Configured reports whether letters are sent at all.
func (p *Post) Configured() bool { return p.mailer != nil }

// later does something in the background. It never waits.
func (p *Post) later(ctx context.Context, f func(context.Context)) {
	select {
	case p.work <- f:
	default:
		p.log.WarnContext(ctx, "too many letters wait: one was dropped")
	}
}

// send sends a letter in the background.
func (p *Post) send(ctx context.Context, l mail.Letter) {
	if !p.Configured() {
		p.deliver(ctx, l) // which says so
		return
	}
	p.later(ctx, func(ctx context.Context) { p.deliver(ctx, l) })
}

// deliver sends a letter now. What goes wrong is for the log: nobody waits for it.
func (p *Post) deliver(ctx context.Context, l mail.Letter) {
	if !p.Configured() {
		p.count.WithLabelValues(string(l.Kind), "unconfigured").Inc()
		p.log.WarnContext(ctx, "no mail server is configured: a letter was not sent", "letter", string(l.Kind))
		return
	}
	if err := p.mailer.Send(ctx, l); err != nil {
		p.count.WithLabelValues(string(l.Kind), "failed").Inc()
		p.log.ErrorContext(ctx, "letter not sent", "letter", string(l.Kind), "error", err)
		return
	}
	p.count.WithLabelValues(string(l.Kind), "sent").Inc()
}
