package access

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"foresight/internal/jobs"
	"foresight/internal/mail"
)

// letterJob is a letter that waits to be sent. The link in it opens an account, and its
// reader is nobody's business who reads the queue: all of it is sealed.
type letterJob struct {
	jobs.Behalf
	jobs.Outward
	Letter string    `json:"letter"` // its id
	About  mail.Kind `json:"about"`
	Sealed []byte    `json:"sealed"` // a waitingLetter
}

// waitingLetter is what letterJob keeps sealed.
type waitingLetter struct {
	mail.Letter
	Until time.Time // for so long the link is good
}

// Kind implements river.JobArgs.
func (letterJob) Kind() string { return "letter" }

// place is where the sealed letter belongs.
func (j letterJob) place() string { return "letters/" + j.TenantID.String() + "/" + j.Letter }

// write adds a letter to those that are sent, within a transaction of the tenant that it
// is of. Without a mailer it does nothing.
func (p *Post) write(ctx context.Context, tx pgx.Tx, l mail.Letter) error {
	if !p.Configured() {
		return nil
	}
	behalf, err := jobs.Of(ctx)
	if err != nil {
		return err
	}
	j := letterJob{Behalf: behalf, Letter: rand.Text(), About: l.Kind}
	l.ID = j.Letter
	plain, err := json.Marshal(waitingLetter{l, p.o.Now().Add(l.Life)})
	if err != nil {
		return fmt.Errorf("access: %w", err)
	}
	if j.Sealed, err = p.o.Sealer.Seal(plain, j.place()); err != nil {
		return err
	}
	return p.o.Queue.Add(ctx, tx, j, time.Time{})
}

// Work has the runner send letters. It is called before the runner starts.
func (p *Post) Work(r *jobs.Runner) {
	jobs.Handle(r, jobs.Work[letterJob]{Do: p.deliver})
}

// What is kept beside a job of why it failed: what the server said may name the reader,
// and is for the log.
var (
	errPutOff  = errors.New("not sent; the log says why")
	errRefused = fmt.Errorf("%w: refused; the log says why", jobs.ErrHopeless)
	errSealed  = fmt.Errorf("%w: sealed by another key", jobs.ErrHopeless)
)

// deliver sends a letter. One that was sent when the process died before the job was
// done is sent again, under the same id.
func (p *Post) deliver(ctx context.Context, j letterJob) error {
	outcome := func(o string) { p.count.WithLabelValues(string(j.About), o).Inc() }
	if !p.Configured() { // in this process; another may be
		p.told(ctx, j.About)
		return errPutOff
	}
	plain, err := p.o.Sealer.Open(j.Sealed, j.place())
	var l waitingLetter
	if err == nil {
		err = json.Unmarshal(plain, &l)
	}
	if err != nil {
		outcome("unreadable")
		return errSealed
	}
	if !p.o.Now().Before(l.Until) {
		outcome("too_late")
		p.o.Log.WarnContext(ctx, "a letter was not sent while its link was good", "letter", string(j.About))
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	err = p.o.Mailer.Send(ctx, l.Letter)
	switch {
	case err == nil:
		outcome("sent")
		return nil
	case errors.Is(err, mail.ErrRefused):
		outcome("refused")
		p.o.Log.ErrorContext(ctx, "letter refused", "letter", string(j.About), "error", err)
		return errRefused
	}
	outcome("put_off")
	p.o.Log.WarnContext(ctx, "letter not sent yet", "letter", string(j.About), "error", err)
	return errPutOff
}
