package public

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAbsentData(t *testing.T) {
	if _, err := ReadEngines(t.TempDir()); !errors.Is(err, ErrAbsent) {
		t.Errorf("no engines: %v", err)
	}
	if _, _, err := ReadAI4I(t.TempDir()); !errors.Is(err, ErrAbsent) {
		t.Errorf("no products: %v", err)
	}
}

func TestFeaturesOfAnEngine(t *testing.T) {
	var cycles []cycle
	for i := range 40 {
		cycles = append(cycles, cycle{unit: 1, values: []float64{float64(3 * i)}})
	}
	cycles = append(cycles, cycle{unit: 2, values: []float64{7}})
	rows := examples(cycles, func(unit int) int { return 10 * (unit - 1) })
	// Cycle 39 is the last: the mean of 20..39 times 3, slope 3.
	if x := rows[39].X; x[0] != 117 || x[1] != 88.5 || math.Abs(float64(x[2])-3) > 1e-6 {
		t.Errorf("features %v", x)
	}
	if x := rows[40].X; x[0] != 7 || x[1] != 7 || x[2] == x[2] {
		t.Errorf("the first cycle of an engine has %v", x)
	}
	// 30 cycles before the end and later; engine 2 is cut short 10 before.
	if rows[8].Label != 0 || rows[9].Label != 1 || rows[40].Label != 1 {
		t.Errorf("labels %d %d %d", rows[8].Label, rows[9].Label, rows[40].Label)
	}
}

// write puts files into a folder of public data.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	data := t.TempDir()
	for name, text := range files {
		path := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestEnginesAreRead(t *testing.T) {
	line := func(unit, cycle string) string { return unit + " " + cycle + strings.Repeat(" 1.5", 24) + "  \n" }
	files := map[string]string{
		"cmapss_fd001/train_FD001.txt": line("1", "1") + line("1", "2") + line("2", "1"),
		"cmapss_fd001/test_FD001.txt":  line("1", "1") + line("2", "1") + line("2", "2"),
		"cmapss_fd001/RUL_FD001.txt":   "31 \n30 \n",
	}
	e, err := ReadEngines(write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Run.Rows) != 3 || len(e.Run.Features) != 72 || len(e.Run.Rows[0].X) != 72 || e.Run.Rows[2].Group != 2 {
		t.Errorf("%d rows of %d features", len(e.Run.Rows), len(e.Run.Features))
	}
	if len(e.Cut) != 2 || e.Cut[0].Label != 0 || e.Cut[1].Label != 1 {
		t.Errorf("the official test: %+v", e.Cut)
	}
	for name, text := range map[string]string{"test_FD001.txt": line("3", "1"), "train_FD001.txt": "1 2 3\n", "RUL_FD001.txt": "many"} {
		broken := map[string]string{}
		for k, v := range files {
			broken[k] = v
		}
		broken["cmapss_fd001/"+name] = text
		if _, err := ReadEngines(write(t, broken)); err == nil || errors.Is(err, ErrAbsent) {
			t.Errorf("a broken %s: %v", name, err)
		}
	}
}

func TestProductsAreRead(t *testing.T) {
	const header = "UDI,Product ID,Type,Air,Process,Speed,Torque,Wear,Machine failure,TWF,HDF,PWF,OSF,RNF\n"
	two, six, err := ReadAI4I(write(t, map[string]string{"ai4i2020/ai4i2020.csv": header +
		"1,M14860,M,298,308.5,1500,40,10,0,0,0,0,0,0\n2,L1,L,298,308,1500,40,10,1,0,1,1,0,0\n3,H1,H,298,308,1500,40,10,0,0,0,0,0,1\n"}))
	if err != nil {
		t.Fatal(err)
	}
	x := two.Rows[0].X
	if x[0] != 1 || x[7] != 10.5 || x[8] != 400 || math.Abs(float64(x[6])-2000*math.Pi) > 1e-2 {
		t.Errorf("features %v", x)
	}
	for i, want := range [][2]int{{0, 0}, {1, 2}, {0, 5}} { // a random failure is not counted as one of the machine
		if two.Rows[i].Label != want[0] || six.Rows[i].Label != want[1] {
			t.Errorf("row %d: %d and %d", i, two.Rows[i].Label, six.Rows[i].Label)
		}
	}
	if _, _, err := ReadAI4I(write(t, map[string]string{"ai4i2020/ai4i2020.csv": "a,b\n1,2\n"})); err == nil {
		t.Error("another table was read")
	}
}
