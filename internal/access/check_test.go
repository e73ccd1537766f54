package access

import (
	"strings"
	"testing"

	"foresight/ent/enum"
)

// FuzzAddress: what is stored is one plain address in lower case, fit for the envelope
// and the header of a letter, and stays as it is when it is read again.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"Ada@Initech.example", " a@b ", "a@b\r\nBcc: c@d", "\"a b\"@c", "Ada <a@b>", "ä@bücher.example", "a@[127.0.0.1]", "<a@b>", "a@b, c@d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := address(s)
		if a == "" {
			return
		}
		if a != address(a) || a != strings.ToLower(a) || strings.ContainsAny(a, "\r\n\x00 <>,\"") || !strings.Contains(a, "@") {
			t.Errorf("%q is stored as %q", s, a)
		}
	})
}

func TestAddressesOfActions(t *testing.T) {
	for _, c := range []struct {
		kind enum.ChannelKind
		in   string
		want string
	}{
		{enum.ChannelEmail, " Olga@Acme.example ", "olga@acme.example"}, {enum.ChannelEmail, "olga", ""},
		{enum.ChannelSMS, "+49301234567", "+49301234567"}, {enum.ChannelSMS, "0049301234567", ""}, {enum.ChannelSMS, "+0301234567", ""},
		{enum.ChannelWebhook, "https://hooks.example.com/in?x=1", "https://hooks.example.com/in?x=1"},
		{enum.ChannelWebhook, "http://hooks.example.com/", ""}, {enum.ChannelWebhook, "https://user:pass@hooks.example.com/", ""},
		{enum.ChannelWebhook, "https://localhost/", ""}, {enum.ChannelWebhook, "https://127.0.0.1/", ""}, {enum.ChannelWebhook, "https://10.1.2.3/", ""},
		{enum.ChannelWebhook, "https://169.254.169.254/latest", ""}, {enum.ChannelWebhook, "https://[fd00::1]/", ""}, {enum.ChannelSlack, "javascript:alert(1)", ""},
		{"pigeon", "loft 3", ""},
	} {
		if got := checkAddress(c.kind, c.in); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.kind, c.in, got, c.want)
		}
	}
}
