package fleet

import "flag"

// Windows is the plan of the shipped fault classifier: one window of each of many
// machines, as the windows of one machine resemble each other.
var Windows = Plan{Seed: 20260301, FaultMachines: 1800, NormalMachines: 28_800, Windows: 1, MinSeverity: 0.4}

// Watched is the plan of the shipped failure predictor: two fifths of the machines, 2,000,
// are its test.
var Watched = LifePlan{Seed: 20260302, Machines: 5000, Days: 360, Every: 5, WarmUp: 30}

// LivesFile is the name under which commands keep rows in their work folder.
const LivesFile = "lives.gob"

// Flags lets the plan be changed from its present values.
func (p *Plan) Flags(f *flag.FlagSet) {
	f.Uint64Var(&p.Seed, "seed", p.Seed, "seed of the fleet")
	f.IntVar(&p.FaultMachines, "fault-machines", p.FaultMachines, "machines per fault")
	f.IntVar(&p.NormalMachines, "normal-machines", p.NormalMachines, "healthy machines")
	f.IntVar(&p.Windows, "windows", p.Windows, "windows per machine")
	f.Float64Var(&p.MinSeverity, "min-severity", p.MinSeverity, "least severity of a fault in the data, 0-1")
}

// Flags lets the plan be changed from its present values.
func (p *LifePlan) Flags(f *flag.FlagSet) {
	f.Uint64Var(&p.Seed, "seed", p.Seed, "seed of the fleet")
	f.IntVar(&p.Machines, "machines", p.Machines, "machines")
	f.IntVar(&p.Days, "days", p.Days, "days that each is watched")
	f.IntVar(&p.Every, "every", p.Every, "days between the predictions of a machine")
}
