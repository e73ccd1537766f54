package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"foresight/ent/enum"
	"foresight/internal/access"
	"foresight/internal/app"
	"foresight/internal/fault"
	"foresight/locales"
)

func tenants() *cobra.Command {
	c := &cobra.Command{Use: "tenant", Short: "Make tenants, and delete their data"}
	c.AddCommand(createTenant(), purgeTenant())
	return c
}

func createTenant() *cobra.Command {
	c := &cobra.Command{Use: "create", Short: "Make a tenant with its first admin, and print the link to set the admin's password", Args: cobra.NoArgs}
	var n access.NewTenant
	var plan string
	f := c.Flags()
	f.StringVar(&n.Code, "code", "", "code in topics and imports, for good: lower-case letters, digits, _ and -")
	f.StringVar(&n.Name, "name", "", "name of the organisation")
	f.StringVar(&n.Admin.Email, "admin-email", "", "address of the first admin")
	f.StringVar(&n.Admin.FullName, "admin-name", "", "full name of the first admin (default: the address)")
	f.StringVar(&plan, "plan", string(enum.PlanStandard), "plan: "+strings.Join(enum.Plan("").Values(), ", "))
	f.StringVar(&n.Locale, "locale", "en", "language of people without one of their own, BCP 47")
	f.StringVar(&n.TimeZone, "time-zone", "UTC", "IANA time zone of days and reports")
	f.StringVar(&n.Currency, "currency", "EUR", "ISO 4217 code of costs")
	for _, name := range []string{"code", "name", "admin-email"} {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // the names are good
		}
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		if n.Plan = enum.Plan(plan); !slices.Contains(n.Plan.Values(), plan) {
			return fmt.Errorf("no plan %q: there are %s", plan, strings.Join(enum.Plan("").Values(), ", "))
		}
		if n.Admin.FullName == "" {
			n.Admin.FullName = n.Admin.Email
		}
		cfg, log, err := setup()
		if err != nil {
			return err
		}
		founded, err := app.NewTenant(c.Context(), cfg, log, n)
		if err != nil {
			return explained(err)
		}
		fmt.Fprintf(c.OutOrStdout(), "tenant %s (%s)\nadmin  %s\nset the password within 7 days: %s\n",
			founded.Tenant.Code, founded.Tenant.ID, founded.Admin.Email, founded.Link)
		return nil
	}
	return c
}

func purgeTenant() *cobra.Command {
	c := &cobra.Command{Use: "purge CODE", Short: "Delete all readings, predictions, rollups and landed messages of a tenant that is deactivated", Args: cobra.ExactArgs(1)}
	sure := c.Flags().Bool("yes", false, "really delete: there is no way back")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !*sure {
			return fmt.Errorf("this deletes all telemetry of tenant %q for good: say --yes", args[0])
		}
		cfg, log, err := setup()
		if err != nil {
			return err
		}
		gone, err := app.PurgeTenant(c.Context(), cfg, log, args[0])
		if err != nil {
			return explained(err)
		}
		fmt.Fprintf(c.OutOrStdout(), "deleted: %d documents, %d files\n", gone.Documents, gone.Files)
		return nil
	}
	return c
}

// explained tells a person at the terminal what to mend.
func explained(err error) error {
	var l fault.List
	var f *fault.Error
	switch {
	case errors.As(err, &l):
	case errors.As(err, &f) && f.Kind != fault.Internal:
		l = fault.List{f}
	default:
		return err
	}
	words := locales.New().Localizer("", "")
	var said []string
	for _, e := range l {
		said = append(said, strings.TrimPrefix(e.Field+": ", ": ")+words.Error(e))
	}
	return errors.New(strings.ReplaceAll(strings.Join(said, "\n"), "input.", ""))
}
