package main

import (
	"errors"
	"math"
	"strings"
	"testing"

	"foresight/inference/daily"
	"foresight/inference/training"
	"foresight/internal/fleet"
	"foresight/tools/public"
)

func TestSectionsKeepTheirPlaces(t *testing.T) {
	page := replace(nil, "ai4i", "first")
	page = replace(page, "fault", "faults")
	page = replace(page, "ai4i", "second")
	text := string(page)
	if strings.Count(text, "first") != 0 || strings.Count(text, "second") != 1 || strings.Index(text, "faults") > strings.Index(text, "second") || !strings.HasPrefix(text, title) {
		t.Errorf("page:\n%s", text)
	}
}

func TestAbsentDataSkipTheSection(t *testing.T) {
	b := &bench{data: t.TempDir()}
	for _, judge := range []func(*bench) (string, error){cmapssSection, ai4iSection} {
		if _, err := judge(b); !errors.Is(err, public.ErrAbsent) {
			t.Errorf("without data: %v", err)
		}
	}
}

// Nobody keeps the own future, and everybody's features stay.
func TestFuturesAreExchanged(t *testing.T) {
	var rows []fleet.LifeRow
	for machine := range uint32(20) {
		for day := range 3 {
			r := fleet.LifeRow{Machine: machine, Split: training.Split(machine % 4), X: daily.Vector{float32(machine)}}
			r.Fails[1] = machine == 4 && day == 1
			r.Known[1] = true
			rows = append(rows, r)
		}
	}
	out := shuffleFutures(rows, 1)
	fails := 0
	for i, r := range out {
		if r.X != rows[i].X {
			t.Fatal("features moved")
		}
		if r.Fails[1] {
			fails++
			if r.Machine == 4 || r.Machine%4 != 0 {
				t.Errorf("machine %d has the future of machine 4", r.Machine)
			}
		}
	}
	if fails != 1 {
		t.Errorf("%d failures of 1", fails)
	}
}

func TestFiguresHaveToAgree(t *testing.T) {
	if err := agree(figure{"accuracy", 0.9, 0.9}, figure{"F1", 0.5, 0.5 + 1e-9}); err != nil {
		t.Error(err)
	}
	for _, here := range []float64{0.501, math.NaN()} {
		if agree(figure{"accuracy", 0.9, 0.9}, figure{"F1", 0.5, here}) == nil {
			t.Errorf("0.5 and %v agree", here)
		}
	}
}
