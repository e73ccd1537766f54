package modelops

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/faulttype"
	"foresight/ent/feedback"
	"foresight/ent/privacy"
	"foresight/inference/recall"
	"foresight/internal/fault"
	"foresight/internal/id"
	"foresight/internal/postgres"
	"foresight/internal/telemetry"
	"foresight/internal/tenancy"
)

// Predictions is where predictions and their readings are. A telemetry.Store is one.
type Predictions interface {
	recall.Readings
	PredictionsByID(ctx context.Context, tenant id.UUID, ids []id.UUID) (map[id.UUID]telemetry.FaultPrediction, error)
}

// Feedback is what people say of predictions: examples for the next training, and the
// measure of how often live predictions are right. It is safe for concurrent use.
type Feedback struct {
	db    *sql.DB
	ent   *ent.Client
	pool  *pgxpool.Pool
	store Predictions
}

// NewFeedback returns the service; all three reach the same database in the role of
// requests.
func NewFeedback(db *sql.DB, client *ent.Client, pool *pgxpool.Pool, store Predictions) *Feedback {
	return &Feedback{db, client, pool, store}
}

// MaxFeedback is how much is said at once.
const MaxFeedback = 50

// Said is what a person says of one prediction.
type Said struct {
	Prediction id.UUID // of a fault, or of a failure
	Type       enum.FeedbackType
	// Code is what it was. It is given with a correction and a new fault, and follows from
	// the rest otherwise.
	Code   string
	Remark string
	// New makes the fault type of the code, when there is none, for those who may. Its own
	// code is not looked at.
	New *NewFaultType
}

