package access

import (
	"context"
	"time"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/settings"
	"foresight/ent/usersettings"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// maxDateFormat is the longest pattern of dates.
const maxDateFormat = 32

// MySettings returns how the acting person wants the application to be in this
// tenant: what a new person begins with, under version 0, where nothing was chosen
// yet; nil for machines.
func (s *Service) MySettings(ctx context.Context) (*ent.UserSettings, error) {
	who, person := tenancy.Must(ctx).UserID()
	if !person {
		return nil, nil
	}
	found, err := s.ent.UserSettings.Query().Where(usersettings.UserID(who)).Only(ctx)
	if ent.IsNotFound(err) {
		return &ent.UserSettings{UserID: who, AutoRefresh: usersettings.DefaultAutoRefresh, RefreshIntervalSec: usersettings.DefaultRefreshIntervalSec,
			AnomalyThreshold: usersettings.DefaultAnomalyThreshold, EnableNotifications: usersettings.DefaultEnableNotifications,
			Theme: enum.ThemeSystem, Units: enum.UnitsMetric}, nil
	}
	return found, err
}

// MySpec is what a person can choose.
type MySpec struct {
	AutoRefresh         bool
	RefreshIntervalSec  int     // s, 1-3600
	AnomalyThreshold    float64 // confidence, 0-1
	EnableNotifications bool
	QuietHours          *settings.QuietHours // nil: never quiet
	Theme               enum.Theme
	DateFormat          string // "": the locale's
	Units               enum.Units
}

// UpdateMySettings lets change alter the acting person's settings whose version is
// the expected one, 0 where nothing was chosen yet.
func (s *Service) UpdateMySettings(ctx context.Context, expected int, change func(*MySpec)) (*ent.UserSettings, error) {
	old, err := s.MySettings(ctx)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, fault.New(fault.BadInput, "error.access.personsOnly")
	}
	if old.Version != expected {
		return nil, fault.Stale("UserSettings")
	}
	n := MySpec{old.AutoRefresh, old.RefreshIntervalSec, old.AnomalyThreshold, old.EnableNotifications, old.QuietHours, old.Theme, old.DateFormat, old.Units}
	change(&n)
	if err := n.check(); err != nil {
		return nil, err
	}
	if old.ID == id.Nil {
		create := s.ent.UserSettings.Create().SetUserID(old.UserID)
		n.write(create.Mutation())
		out, err := create.Save(ctx)
		if _, taken := postgres.Unique(err); taken { // another window was quicker
			return nil, fault.Stale("UserSettings").Because(err)
		}
		return out, err
	}
	update := s.ent.UserSettings.UpdateOneID(old.ID).Where(usersettings.Version(expected))
	n.write(update.Mutation())
	out, err := update.Save(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Stale("UserSettings").Because(err)
	}
	return out, err
}

func (n *MySpec) check() error {
	var m mistakes
	between(&m, "refreshIntervalSec", n.RefreshIntervalSec, 1, 3600)
	between(&m, "anomalyThreshold", n.AnomalyThreshold, 0, 1)
	n.DateFormat = m.atMost("dateFormat", n.DateFormat, maxDateFormat)
	if q := n.QuietHours; q != nil {
		_, from := time.Parse("15:04", q.From)
		_, to := time.Parse("15:04", q.To)
		_, zone := time.LoadLocation(q.TimeZone)
		if from != nil || to != nil || len(q.From)+len(q.To) != 10 || q.From == q.To || zone != nil || q.TimeZone == "" || q.TimeZone == "Local" {
			m.bad("quietHours", "error.access.quietHours")
		}
	}
	return m.err()
}

func (n *MySpec) write(m *ent.UserSettingsMutation) {
	m.SetAutoRefresh(n.AutoRefresh)
	m.SetRefreshIntervalSec(n.RefreshIntervalSec)
	m.SetAnomalyThreshold(n.AnomalyThreshold)
	m.SetEnableNotifications(n.EnableNotifications)
	if n.QuietHours == nil {
		m.ClearQuietHours()
	} else {
		m.SetQuietHours(n.QuietHours)
	}
	m.SetTheme(n.Theme)
	m.SetDateFormat(n.DateFormat)
	m.SetUnits(n.Units)
}
