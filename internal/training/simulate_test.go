package training

import (
	"testing"

	"foresight/ent/document"
	"foresight/inference/artifact"
	"foresight/internal/fault"
	"foresight/internal/fleet"
)

// Who says nothing gets machines as the shipped models had them, however many; who says
// something is held to the range.
func TestFleetOfASimulation(t *testing.T) {
	var classified, predicted document.TrainingFleet
	if err := checkFleet(artifact.FaultClassifier, &classified); err != nil {
		t.Error(err)
	}
	if err := checkFleet(artifact.FailurePredictor, &predicted); err != nil {
		t.Error(err)
	}
	if p := fleet.Windows; classified.FaultMachines != p.FaultMachines || classified.NormalMachines != p.NormalMachines || classified.Windows != p.Windows {
		t.Errorf("%+v, ships with %+v", classified, p)
	}
	if p := fleet.Watched; predicted.Machines != p.Machines || predicted.Days != p.Days {
		t.Errorf("%+v, ships with %+v", predicted, p)
	}
	for _, f := range []document.TrainingFleet{{FaultMachines: 401}, {FaultMachines: 9}, {NormalMachines: 5001}, {Windows: 51}} {
		if err := checkFleet(artifact.FaultClassifier, &f); !fault.Is(err, fault.BadInput) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}
