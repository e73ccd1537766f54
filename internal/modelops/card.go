package modelops

import (
	"cmp"

	"foresight/ent/document"
	"foresight/inference/artifact"
)

// Measures lists the measures of a bundle by name; those of several boosters end in the
// booster's name, `auc_pr_30d`. A model that was uploaded without any has none.
func Measures(b *artifact.Bundle) map[string]float64 {
	out := map[string]float64{}
	for _, one := range b.Boosters {
		m := &one.Manifest.Metrics
		if m.Rows == 0 { // never measured
			continue
		}
		suffix := ""
		if one.Name != "" {
			suffix = "_" + one.Name
		}
		set := func(name string, v float64) { out[name+suffix] = v }
		set("accuracy", m.Accuracy)
		set("balanced_accuracy", m.BalancedAccuracy)
		set("log_loss", m.LogLoss)
		if two := m.Binary; two != nil {
			set("precision", two.Precision)
			set("recall", two.Recall)
			set("f1", two.F1)
			set("false_alarm_rate", two.FPR)
			set("auc_roc", two.ROCAUC)
			set("auc_pr", two.PRAUC)
		} else {
			set("f1", m.MacroF1)
			set("false_alarm_rate", m.FalseAlarmRate)
		}
	}
	return out
}

// Card tells what a bundle of so many bytes says of itself.
func Card(b *artifact.Bundle, bytes int) *document.ModelCard {
	c := &document.ModelCard{Bytes: int64(bytes), XGBoost: b.Manifest.Training.XGBoost}
	for _, one := range b.Boosters {
		m := &one.Manifest
		card := document.BoosterCard{HorizonDays: one.Horizon, Features: m.Features, Rounds: m.Training.Rounds, Temperature: m.Temperature,
			Guarded: m.Outliers != nil, GoldenRows: one.Golden.Rows, GoldenBy: cmp.Or(one.Golden.By, "XGBoost")}
		if m.Calibration != nil {
			card.Calibration = m.Calibration.Method
		}
		if m.Conformal != nil {
			for _, l := range m.Conformal.Levels {
				card.Coverage = append(card.Coverage, l.Coverage)
			}
		}
		c.Boosters = append(c.Boosters, card)
	}
	return c
}
