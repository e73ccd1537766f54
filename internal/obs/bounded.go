package obs

import "sync"

// Other is the label value of what is beyond the bound of a Bounded.
const Other = "other"

// Bounded keeps the values of a label few: the first so many that come have a value of
// their own, all others share Other. It is safe for concurrent use.
type Bounded[K comparable] struct {
	most int

	mu    sync.RWMutex
	known map[K]string
}

// NewBounded returns one for so many values.
func NewBounded[K comparable](most int) *Bounded[K] {
	return &Bounded[K]{most: most, known: map[K]string{}}
}

// Value returns the label value of the key; name is asked once for each that has its own.
func (b *Bounded[K]) Value(key K, name func(K) string) string {
	b.mu.RLock()
	v, ok := b.known[key]
	full := len(b.known) >= b.most
	b.mu.RUnlock()
	switch {
	case ok:
		return v
	case full:
		return Other
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if v, ok := b.known[key]; ok {
		return v
	}
	if len(b.known) >= b.most {
		return Other
	}
	v = name(key)
	b.known[key] = v
	return v
}
