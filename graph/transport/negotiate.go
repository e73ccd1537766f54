package transport

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The media types of a response.
const (
	typeJSON        = "application/json"
	typeGraphQL     = "application/graphql-response+json"
	typeEventStream = "text/event-stream"
)

// negotiate returns the media type that the Accept header prefers among those
// offered, the first of which is taken when the header is absent or indifferent;
// "" when it accepts none. After RFC 9110, 12.5.1.
func negotiate(r *http.Request, offers ...string) string {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return offers[0]
	}
	best, bestQ := "", 0.0
	for _, offer := range offers {
		if q := quality(accept, offer); q > bestQ {
			best, bestQ = offer, q
		}
	}
	return best
}

// quality returns the weight of the most specific range that covers the type.
func quality(accept, offer string) float64 {
	main, _, _ := strings.Cut(offer, "/")
	q, specific := 0.0, -1
	for part := range strings.SplitSeq(accept, ",") {
		t, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		s := -1
		switch t {
		case offer:
			s = 2
		case main + "/*":
			s = 1
		case "*/*":
			s = 0
		}
		if c := params["charset"]; s < 0 || c != "" && !strings.EqualFold(c, "utf-8") {
			continue
		}
		w := 1.0
		if v, ok := params["q"]; ok {
			if w, err = strconv.ParseFloat(v, 64); err != nil || w < 0 || w > 1 {
				continue
			}
		}
		if s > specific || s == specific && w > q {
			q, specific = w, s
		}
	}
	return q
}
