package features

import "testing"

func TestUnits(t *testing.T) {
	for name, want := range map[string]string{
		"motor_DE_vib_band_1_rms": "mm/s", "pump_NDE_vib_band_4_var": "(mm/s)²", "motor_NDE_ultrasonic_sum_sq": "dBµV²",
		"pump_DE_temperature_mean": "°C", "pump_DE_temperature_var": "°C²", "motor_DE_vib_band_1_max_min_ratio": "",
	} {
		if got, ok := Unit(name); !ok || got != want {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, want)
		}
	}
	if _, ok := Unit("vibration_rms_7d_avg"); ok {
		t.Error("a feature of a day has a unit here")
	}
}
