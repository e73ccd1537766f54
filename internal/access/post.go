package access

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"foresight/internal/jobs"
	"foresight/internal/mail"
	"foresight/internal/obs"
)

// Mailer sends letters. *mail.SMTP is one.
type Mailer interface {
	Send(ctx context.Context, l mail.Letter) error
}

const (
	// queued bounds the requests whose letters are to be written. One beyond is dropped
	// and counted in the log.
	queued = 256
	// writeWithin bounds what is done about one of them.
	writeWithin = time.Minute
)

// PostOptions are the parts of a Post.
type PostOptions struct {
	Mailer Mailer      // nil: no letters are sent
	Queue  *jobs.Queue // needed with a Mailer, as is Sealer
	Sealer Sealer

	Now        func() time.Time      // time.Now when nil
	Log        *slog.Logger          // slog.Default() when nil
	Registerer prometheus.Registerer // no metrics when nil
}

// Post sends letters. Each is a job, added in the transaction that makes what the
// letter is about: it outlives the process, is tried again while its link is good, and
// is not there when the transaction is rolled back.
//
// It also does in the background, one after the other, what decides whether there is
// anybody to write to: the answer to such a request tells nothing by its time. For that
// it is a lifecycle.Part. What waits when it stops is done first.
type Post struct {
	o      PostOptions
	count  *prometheus.CounterVec // of letters, by kind and outcome
	work   chan func(context.Context)
	ending chan struct{}
	end    func() // closes ending
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewPost returns the part. Without a mailer nothing is sent, and Configured says so.
// It counts letters as foresight_mail_letters_total.
func NewPost(o PostOptions) *Post {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	ending := make(chan struct{})
	return &Post{o: o, work: make(chan func(context.Context), queued), ending: ending, end: sync.OnceFunc(func() { close(ending) }),
		count: obs.NewCounter(o.Registerer, "mail", "letters_total", "Letters by kind and outcome: sent, put_off (to be tried again), refused (by the server, for good), too_late (the link is too old), unreadable, unconfigured.", "letter", "outcome")}
}

// Name implements lifecycle.Part.
func (p *Post) Name() string { return "post" }

// Start implements lifecycle.Part.
func (p *Post) Start(ctx context.Context) error {
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.done.Go(func() {
		for {
			select {
			case <-p.ending:
				p.finish(ctx)
				return
			case f := <-p.work:
				do(ctx, f)
			}
		}
	})
	return nil
}

// finish does what still waits.
func (p *Post) finish(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case f := <-p.work:
			do(ctx, f)
		default:
			return
		}
	}
}

func do(ctx context.Context, f func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	f(ctx)
}

// Stop implements lifecycle.Part: it waits for what is being done and what waits, as
// long as the context lasts. Nothing may be asked of the Post any more.
func (p *Post) Stop(ctx context.Context) error {
	if p.cancel == nil {
		return nil
	}
	defer p.cancel()
	p.end()
	defer context.AfterFunc(ctx, p.cancel)()
	p.done.Wait()
	return nil
}

// Configured reports whether letters are sent at all.
func (p *Post) Configured() bool { return p.o.Mailer != nil }

// later does something in the background. It never waits.
func (p *Post) later(ctx context.Context, f func(context.Context)) {
	select {
	case p.work <- f:
	default:
		p.o.Log.WarnContext(ctx, "too many letters wait: one was dropped")
	}
}

// told is called behind the transaction that made a letter, which cannot be sent when
// Configured does not say so.
func (p *Post) told(ctx context.Context, k mail.Kind) {
	if !p.Configured() {
		p.count.WithLabelValues(string(k), "unconfigured").Inc()
		p.o.Log.WarnContext(ctx, "no mail server is configured: a letter was not sent", "letter", string(k))
	}
}
