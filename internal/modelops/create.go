package modelops

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"foresight/ent"
	"foresight/ent/enum"
	"foresight/ent/faulttype"
	"foresight/inference"
	"foresight/internal/fault"
	"foresight/internal/postgres"
	"foresight/internal/tenancy"
)

// codeForm is the form of names of models and codes of faults, which stand in labels,
// rules and training data.
var codeForm = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)

// The most characters of texts, as the columns have them.
const (
	maxText      = 2000
	maxName      = 200
	maxISO14224  = 10
	maxLanguages = 20
)

// NewModel is what people say of a new line of versions.
type NewModel struct {
	Name        string // first part of the labels of its versions
	Description string
	Type        enum.ModelType
}

// CreateModel makes a model without versions.
func (v *Versions) CreateModel(ctx context.Context, n NewModel) (*ent.MLModel, error) {
	if err := mayWrite(ctx, tenancy.ModelsWrite); err != nil {
		return nil, err
	}
	var mistakes fault.List
	if !codeForm.MatchString(n.Name) {
		mistakes = append(mistakes, fault.Invalid("input.name", "error.code"))
	}
	if utf8.RuneCountInString(n.Description) > maxText {
		mistakes = append(mistakes, fault.Invalid("input.description", "error.tooLong").With("Max", maxText))
	}
	kind := Kinds[n.Type]
	if kind == "" {
		mistakes = append(mistakes, fault.Invalid("input.type", "error.version.notServed"))
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	var made *ent.MLModel
	err := postgres.InTx(ctx, v.db, func(ctx context.Context, c *ent.Client, _ pgx.Tx) (err error) {
		made, err = c.MLModel.Create().SetName(n.Name).SetDescription(strings.TrimSpace(n.Description)).SetType(n.Type).
			SetFeatureSchema(inference.FeatureSchema(kind)).Save(ctx)
		return taken(err, "input.name", "error.model.nameTaken")
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// NewFaultType is what people say of a fault of their own.
type NewFaultType struct {
	Code         string
	Family       enum.FaultFamily // not healthy
	ISO14224Code string           // "": none fits
	Severity     enum.Severity    // of alarms that name it; "": medium
	Labels       map[string]string
}

// check tells what is wrong; fields are named from the prefix on.
func (n *NewFaultType) check(prefix string) (mistakes fault.List) {
	bad := func(when bool, field, key string) {
		if when {
			mistakes = append(mistakes, fault.Invalid(prefix+field, key))
		}
	}
	bad(!codeForm.MatchString(n.Code), "code", "error.code")
	bad(n.Family == enum.FamilyHealthy, "family", "error.faultType.healthy")
	if n.ISO14224Code = strings.TrimSpace(n.ISO14224Code); utf8.RuneCountInString(n.ISO14224Code) > maxISO14224 {
		mistakes = append(mistakes, fault.Invalid(prefix+"iso14224Code", "error.tooLong").With("Max", maxISO14224))
	}
	bad(len(n.Labels) == 0 || len(n.Labels) > maxLanguages, "labels", "error.faultType.labels")
	for language, label := range n.Labels {
		label = strings.TrimSpace(label)
		n.Labels[language] = label
		if label == "" || utf8.RuneCountInString(label) > maxName || !languageForm.MatchString(language) {
			return append(mistakes, fault.Invalid(prefix+"labels", "error.faultType.label").With("Max", maxName))
		}
	}
	return mistakes
}

// languageForm is that of BCP 47 tags, as far as people write them.
var languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)

// CreateFaultType makes a fault of the tenant's own, which feedback can name and
// retraining learns. A code of a built-in one is taken.
func (v *Versions) CreateFaultType(ctx context.Context, n NewFaultType) (made *ent.FaultType, err error) {
	if err := mayWrite(ctx, tenancy.ModelsWrite); err != nil {
		return nil, err
	}
	if mistakes := n.check("input."); len(mistakes) > 0 {
		return nil, mistakes
	}
	err = postgres.InTx(ctx, v.db, func(ctx context.Context, c *ent.Client, _ pgx.Tx) error {
		made, err = createFaultType(ctx, c, n, "input.code")
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

func createFaultType(ctx context.Context, c *ent.Client, n NewFaultType, field string) (*ent.FaultType, error) {
	there, err := c.FaultType.Query().Where(faulttype.Code(n.Code)).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if there {
		return nil, fault.New(fault.Conflict, "error.faultType.taken").At(field)
	}
	q := c.FaultType.Create().SetCode(n.Code).SetFamily(n.Family).SetLabels(n.Labels)
	if n.ISO14224Code != "" {
		q.SetIso14224Code(n.ISO14224Code)
	}
	if n.Severity != "" {
		q.SetDefaultSeverity(n.Severity)
	}
	e, err := q.Save(ctx)
	return e, taken(err, field, "error.faultType.taken")
}
