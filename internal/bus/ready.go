package bus

// Ready reports whether Wait would return at once: a caller with many appends on
// their way can gather those that are confirmed.
func (p Pending) Ready() bool { return len(p.ack.Ok()) > 0 || len(p.ack.Err()) > 0 }
