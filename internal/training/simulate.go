package training

import (
	"context"
	"os"

	"foresight/ent/document"
	"foresight/inference/artifact"
	"foresight/inference/training"
	"foresight/internal/fault"
	"foresight/internal/fleet"
)

// checkFleet fills in what the shipped models were trained on where nothing is said,
// and refuses what takes for ever: the shipped models' own numbers, which may be larger
// than what a tenant may ask for, are known not to.
func checkFleet(kind string, f *document.TrainingFleet) error {
	var out fault.List
	within := func(field string, v *int, fallback, low, high int) {
		if *v == 0 {
			*v = fallback
			return
		}
		if *v < low || *v > high {
			out = append(out, fault.Invalid("input.simulator."+field, "error.training.range").With("Low", low).With("High", high))
		}
	}
	if kind == artifact.FaultClassifier {
		within("faultMachines", &f.FaultMachines, fleet.Windows.FaultMachines, 10, 400)
		within("normalMachines", &f.NormalMachines, fleet.Windows.NormalMachines, 10, 5000)
		within("windows", &f.Windows, fleet.Windows.Windows, 1, 50)
		f.Machines, f.Days = 0, 0
	} else {
		within("machines", &f.Machines, fleet.Watched.Machines, 40, 10_000)
		within("days", &f.Days, fleet.Watched.Days, 90, 720)
		f.FaultMachines, f.NormalMachines, f.Windows = 0, 0, 0
	}
	return out.Err()
}

// simulate makes training sets of simulated machines alone, from the run's seed.
func (t *task) simulate(ctx context.Context) error {
	f := t.Request.Fleet
	if t.kind == artifact.FaultClassifier {
		p := fleet.Windows
		p.Seed, p.FaultMachines, p.NormalMachines, p.Windows = uint64(t.recipe.Seed), f.FaultMachines, f.NormalMachines, f.Windows
		return t.made(t.bundle.Entry, func(w *os.File) (string, error) { return fleet.WriteWindows(endingWriter{ctx, w}, p) })
	}
	p := fleet.Watched
	p.Seed, p.Machines, p.Days = uint64(t.recipe.Seed), f.Machines, f.Days
	rows, err := fleet.LivesUntil(ctx, p)
	if err != nil {
		return err
	}
	t.when = ofFleet(rows, p)
	for k, name := range fleet.HorizonNames {
		e := artifact.Entry{Name: name, Horizon: fleet.Horizons[k]}
		if err := t.made(e, func(w *os.File) (string, error) { return fleet.WriteLives(endingWriter{ctx, w}, rows, k) }); err != nil {
			return err
		}
	}
	return nil
}

// made writes a set whose shape is known only from the file.
func (t *task) made(e artifact.Entry, write func(*os.File) (string, error)) error {
	d, err := t.write(e, write)
	if err != nil {
		return err
	}
	h, err := training.LoadHeader(d.path)
	if err != nil {
		return err
	}
	d.measured(h)
	return nil
}
