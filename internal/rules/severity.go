package rules

// Severity says how bad an alarm is. Its text is what is stored.
type Severity string

// The severities.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Severities lists them, the mildest first. The slice is the caller's.
func Severities() []Severity { return []Severity{Low, Medium, High, Critical} }

// Rank orders severities: 1 for Low to 4 for Critical, 0 for an unknown one.
func (s Severity) Rank() int {
	switch s {
	case Low:
		return 1
	case Medium:
		return 2
	case High:
		return 3
	case Critical:
		return 4
	}
	return 0
}

// Valid reports whether s is one of the severities.
func (s Severity) Valid() bool { return s.Rank() > 0 }
