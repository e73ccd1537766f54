package natsd

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// logAdapter passes the server's messages on. Notices (the banner, every client)
// are debug to us. A fatal message does not end the process: Start returns it.
type logAdapter struct {
	log  *slog.Logger
	last atomic.Pointer[string]
}

func (l *logAdapter) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l *logAdapter) Warnf(format string, v ...any)   { l.log.Warn(fmt.Sprintf(format, v...)) }
func (l *logAdapter) Errorf(format string, v ...any)  { l.log.Error(fmt.Sprintf(format, v...)) }
func (l *logAdapter) Debugf(format string, v ...any)  { l.log.Debug(fmt.Sprintf(format, v...)) }
func (l *logAdapter) Tracef(format string, v ...any)  { l.log.Debug(fmt.Sprintf(format, v...)) }

func (l *logAdapter) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.last.Store(&text)
	l.log.Error(text)
}

func (l *logAdapter) fatal() error {
	if text := l.last.Load(); text != nil {
		return errors.New(*text)
	}
	return nil
}
