package study

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"espalier/results"
)

// A Point is the cells of a series that differ by their seed alone.
type Point struct {
	Series   string
	Model    string
	Sparsity float64  // as asked for; 0 for a dense network
	Search   bool     // the cells are searches
	Records  []Record // of the cells that are finished, in the order of the file
	Failed   int      // cells that failed
	Missing  int      // cells that have not ended yet
}

// Points are the cells of a study, gathered over seeds, in the order of the file.
func (s *Study) Points(records map[Cell]Record) []Point {
	var points []Point
	for _, series := range s.Series {
		for _, c := range series.Cells {
			sparsity := SparsityOf(c)
			i := slices.IndexFunc(points, func(p Point) bool {
				return p.Series == series.Label && p.Model == ModelOf(c) && p.Sparsity == sparsity
			})
			if i < 0 {
				i = len(points)
				points = append(points, Point{Series: series.Label, Model: ModelOf(c), Sparsity: sparsity, Search: c.Searches()})
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

// pointsOf are the points that are searches, or those that are not.
func (s *Study) pointsOf(records map[Cell]Record, search bool) []Point {
	return slices.DeleteFunc(s.Points(records), func(p Point) bool { return p.Search != search })
}

// of collects a figure of the finished cells that measured it.
func (p Point) of(figure func(Record) float64) []float64 {
	var all []float64
	for _, r := range p.Records {
		if v := figure(r); !math.IsNaN(v) {
			all = append(all, v)
		}
	}
	return all
}

func testAcc(r Record) float64    { return float64(r.TestAcc) }
func valAcc(r Record) float64     { return float64(r.ValAcc) }
func oneShotAcc(r Record) float64 { return float64(r.OneShot) }
func allPasses(r Record) float64  { return float64(r.Own.Passes + r.Shared.Passes) }
func allSeconds(r Record) float64 { return r.Own.Seconds + r.Shared.Seconds }

func ownSeconds(r Record) float64 { return r.Own.Seconds }

// params and macs are those of a derived network, else NaN.
func params(r Record) float64 { return orNaN(r.Params) }
func macs(r Record) float64   { return orNaN(r.MACs) }

// searchSeconds is NaN of what no search found.
func searchSeconds(r Record) float64 {
	if r.Params == 0 || r.Shared.Epochs == 0 {
		return math.NaN()
	}
	return r.Shared.Seconds
}

func orNaN(n int) float64 {
	if n == 0 {
		return math.NaN()
	}
	return float64(n)
}

// allProcessor is NaN if it was not measured throughout.
func allProcessor(r Record) float64 {
	c := r.Own
	if c.add(r.Shared); c.Processor == 0 {
		return math.NaN()
	}
	return c.Processor
}

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

// compare pairs a figure of p with that of b by seed.
func compare(p, b Point, figure func(Record) float64) results.Paired {
	var x, y []float64
	for _, r := range p.Records {
		i := slices.IndexFunc(b.Records, func(o Record) bool { return o.Seed == r.Seed })
		if i < 0 {
			continue
		}
		if u, v := figure(r), figure(b.Records[i]); !math.IsNaN(u) && !math.IsNaN(v) {
			x, y = append(x, u), append(y, v)
		}
	}
	return results.Pair(x, y)
}

// measured reports whether any finished cell has a figure.
func measured(points []Point, figure func(Record) float64) bool {
	return slices.ContainsFunc(points, func(p Point) bool { return len(p.of(figure)) > 0 })
}

// judged is the accuracy that cells are compared by: on test images, or where none was measured on validation images.
func judged(points []Point) (figure func(Record) float64, name string) {
	if !measured(points, testAcc) && measured(points, valAcc) {
		return valAcc, "validation accuracy (%)"
	}
	return testAcc, "test accuracy (%)"
}

// Table is the prunings and dense trainings of a study in numbers, for people: a row for each point; of validation accuracies, those that were measured; what
// was spent counted with the stages that others share, the dense network apart.
func (s *Study) Table(records map[Cell]Record) *results.Table {
	points := s.pointsOf(records, false)
	type column struct {
		name string
		text func(p Point) string
	}
	accuracy := func(name string, figure func(Record) float64) column {
		return column{name, func(p Point) string { return results.Summarize(p.of(figure)...).Text(2) }}
	}
	columns := []column{
		{"series", func(p Point) string { return p.Series }},
		{"model", func(p Point) string { return p.Model }},
		{"removed", func(p Point) string { return removed(p.Sparsity) }},
		{"weights left", func(p Point) string { kept, _ := p.weights(); return kept }},
	}
	if measured(points, oneShotAcc) {
		columns = append(columns, accuracy("validation before fine-tuning (%)", oneShotAcc))
	}
	figure, name := judged(points)
	if measured(points, valAcc) {
		columns = append(columns, accuracy("validation accuracy (%)", valAcc))
	}
	if name != "validation accuracy (%)" {
		columns = append(columns, accuracy(name, figure))
	}
	if s.Baseline != "" {
		columns = append(columns, column{"against " + s.Baseline, func(p Point) string {
			if b, ok := s.baselineAt(points, p); ok {
				return compare(p, b, figure).Text(2)
			}
			return ""
		}})
	}
	mean := func(p Point, figure func(Record) float64, text func(mean float64) string) string {
		if len(p.Records) == 0 {
			return ""
		}
		values := p.of(figure)
		if len(values) == 0 {
			return results.NotMeasured().String()
		}
		return text(results.Summarize(values...).Mean)
	}
	if measured(points, params) {
		million := func(m float64) string { return fmt.Sprintf("%.3f M", m/1e6) }
		columns = append(columns,
			column{"parameters", func(p Point) string {
				return mean(p, params, func(m float64) string { return fmt.Sprintf("%.0f", m) })
			}},
			column{"MACs", func(p Point) string { return mean(p, macs, million) }},
			column{"training", func(p Point) string { return mean(p, ownSeconds, results.Duration) }},
			column{"search", func(p Point) string { return mean(p, searchSeconds, results.Duration) }},
		)
	}
	columns = append(columns,
		column{"passes", func(p Point) string {
			return mean(p, allPasses, func(m float64) string { return fmt.Sprintf("%.0f", m) })
		}},
		column{"time", func(p Point) string { return mean(p, allSeconds, results.Duration) }},
	)
	if measured(points, allProcessor) {
		columns = append(columns, column{"processor time", func(p Point) string { return mean(p, allProcessor, results.Duration) }})
	}
	measuredOn := machines(points...)
	if len(measuredOn) > 1 {
		columns = append(columns, column{"measured on", func(p Point) string {
			var letters []string
			for _, m := range machines(p) {
				letters = append(letters, letter(slices.Index(measuredOn, m)))
			}
			return strings.Join(letters, ", ")
		}})
	}
	columns = append(columns, column{"state", Point.state})
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	t := results.NewTable(names...)
	for _, p := range points {
		var row []string
		for _, c := range columns {
			row = append(row, c.text(p))
		}
		t.Add(row...)
	}
	if paired := func(p Point) bool {
		b, ok := s.baselineAt(points, p)
		return ok && compare(p, b, figure).N > 0
	}; slices.ContainsFunc(points, paired) {
		t.Note("against " + s.Baseline + ": " + results.PairsNote)
	}
	if len(measuredOn) > 1 {
		for i, m := range measuredOn {
			t.Note(letter(i) + ": " + m)
		}
	}
	return t
}

// letter names one of a few things: A, B and so on, and after Z their number.
func letter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return strconv.Itoa(i + 1)
}

// machines are those that finished cells ran on, and how many ran at once, each once: times compare within one alone.
func machines(points ...Point) (all []string) {
	for _, p := range points {
		for _, r := range p.Records {
			if !slices.Contains(all, r.Machine) {
				all = append(all, r.Machine)
			}
		}
	}
	return all
}

// processor is the processor time in numbers, or nothing if it was not measured.
func (c Cost) processor() string {
	if c.Processor == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", c.Processor)
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

// number is nothing for 0.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Rows is the same in numbers, for programs: a row for each finished cell. Accuracies are in percent.
func (s *Study) Rows(records map[Cell]Record) *results.Table {
	t := results.NewTable("series", "model", "seed", "sparsity", "kept", "total", "one_shot_val_acc", "val_acc", "test_acc",
		"own_epochs", "own_passes", "own_seconds", "own_processor_seconds",
		"shared_epochs", "shared_passes", "shared_seconds", "shared_processor_seconds", "hash", "params", "macs", "genotype", "machine")
	for _, p := range s.pointsOf(records, false) {
		for _, r := range p.Records {
			t.Add(p.Series, p.Model, strconv.FormatUint(r.Seed, 10), strconv.FormatFloat(p.Sparsity, 'f', -1, 64),
				strconv.Itoa(r.Kept), strconv.Itoa(r.Total), r.OneShot.Number(), r.ValAcc.Number(), r.TestAcc.Number(),
				strconv.Itoa(r.Own.Epochs), strconv.Itoa(r.Own.Passes), fmt.Sprintf("%.1f", r.Own.Seconds), r.Own.processor(),
				strconv.Itoa(r.Shared.Epochs), strconv.Itoa(r.Shared.Passes), fmt.Sprintf("%.1f", r.Shared.Seconds), r.Shared.processor(),
				r.Hash, number(r.Params), number(r.MACs), r.Genotype, r.Machine)
		}
	}
	return t
}
