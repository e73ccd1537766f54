package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// errRefused says that an address lies where deliveries must not go.
var errRefused = errors.New("webhook: the address is refused")

// special are networks that are no public hosts, beside those that netip knows by
// name: they reach the operator's own machines, or nobody (IANA special-purpose
// registries; 64:ff9b::/96 and 2002::/16 carry IPv4 addresses inside).
var special = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", "::/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, s := range texts {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// public reports whether an address is that of a public host.
func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !within(a, special)
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// guard decides where connections may go. It looks at the address that is dialled,
// after the name was resolved, so that a name cannot lead elsewhere in between.
type guard struct {
	allowed []netip.Prefix // besides public hosts
	plain   bool           // without TLS: to the allowed networks only
}

// control is for net.Dialer.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", errRefused, address)
	}
	if !g.allows(ap.Addr()) {
		return fmt.Errorf("%w: %s", errRefused, ap.Addr())
	}
	return nil
}

func (g guard) allows(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return within(a, g.allowed) || !g.plain && public(a)
}
