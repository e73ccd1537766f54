package iso20816

import "testing"

func TestZones(t *testing.T) {
	for _, c := range []struct {
		group    int
		support  Support
		velocity float64
		want     Zone
	}{
		{Above300kW, Rigid, 2.3, A},
		{Above300kW, Rigid, 2.31, B},
		{Above300kW, Rigid, 4.51, C},
		{Above300kW, Rigid, 7.11, D},
		{Above300kW, Flexible, 3.5, A},
		{Above300kW, Flexible, 7.1, B},
		{Above300kW, Flexible, 11, C},
		{Above300kW, Flexible, 11.1, D},
		{To300kW, Rigid, 0, A},
		{To300kW, Rigid, 1.5, B},
		{To300kW, Rigid, 2.9, C},
		{To300kW, Rigid, 4.6, D},
		{To300kW, Flexible, 2.2, A},
		{To300kW, Flexible, 4.4, B},
		{To300kW, Flexible, 7, C},
		{To300kW, Flexible, 8, D},
	} {
		l, ok := Of(c.group, c.support)
		if !ok {
			t.Fatalf("no limits for group %d, %s", c.group, c.support)
		}
		if got := l.Zone(c.velocity); got != c.want {
			t.Errorf("group %d, %s, %v mm/s: zone %s, want %s", c.group, c.support, c.velocity, got, c.want)
		}
	}
}

func TestNoZoneWithoutGroupOrSupport(t *testing.T) {
	for _, c := range []struct {
		group   int
		support Support
	}{{0, Rigid}, {To300kW, ""}, {3, Rigid}, {Above300kW, "hovering"}} {
		if l, ok := Of(c.group, c.support); ok {
			t.Errorf("group %d, support %q: limits %v, want none", c.group, c.support, l)
		}
	}
}
