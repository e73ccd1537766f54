package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"foresight/inference/artifact"
	"foresight/inference/champion"
)

// section returns a section of the page that is in the repository.
func section(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile("../../inference/EVALUATION.md")
	if err != nil {
		t.Fatal(err)
	}
	begin, end := marks(name)
	_, rest, ok := bytes.Cut(page, []byte(begin))
	text, _, whole := bytes.Cut(rest, []byte(end))
	if !ok || !whole {
		t.Fatalf("the page has no section %s: make evaluate", name)
	}
	return string(text)
}

// table are the cells of the first table whose header begins with the text.
func table(t *testing.T, text, header string) (rows [][]string) {
	t.Helper()
	_, text, ok := strings.Cut(text, header)
	if !ok {
		t.Fatalf("no table %q", header)
	}
	for i, line := range strings.Split(text, "\n") {
		if i < 2 { // the rest of the header, and the line under it
			continue
		}
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(line, "| "), "|")
		for k := range cells {
			cells[k] = strings.TrimSpace(cells[k])
		}
		rows = append(rows, cells)
	}
	return rows
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The page speaks of the models that ship.
func TestPageIsOfTheChampions(t *testing.T) {
	text := section(t, "fault") + section(t, "failure")
	for _, c := range champion.All() {
		b, err := artifact.Open(c.Bundle)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range b.Boosters {
			m := one.Manifest
			if !strings.Contains(text, fmt.Sprintf("`%.16s`", trees(one))) || !strings.Contains(text, "champion, "+m.Kind+":"+m.Version+" ") {
				t.Errorf("%s:%s %s is not the model that was judged: make evaluate", m.Kind, m.Version, one.Name)
			}
		}
	}
}

var counts = regexp.MustCompile(`(\d+) / (\d+) / (\d+) / (\d+)`)

// What is derived from the counts of a threshold agrees with them.
func TestFiguresAgreeWithTheirCounts(t *testing.T) {
	rows := 0
	for _, name := range []string{"failure", "cmapss", "ai4i"} {
		for _, line := range strings.Split(section(t, name), "\n") {
			m := counts.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			rows++
			cells := strings.Split(strings.Trim(line, "| "), "|")
			tp, fp, fn, tn := number(t, m[1]), number(t, m[2]), number(t, m[3]), number(t, m[4])
			for k, want := range map[int]float64{3: tp / (tp + fp), 4: tp / (tp + fn), 5: 2 * tp / (2*tp + fp + fn), 6: fp / (fp + tn), 7: fn / (tp + fn)} {
				if got := number(t, strings.TrimSpace(cells[k])); math.Abs(got-want) > 0.00051 {
					t.Errorf("%s, column %d: %v, by the counts %v: %s", name, k, got, want, line)
				}
			}
		}
	}
	if rows < 6+9+6 {
		t.Errorf("%d models with counts", rows)
	}
}

// The champions beat the baselines of the page on the same machines.
func TestChampionsBeatTheBaselines(t *testing.T) {
	beats := func(rows [][]string, better map[int]float64) {
		t.Helper()
		if len(rows) != 3 || !strings.HasPrefix(rows[0][0], "champion") {
			t.Fatalf("models %v", rows)
		}
		for k, sign := range better {
			for _, other := range rows[1:] {
				if a, b := number(t, rows[0][k]), number(t, other[k]); !(sign*a > sign*b) {
					t.Errorf("column %d: the champion has %v, %s %v", k, a, other[0], b)
				}
			}
		}
	}
	// Accuracy, balanced accuracy and macro F1 higher, log loss lower.
	beats(table(t, section(t, "fault"), "| model | accuracy "), map[int]float64{1: 1, 2: 1, 3: 1, 4: -1})
	for _, horizon := range strings.Split(section(t, "failure"), "### ")[1:] {
		// ROC-AUC and PR-AUC higher, log loss and Brier score lower.
		beats(table(t, horizon, "| model | ROC-AUC "), map[int]float64{1: 1, 2: 1, 9: -1, 10: -1})
	}
}

func TestLabelSetsOnThePageCover(t *testing.T) {
	levels := table(t, section(t, "fault"), "| nominal coverage ")
	if len(levels) != 3 {
		t.Fatalf("levels %v", levels)
	}
	for _, l := range levels {
		if d := number(t, l[2]) - number(t, l[0]); math.Abs(d) > 0.02 {
			t.Errorf("nominal %s covers %s", l[0], l[2])
		}
	}
}

func TestRetrainingOnThePageHelps(t *testing.T) {
	rows := table(t, section(t, "retraining"), "| measure ")
	if len(rows) != 4 {
		t.Fatalf("measures %v", rows)
	}
	change := func(i int) float64 { return number(t, rows[i][2]) - number(t, rows[i][1]) }
	if d := change(0); d <= 0.02 {
		t.Errorf("the recall of the corrected defects changes by %v", d)
	}
	if d := change(1); d < -0.01 {
		t.Errorf("the macro F1 changes by %v", d)
	}
}

// On data that nobody here made, the trainer's models are no worse than published ones.
func TestPublicDataOnThePage(t *testing.T) {
	rows := table(t, section(t, "ai4i"), "| failure, threshold 0.5 | F1 ")
	if len(rows) != 3 || rows[0][0] != "published" {
		t.Fatalf("models %v", rows)
	}
	if published, ours := number(t, rows[0][2]), number(t, rows[2][2]); ours < published {
		t.Errorf("AI4I: mean F1 %v, published %v", ours, published)
	}
	_, six, _ := strings.Cut(section(t, "ai4i"), "Six classes")
	if f1 := number(t, table(t, six, "| model | accuracy ")[0][3]); f1 < 0.608 {
		t.Errorf("AI4I, six classes: macro F1 %v", f1)
	}
	if f1 := number(t, table(t, section(t, "cmapss"), "| model | ROC-AUC ")[0][5]); f1 < 0.74 {
		t.Errorf("C-MAPSS: F1 %v", f1)
	}
}
