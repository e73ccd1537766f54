package limit

import "net/netip"

// Client is the key of a client by its address. Of IPv6 the /64 network counts:
// whoever has one address has all of it. What is no address is its own key.
func Client(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().String()
	}
	return a.String()
}
