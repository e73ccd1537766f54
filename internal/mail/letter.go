// Package mail writes letters to people, in their language, and hands them to an
// SMTP server.
package mail

import (
	"strings"
	"time"
	"unicode"

	"foresight/locales"
)

// Kind is what a letter is about.
type Kind string

// The kinds of letters.
const (
	Invite  Kind = "invite"  // asks somebody to join a tenant
	Welcome Kind = "welcome" // tells a new person to set a password
	Reset   Kind = "reset"   // lets a person set another password
	Drift   Kind = "drift"   // tells who looks after models that one should be trained anew

	// To those who may deploy models.
	DeployAsked           Kind = "deploy_asked"            // a request waits for an answer
	DeployPromoted        Kind = "deploy_promoted"         // the rules gave a version more machines
	DeployRolledBack      Kind = "deploy_rolled_back"      // the rules took a version back
	DeployAdvisedPromote  Kind = "deploy_advised_promote"  // the rules would give it more, and wait for people
	DeployAdvisedRollback Kind = "deploy_advised_rollback" // the rules would take it back, and wait for people
)

// Letter is a letter to one person.
type Letter struct {
	// ID tells the letter from others, so that one that is sent again can be recognised;
	// "": it is sent once.
	ID     string
	Kind   Kind
	To     string // address
	Locale string // BCP 47; English where there are no texts in it
	Tenant string // name of the organisation
	Name   string // of the reader, "" where it is not known
	About  string // what it is about, `fault_classifier:1.1.0`; "" for most
	// Percent is a share of the machines, where the letter is about one.
	Percent int
	Link    string        // what to open; a secret; "" where there is nothing
	Life    time.Duration // how long the link is good, in whole hours
}

// Subject and Body are texts of locales, `mail.<kind>.subject` and `.body`.
func (l Letter) text(words *locales.Bundle, part string) string {
	hours := int(l.Life.Round(time.Hour).Hours())
	args := map[string]any{"Tenant": tame(l.Tenant), "Name": tame(l.Name), "About": tame(l.About), "Percent": l.Percent, "Link": l.Link, "Hours": hours, "Days": 0}
	if hours >= 48 {
		args["Days"] = hours / 24
	}
	return words.Localizer("", l.Locale).Message("mail."+string(l.Kind)+"."+part, args)
}

// maxNamed is how many characters of a name stand in a letter.
const maxNamed = 100

// tame makes a name that somebody has chosen fit for a letter to somebody else: one
// line, not longer than a name, and nothing that mail programs make a link of.
func tame(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	name = strings.NewReplacer("://", " ", "www.", "www ", "@", " ").Replace(name)
	if r := []rune(name); len(r) > maxNamed {
		name = string(r[:maxNamed]) + "…"
	}
	return name
}
