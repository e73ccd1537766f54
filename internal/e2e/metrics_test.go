package e2e

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// metrics reads /metrics: values by the name with its labels, as the text has them.
func (i *instance) metrics(t testing.TB) map[string]float64 {
	t.Helper()
	p, err := web.Get(i.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Body.Close()
	if p.StatusCode != http.StatusOK {
		t.Fatalf("/metrics: %d", p.StatusCode)
	}
	out := map[string]float64{}
	for s := bufio.NewScanner(p.Body); s.Scan(); {
		at := strings.LastIndexByte(s.Text(), ' ')
		if at < 0 || strings.HasPrefix(s.Text(), "#") {
			continue
		}
		if v, err := strconv.ParseFloat(s.Text()[at+1:], 64); err == nil {
			out[s.Text()[:at]] = v
		}
	}
	return out
}

// sum adds the values whose name and labels contain all the parts.
func sum(metrics map[string]float64, parts ...string) (total float64) {
next:
	for name, v := range metrics {
		for _, p := range parts {
			if !strings.Contains(name, p) {
				continue next
			}
		}
		total += v
	}
	return total
}
