package rules

// Values lists the texts of the severities, as the ORM asks for them.
func (Severity) Values() []string { return texts(Severities()) }

// Values lists the texts of the states that are stored.
func (Status) Values() []string { return texts(Statuses()) }

// Values lists the texts of the operators.
func (Operator) Values() []string { return texts(Operators()) }

func texts[T ~string](vs []T) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}
