package evaluate

import "math"

// Classes is the judgement of probabilities over several classes.
type Classes struct {
	Rows       int
	Accuracy   float64
	Balanced   float64 // mean recall of the classes that occur
	MacroF1    float64 // mean F1 of the classes that occur
	LogLoss    float64 // nats
	ECE        float64 // of the top probability, 15 bins
	PerClass   []Class
	Confusion  [][]int // [true][predicted]
	FalseAlarm float64 // share of rows of the first class, which is health, that got another
}

// Class is one class's part; NaN where it has no denominator, but for F1.
type Class struct {
	Rows                  int
	Precision, Recall, F1 float64
}

// Judge compares probabilities (row-major, one per class) with the true classes. Equal
// probabilities are the class that comes first.
func Judge(p []float64, truth []int, classes int) Classes {
	c := Classes{Rows: len(truth), Confusion: make([][]int, classes)}
	for k := range c.Confusion {
		c.Confusion[k] = make([]int, classes)
	}
	top, right := make([]float64, len(truth)), make([]bool, len(truth))
	hits, loss := 0, 0.0
	for i, y := range truth {
		q := p[i*classes : (i+1)*classes]
		best := 0
		for k, v := range q {
			if v > q[best] {
				best = k
			}
		}
		c.Confusion[y][best]++
		top[i], right[i] = q[best], best == y
		if best == y {
			hits++
		}
		loss -= math.Log(max(1e-15, q[y]))
	}
	c.Accuracy, c.LogLoss = share(hits, len(truth)), loss/float64(len(truth))
	c.ECE = ECE(Calibration(top, right, 15))
	present := 0
	for k := range classes {
		predicted := 0
		one := Class{}
		for j := range classes {
			one.Rows += c.Confusion[k][j]
			predicted += c.Confusion[j][k]
		}
		hit := c.Confusion[k][k]
		one.Precision, one.Recall = share(hit, predicted), share(hit, one.Rows)
		if one.Rows+predicted > 0 {
			one.F1 = share(2*hit, one.Rows+predicted)
		}
		if one.Rows > 0 {
			present++
			c.Balanced += one.Recall
			c.MacroF1 += one.F1
		}
		c.PerClass = append(c.PerClass, one)
	}
	c.Balanced /= float64(present)
	c.MacroF1 /= float64(present)
	if well := c.PerClass[0]; well.Rows > 0 {
		c.FalseAlarm = 1 - well.Recall
	}
	return c
}

// Sets is what label sets hold: all classes with at least the limit's probability.
type Sets struct {
	Limit    float64
	Coverage float64 // share of rows whose set holds the true class
	Size     float64 // mean number of classes
	Empty    float64 // share of rows with no class in the set
	PerClass []float64
}

// LabelSets judges the sets of a limit.
func LabelSets(p []float64, truth []int, classes int, limit float64) Sets {
	s := Sets{Limit: limit, PerClass: make([]float64, classes)}
	rows := make([]int, classes)
	for i, y := range truth {
		size := 0
		for _, v := range p[i*classes : (i+1)*classes] {
			if v >= limit {
				size++
			}
		}
		rows[y]++
		if p[i*classes+y] >= limit {
			s.Coverage++
			s.PerClass[y]++
		}
		s.Size += float64(size)
		if size == 0 {
			s.Empty++
		}
	}
	n := float64(len(truth))
	s.Coverage, s.Size, s.Empty = s.Coverage/n, s.Size/n, s.Empty/n
	for k := range s.PerClass {
		s.PerClass[k] /= float64(rows[k])
	}
	return s
}
