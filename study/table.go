package study

import (
	"fmt"
	"slices"
	"strconv"

	"espalier/experiment"
	"espalier/results"
)

// A Point is the cells of a series that differ by their seed alone.
type Point struct {
	Series   string
	Model    string
	Sparsity float64  // as asked for; 0 for a dense network
	Records  []Record // of the cells that are finished, in the order of the file
	Failed   int      // cells that failed
	Missing  int      // cells that have not ended yet
}

// Points are the cells of a study, gathered over seeds, in the order of the file.
func (s *Study) Points(records map[Cell]Record) []Point {
	var points []Point
	for _, series := range s.Series {
		for _, c := range series.Cells {
			sparsity := 0.
			if c.Prune.Method != experiment.NoPruning {
				sparsity = c.Prune.Sparsity[0]
			}
			i := slices.IndexFunc(points, func(p Point) bool {
				return p.Series == series.Label && p.Model == c.Model.Name && p.Sparsity == sparsity
			})
			if i < 0 {
				i = len(points)
				points = append(points, Point{Series: series.Label, Model: c.Model.Name, Sparsity: sparsity})
			}
			p := &points[i]
			switch r, ok := records[CellOf(c)]; {
			case !ok:
				p.Missing++
			case r.Error != "":
				p.Failed++
			default:
				p.Records = append(p.Records, r)
			}
		}
	}
	return points
}

// of collects a figure of the finished cells.
func (p Point) of(figure func(Record) float64) []float64 {
	var all []float64
	for _, r := range p.Records {
		all = append(all, figure(r))
	}
	return all
}

func testAcc(r Record) float64    { return float64(r.TestAcc) }
func allPasses(r Record) float64  { return float64(r.Own.Passes + r.Shared.Passes) }
func allSeconds(r Record) float64 { return r.Own.Seconds + r.Shared.Seconds }

// weights are those that stay, of how many; "" if nothing is finished, or nothing was pruned.
func (p Point) weights() (kept, total string) {
	if len(p.Records) == 0 || p.Records[0].Total == 0 {
		return "", ""
	}
	return strconv.Itoa(p.Records[0].Kept), strconv.Itoa(p.Records[0].Total)
}

// baselineAt is the point of the baseline that p is compared with.
func (s *Study) baselineAt(points []Point, p Point) (Point, bool) {
	if s.Baseline == "" || p.Series == s.Baseline {
		return Point{}, false
	}
	i := slices.IndexFunc(points, func(b Point) bool {
		return b.Series == s.Baseline && b.Model == p.Model && b.Sparsity == p.Sparsity
	})
	if i < 0 {
		return Point{}, false
	}
	return points[i], true
}

// compare pairs the test accuracies of p with those of b by seed.
func compare(p, b Point) results.Paired {
	var x, y []float64
	for _, r := range p.Records {
		i := slices.IndexFunc(b.Records, func(o Record) bool { return o.Seed == r.Seed })
		if i >= 0 && r.TestAcc.Measured() && b.Records[i].TestAcc.Measured() {
			x, y = append(x, testAcc(r)), append(y, testAcc(b.Records[i]))
		}
	}
	return results.Pair(x, y)
}

// Table is the study in numbers, for people: a row for each point, what was spent counted with the stages that others
// share, the dense network apart.
func (s *Study) Table(records map[Cell]Record) *results.Table {
	columns := []string{"series", "model", "removed", "weights left", "test accuracy (%)", "passes", "time", "state"}
	if s.Baseline != "" {
		columns = slices.Insert(columns, 5, "against "+s.Baseline)
	}
	t := results.NewTable(columns...)
	points := s.Points(records)
	for _, p := range points {
		kept, _ := p.weights()
		row := []string{p.Series, p.Model, removed(p.Sparsity), kept, results.Summarize(p.of(testAcc)...).Text(2)}
		if s.Baseline != "" {
			difference := ""
			if b, ok := s.baselineAt(points, p); ok {
				difference = compare(p, b).Text(2)
			}
			row = append(row, difference)
		}
		passes, seconds := "", ""
		if len(p.Records) > 0 {
			passes = fmt.Sprintf("%.0f", results.Summarize(p.of(allPasses)...).Mean)
			seconds = results.Duration(results.Summarize(p.of(allSeconds)...).Mean)
		}
		t.Add(append(row, passes, seconds, p.state())...)
	}
	return t
}

func removed(sparsity float64) string { return fmt.Sprintf("%.2f %%", 100*sparsity) }

// state says what is not there, or nothing.
func (p Point) state() string {
	switch {
	case p.Failed > 0 && p.Missing > 0:
		return fmt.Sprintf("%d failed, %d to do", p.Failed, p.Missing)
	case p.Failed > 0:
		return fmt.Sprintf("%d failed", p.Failed)
	case p.Missing > 0:
		return fmt.Sprintf("%d to do", p.Missing)
	}
	return ""
}

// Rows is the study in numbers, for programs: a row for each finished cell. Accuracies are in percent.
func (s *Study) Rows(records map[Cell]Record) *results.Table {
	t := results.NewTable("series", "model", "seed", "sparsity", "kept", "total", "one_shot_val_acc", "val_acc", "test_acc",
		"own_epochs", "own_passes", "own_seconds", "shared_epochs", "shared_passes", "shared_seconds", "hash")
	for _, p := range s.Points(records) {
		for _, r := range p.Records {
			t.Add(p.Series, p.Model, strconv.FormatUint(r.Seed, 10), strconv.FormatFloat(p.Sparsity, 'f', -1, 64),
				strconv.Itoa(r.Kept), strconv.Itoa(r.Total), r.OneShot.Number(), r.ValAcc.Number(), r.TestAcc.Number(),
				strconv.Itoa(r.Own.Epochs), strconv.Itoa(r.Own.Passes), fmt.Sprintf("%.1f", r.Own.Seconds),
				strconv.Itoa(r.Shared.Epochs), strconv.Itoa(r.Shared.Passes), fmt.Sprintf("%.1f", r.Shared.Seconds), r.Hash)
		}
	}
	return t
}
