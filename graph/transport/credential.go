package transport

import (
	"net/http"
	"strings"

	"foresight/internal/auth"
	"foresight/internal/fault"
)

// credential returns what connection_init's payload brings, or else the header of
// the upgrade, in the form that WebSocketConfig.Authenticate takes; "" for nothing.
// Names are compared without regard to case. Two credentials in one place are
// refused: it would be unclear who acts.
func credential(payload map[string]any, upgrade http.Header) (string, error) {
	var authorization, key string
	for name, v := range payload {
		text, _ := v.(string)
		switch {
		case strings.EqualFold(name, "Authorization"):
			authorization = text
		case strings.EqualFold(name, auth.KeyHeader), strings.EqualFold(name, "apiKey"):
			key = text
		}
	}
	if authorization == "" && key == "" {
		authorization, key = upgrade.Get("Authorization"), upgrade.Get(auth.KeyHeader)
	}
	switch {
	case key == "":
		return authorization, nil
	case authorization != "":
		return "", fault.New(fault.Unauthenticated, "error.auth.one")
	}
	return auth.KeyScheme + " " + key, nil
}
