package access

import (
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/currency"
	"golang.org/x/text/language"

	"foresight/internal/fault"
)

// The lengths of texts, in characters, as the columns have them.
const (
	maxName        = 200
	maxUsername    = 100
	maxEmail       = 320
	maxDescription = 2000
	maxLocale      = 35

	// MinPassword and MaxPassword are the lengths of a password that a person
	// chooses. There are no rules about its characters (NIST SP 800-63B, 5.1.1.2).
	MinPassword = 10
	MaxPassword = 256
)

// codeForm is the form of codes in topics, imports and conversation.
var codeForm = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)

// mistakes gathers what is wrong with an input.
type mistakes struct{ l fault.List }

func (m *mistakes) add(f *fault.Error) { m.l = append(m.l, f) }

func (m *mistakes) bad(field, key string) { m.add(fault.Invalid("input."+field, key)) }

func (m *mistakes) err() error { return m.l.Err() }

// name returns a text of 1-200 characters without space around it.
func (m *mistakes) name(field, s string) string {
	s = strings.TrimSpace(s)
	if s == "" || utf8.RuneCountInString(s) > maxName {
		m.bad(field, "error.name")
	}
	return s
}

// atMost returns a text without space around it.
func (m *mistakes) atMost(field, s string, most int) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > most {
		m.add(fault.Invalid("input."+field, "error.tooLong").With("Max", most))
	}
	return s
}

func (m *mistakes) code(field, s string) string {
	if !codeForm.MatchString(s) {
		m.bad(field, "error.code")
	}
	return s
}

// username returns a name to mention people by: no space, no @, which is for addresses.
func (m *mistakes) username(field, s string) string {
	s = strings.TrimSpace(s)
	if s == "" || utf8.RuneCountInString(s) > maxUsername || strings.ContainsAny(s, "@ \t\r\n") {
		m.bad(field, "error.access.username")
	}
	return s
}

// address returns an address in the form in which it is stored, "" when it is none.
func address(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" || utf8.RuneCountInString(s) > maxEmail || strings.ContainsAny(s, "\r\n\"") {
		return ""
	}
	return s
}

func (m *mistakes) email(field, s string) string {
	a := address(s)
	if a == "" {
		m.bad(field, "error.access.email")
	}
	return a
}

// password refuses what is short, long, or says who its owner is.
func (m *mistakes) password(field, s string, owner ...string) {
	if n := utf8.RuneCountInString(s); n < MinPassword || n > MaxPassword {
		m.add(fault.Invalid("input."+field, "error.access.passwordLength").With("Min", MinPassword).With("Max", MaxPassword))
		return
	}
	lower := strings.ToLower(s)
	for _, o := range owner {
		if o = strings.ToLower(o); o != "" && lower == o {
			m.bad(field, "error.access.passwordGuessable")
			return
		}
	}
	if _, common := commonPasswords[lower]; common || strings.Count(lower, lower[:1]) == len(lower) {
		m.bad(field, "error.access.passwordGuessable")
	}
}

// commonPasswords are those of at least MinPassword characters that lead the lists
// of leaked passwords.
var commonPasswords = map[string]struct{}{
	"1234567890": {}, "0123456789": {}, "0987654321": {}, "12345678910": {}, "123456789a": {}, "1q2w3e4r5t": {}, "1q2w3e4r5t6y": {},
	"1qaz2wsx3edc": {}, "qwertyuiop": {}, "qwerty12345": {}, "qwerty123456": {}, "asdfghjkl;": {}, "abcdefghij": {}, "abcd123456": {},
	"password12": {}, "password123": {}, "password1234": {}, "passw0rd123": {}, "passwordpassword": {}, "iloveyou123": {}, "letmein123": {},
	"welcome123": {}, "welcome1234": {}, "administrator": {}, "changeme123": {}, "p@ssw0rd123": {}, "football123": {}, "baseball123": {},
	"superman123": {}, "sunshine123": {}, "princess123": {}, "1234512345": {}, "1122334455": {}, "9876543210": {}, "q1w2e3r4t5": {},
}

func (m *mistakes) locale(field, s string) string {
	tag, err := language.Parse(s)
	if err != nil || len(tag.String()) > maxLocale {
		m.bad(field, "error.access.locale")
	}
	return tag.String()
}

func (m *mistakes) timeZone(field, s string) string {
	if _, err := time.LoadLocation(s); err != nil || s == "" || s == "Local" {
		m.bad(field, "error.access.timeZone")
	}
	return s
}

func (m *mistakes) currency(field, s string) string {
	u, err := currency.ParseISO(s)
	if err != nil {
		m.bad(field, "error.access.currency")
	}
	return u.String()
}

func or(s, otherwise string) string {
	if s = strings.TrimSpace(s); s == "" {
		return otherwise
	}
	return s
}