// Give stores what the actor says, all of it or nothing, with the features that the
// predictions were made from as far as they can still be computed. Of one prediction each
// person has one say: the last one replaces what the person said before. The result is in
// the order given.
func (f *Feedback) Give(ctx context.Context, said []Said) ([]*ent.Feedback, error) {
	actor, err := tenancy.Must(ctx).Under(tenancy.PredictionsWrite)
	if err != nil {
		return nil, err
	}
	ctx = tenancy.With(ctx, actor)
	if len(said) < 1 || len(said) > MaxFeedback {
		return nil, fault.Invalid("input.items", "error.range").With("Min", 1).With("Max", MaxFeedback)
	}
	subjects, err := f.subjects(ctx, said)
	if err != nil {
		return nil, err
	}
	// Before the transaction: it reads some hundred readings for each.
	if err := f.snapshots(ctx, subjects); err != nil {
		return nil, err
	}
	out := make([]*ent.Feedback, len(said))
	err = postgres.InTx(ctx, f.db, func(ctx context.Context, c *ent.Client, tx pgx.Tx) error {
		// What one person says at once in two requests comes one after the other.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('feedback in ' || $1::text || ' by ' || $2::text, 0))`,
			actor.TenantID.String(), speaker(ctx).String()); err != nil {
			return fmt.Errorf("modelops: %w", err)
		}
		if err := f.judge(ctx, c, said, subjects); err != nil {
			return err
		}
		for i := range said {
			if out[i], err = keep(ctx, c, &said[i], subjects[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, privacy.Deny) {
		return nil, fault.Denied(string(tenancy.PredictionsWrite)).Because(err)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// speaker is the acting person, Nil when a machine acts.
func speaker(ctx context.Context) id.UUID {
	if u, ok := tenancy.Must(ctx).UserID(); ok {
		return u
	}
	return id.Nil
}

// judge completes what was said, and blames what does not fit together.
func (f *Feedback) judge(ctx context.Context, c *ent.Client, said []Said, subjects []*subject) error {
	known, err := faultCodes(ctx, c, said)
	if err != nil {
		return err
	}
	var mistakes fault.List
	seen := map[id.UUID]bool{}
	for i := range said {
		s, field := &said[i], "input.items."+strconv.Itoa(i)
		if seen[s.Prediction] {
			mistakes = append(mistakes, fault.Invalid(field+".predictionId", "error.feedback.twice"))
			continue
		}
		seen[s.Prediction] = true
		if s.Remark = strings.TrimSpace(s.Remark); utf8.RuneCountInString(s.Remark) > maxText {
			mistakes = append(mistakes, fault.Invalid(field+".remark", "error.tooLong").With("Max", maxText))
		}
		if wrong := s.judge(subjects[i], field, known); wrong != nil {
			mistakes = append(mistakes, wrong)
			continue
		}
		if s.Type != enum.FeedbackNewFault || known[s.Code] {
			continue
		}
		wrong, err := f.newFault(ctx, c, s, field)
		if err != nil {
			return err
		}
		if mistakes = append(mistakes, wrong...); len(wrong) == 0 {
			known[s.Code] = true
		}
	}
	return mistakes.Err()
}

// judge says what the prediction should have been, and what is wrong with that.
func (s *Said) judge(of *subject, field string, known map[string]bool) *fault.Error {
	field += ".code"
	implied := ""
	switch s.Type {
	case enum.FeedbackCorrect:
		implied = of.label
	case enum.FeedbackFalsePositive:
		if of.label == of.healthy {
			return fault.Invalid(strings.TrimSuffix(field, "code")+"type", "error.feedback.noAlarm")
		}
		implied = of.healthy
	}
	switch {
	case implied != "":
		if s.Code != "" && s.Code != implied {
			return fault.Invalid(field, "error.feedback.implied").With("Code", implied)
		}
		s.Code = implied
		return nil
	case s.Code == "":
		return fault.Invalid(field, "error.feedback.noCode")
	case s.Code == of.label:
		return fault.Invalid(field, "error.feedback.same")
	}
	taught := slices.Contains(of.classes, s.Code)
	switch {
	case of.yesNo && (s.Type != enum.FeedbackCorrection || !taught):
		return fault.Invalid(field, "error.feedback.yesNo").With("Codes", strings.Join(of.classes, ", "))
	case s.Type == enum.FeedbackNewFault && taught:
		return fault.Invalid(field, "error.feedback.taught")
	case s.Type == enum.FeedbackCorrection && !of.yesNo && !known[s.Code]:
		return fault.Invalid(field, "error.feedback.unknown")
	}
	return nil
}

// newFault makes the fault type that feedback names, for those who may.
func (f *Feedback) newFault(ctx context.Context, c *ent.Client, s *Said, field string) (fault.List, error) {
	if s.New == nil {
		return fault.List{fault.Invalid(field+".code", "error.feedback.unknown")}, nil
	}
	if mayWrite(ctx, tenancy.ModelsWrite) != nil {
		return fault.List{fault.Invalid(field+".faultType", "error.feedback.mayNotName")}, nil
	}
	n := *s.New
	n.Code = s.Code
	if mistakes := n.check(field + ".faultType."); len(mistakes) > 0 {
		return mistakes, nil
	}
	_, err := createFaultType(ctx, c, n, field+".code")
	return nil, err
}

// faultCodes are those among the named ones that the tenant knows.
func faultCodes(ctx context.Context, c *ent.Client, said []Said) (map[string]bool, error) {
	codes := make([]string, len(said))
	for i := range said {
		codes[i] = said[i].Code
	}
	found, err := c.FaultType.Query().Where(faulttype.CodeIn(codes...)).Select(faulttype.FieldCode).Strings(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(found))
	for _, code := range found {
		out[code] = true
	}
	return out, nil
}

// keep stores one say in place of the person's former one.
func keep(ctx context.Context, c *ent.Client, s *Said, of *subject) (*ent.Feedback, error) {
	before := c.Feedback.Delete().Where(feedback.PredictionID(s.Prediction))
	q := c.Feedback.Create().SetPredictionID(s.Prediction).SetModelVersionID(of.version).SetPredictedLabel(of.label).SetProbability(of.probability).
		SetNewLabel(s.Code).SetFeedbackType(s.Type).SetSiteID(of.site).SetAssetID(of.asset)
	if of.sensor != id.Nil {
		q.SetSensorID(of.sensor)
	}
	if of.role != "" {
		q.SetRole(of.role)
	}
	if of.features != nil {
		q.SetFeatures(of.features)
	}
	if s.Remark != "" {
		q.SetCorrection(s.Remark)
	}
	if by := speaker(ctx); by == id.Nil {
		before.Where(feedback.ByIsNil())
	} else {
		before.Where(feedback.By(by))
		q.SetBy(by)
	}
	if _, err := before.Exec(ctx); err != nil {
		return nil, err
	}
	return q.Save(ctx)
}
