package locales

import (
	"strings"
	"testing"

	"foresight/internal/telemetry"
)

// statistics of a window and names of features of a day, as package inference computes
// them; its own tests hold them to these texts.
var statistics = []string{"mean", "std", "min", "max", "median", "q25", "q75", "range", "var", "rms", "mad", "sum", "sum_sq", "max_min_ratio"}

func TestFeaturesHaveNames(t *testing.T) {
	b := New()
	for _, tag := range supported {
		l, seen := b.Localizer(tag.String(), ""), map[string]string{}
		for c := range telemetry.Channel(telemetry.Channels) {
			for _, s := range statistics {
				name := c.String() + "_" + s
				label := l.FeatureLabel(name)
				if label == name || strings.Contains(label, "{{") || strings.Contains(label, "no value") {
					t.Fatalf("%s: %s is %q", tag, name, label)
				}
				if other := seen[label]; other != "" {
					t.Errorf("%s: %q is %s and %s", tag, label, other, name)
				}
				seen[label] = name
			}
		}
	}
}

func TestFeatureLabels(t *testing.T) {
	b := New()
	for _, c := range []struct{ language, name, want string }{
		{"en", "motor_DE_vib_band_3_rms", "vibration 1–5 kHz, motor, drive end: root mean square"},
		{"de", "pump_NDE_temperature_max_min_ratio", "Temperatur, Pumpe, Nichtantriebsseite: Maximum zu Minimum"},
		{"zh", "motor_NDE_ultrasonic_sum_sq", "电机非驱动端超声：平方和"},
		{"ar", "pump_DE_vib_band_1_std", "الاهتزاز 2–100 هرتز، المضخة، جهة الإدارة: الانحراف المعياري"},
		{"en", "vibration_rms_90d_std", "vibration: standard deviation of 90 days"},
		{"en", "bearing_temp_trend_30d", "bearing temperature: trend of 30 days"},
		{"es", "vib_band_3_4_energy_ratio_7d", "proporción de energía de vibración por encima de 1 kHz en 7 días"},
		{"fr", "alert_count_30d", "alarmes sur 30 jours"},
		{"en", "days_since_last_maintenance", "days since the last maintenance"},
		{"en", "colour_of_the_hall", "colour_of_the_hall"},
		{"en", "motor_DE_vib_band_9_rms", "motor_DE_vib_band_9_rms"},
		{"en", "", ""},
	} {
		if got := b.Localizer(c.language, "").FeatureLabel(c.name); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.language, c.name, got, c.want)
		}
	}
}
