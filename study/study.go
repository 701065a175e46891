package study

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"espalier/experiment"
)

// A Study is a grid of runs.
type Study struct {
	Name     string   // names the directory of its runs
	About    string   // what is asked, for those who read the results
	Baseline string   // label of the series that the others are compared with; "": none
	Series   []Series // in the order of tables and legends
	Figures  []Choice // of which each has its figures; none: they show all series
}

// A Choice is a name for some of a study's series.
type Choice struct {
	Name   string   `yaml:"name"` // part of the figures' files
	Series []string `yaml:"series"`
}

// A Series is a method with its settings, at several sparsities, models and seeds: a line of a plot.
type Series struct {
	Label string
	Cells []experiment.Config // models outermost, then sparsities, then seeds
}

// common is a model that two series both have.
func (s Series) common(o Series) (model string, ok bool) {
	for _, c := range s.Cells {
		if slices.ContainsFunc(o.Cells, func(d experiment.Config) bool { return ModelOf(d) == ModelOf(c) }) {
			return ModelOf(c), true
		}
	}
	return "", false
}

// Cells are those of every series, in order. Two series may hold the same cell.
func (s *Study) Cells() []experiment.Config {
	var all []experiment.Config
	for _, r := range s.Series {
		all = append(all, r.Cells...)
	}
	return all
}

// file is a study as it is written.
type file struct {
	Name     string       `yaml:"name"`
	About    string       `yaml:"about"`
	Settings yaml.Node    `yaml:"settings"`
	Models   []string     `yaml:"models"`
	Seeds    []uint64     `yaml:"seeds"`
	Baseline string       `yaml:"baseline"`
	Series   []seriesFile `yaml:"series"`
	Figures  []Choice     `yaml:"figures"`
}

type seriesFile struct {
	Label    string    `yaml:"label"`
	Settings yaml.Node `yaml:"settings"`
	Models   []string  `yaml:"models"`
	Seeds    []uint64  `yaml:"seeds"`
	Sparsity []float64 `yaml:"sparsity"`
	Rounds   []int     `yaml:"rounds"`
	Like     []string  `yaml:"like"`
}

// Load reads the study in a file; see Read.
func Load(path string) (*Study, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads a study in YAML:
//
//	name: unstructured          # directory of the runs, below the run directory
//	settings: {...}             # of every run, as in a run's config.yaml
//	models: [resnet8, resnet20] # default: the one of the settings
//	seeds: [1, 2]               # default: 1
//	baseline: OMP               # the series that the others are compared with; default: none
//	series:
//	  - label: OMP
//	    settings: {prune: {method: omp}}
//	    rounds: [4, 7]          # sparsities 1-0.8^r, which is what r rounds leave that each remove a fifth
//	  - label: random
//	    settings: {prune: {method: random}}
//	    sparsity: [0.5, 0.9]    # or as shares
//	    seeds: [1]              # its own models and seeds stand for the study's
//	  - label: OMP              # the same label again, for another model
//	    settings: {prune: {method: omp}}
//	    models: [resnet56]
//	    rounds: [7]
//	  - label: dense            # without a pruning method: one cell for each model and seed
//	  - label: DARTS            # a search: one cell for each seed
//	    settings: {search: {method: darts}}
//	  - label: DARTS            # the training of what that search finds; data.train is not its search's
//	    settings: {search: {method: darts, images: 10000}, model: {name: derived, from: search}}
//	  - label: random 1         # a random cell with about as many parameters as the networks of other series
//	    settings: {model: {name: derived, from: random, draw: 1}}
//	    like: [DARTS]
//	figures:                    # default: figures show all series
//	  - name: one-shot          # accuracy of these is MODEL-one-shot-accuracy.svg
//	    series: [OMP, random]
//
// name stands in errors, with the line. What is not known is refused, and every cell is validated.
func Read(r io.Reader, name string) (*Study, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("study: %s: %w", name, err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	var f file
	if err := d.Decode(&f); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("study: %s is empty", name)
	} else if err != nil {
		return nil, fmt.Errorf("study: %s:%s", name, oneLine(err))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("study: %s: more than one YAML document", name)
	}
	s, err := f.study(name)
	if err != nil {
		return nil, fmt.Errorf("study: %s: %w", name, err)
	}
	return s, nil
}

// unknownKey is how the YAML reader says that a struct has no such field.
var unknownKey = regexp.MustCompile(`^field (.*) not found in type study\.(.*)$`)

// oneLine is what the YAML reader says, in one line that begins with the number of a line if that is known.
func oneLine(err error) string {
	said := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if many := (*yaml.TypeError)(nil); errors.As(err, &many) {
		said = many.Errors
	}
	first := strings.Join(strings.Fields(said[0]), " ")
	line, text, ok := strings.Cut(strings.TrimPrefix(first, "line "), ": ")
	if _, err := strconv.Atoi(line); !ok || err != nil {
		return " " + first
	}
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		known := keys(reflect.TypeFor[file]())
		for _, t := range []reflect.Type{reflect.TypeFor[seriesFile](), reflect.TypeFor[Choice]()} {
			if m[2] == t.Name() {
				known = keys(t)
			}
		}
		text = fmt.Sprintf("no key %q; the nearest is %q", m[1], experiment.Nearest(m[1], known))
	}
	return line + ": " + text
}

// keys are those of a struct in YAML.
func keys(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("yaml"))
	}
	return names
}

func (f *file) study(name string) (*Study, error) {
	base := experiment.Default()
	if err := base.ReadNode(&f.Settings, name); err != nil {
		return nil, err
	}
	base.Name = f.Name
	if len(f.Series) == 0 {
		return nil, errors.New("no series: there is nothing to run")
	}
	s := &Study{Name: f.Name, About: f.About, Baseline: f.Baseline}
	for i, r := range f.Series {
		if r.Label == "" {
			return nil, fmt.Errorf("series %d has no label", i+1)
		}
		like, err := s.like(r.Like)
		if err != nil {
			return nil, fmt.Errorf("series %q: %w", r.Label, err)
		}
		own := base
		own.Model.Like = like
		cells, err := r.cells(own, f, name)
		if err != nil {
			return nil, fmt.Errorf("series %q: %w", r.Label, err)
		}
		next := Series{r.Label, cells}
		for _, o := range s.Series {
			if model, ok := next.common(o); ok && o.Label == r.Label {
				return nil, fmt.Errorf("two series of %s are labelled %q", model, r.Label)
			}
		}
		s.Series = append(s.Series, next)
	}
	if f.Baseline != "" && !slices.ContainsFunc(s.Series, func(r Series) bool { return r.Label == f.Baseline }) {
		return nil, fmt.Errorf("baseline: no series is labelled %q", f.Baseline)
	}
	for i, c := range f.Figures {
		if err := s.choose(c); err != nil {
			return nil, fmt.Errorf("figures: %d: %w", i+1, err)
		}
	}
	return s, nil
}

// choiceName is what can stand in the name of a file.
var choiceName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// choose adds a choice of series.
func (s *Study) choose(c Choice) error {
	if !choiceName.MatchString(c.Name) {
		return fmt.Errorf("name %q, want lower-case words with hyphens between", c.Name)
	}
	if slices.ContainsFunc(s.Figures, func(o Choice) bool { return o.Name == c.Name }) {
		return fmt.Errorf("two are named %q", c.Name)
	}
	if len(c.Series) == 0 {
		return fmt.Errorf("%s shows no series", c.Name)
	}
	var labels []string
	for _, r := range s.Series {
		labels = append(labels, r.Label)
	}
	for _, label := range c.Series {
		if !slices.Contains(labels, label) {
			return fmt.Errorf("%s: no series is labelled %q; the nearest is %q", c.Name, label, experiment.Nearest(label, labels))
		}
	}
	s.Figures = append(s.Figures, c)
	return nil
}

// cells are the runs of a series.
func (r *seriesFile) cells(base experiment.Config, f *file, name string) ([]experiment.Config, error) {
	c := base
	if err := c.ReadNode(&r.Settings, name); err != nil {
		return nil, err
	}
	if c.Name != base.Name {
		return nil, errors.New("name is that of the study")
	}
	models, seeds := first(r.Models, f.Models, []string{c.Model.Name}), first(r.Seeds, f.Seeds, []uint64{c.Seed})
	sparsities, err := r.sparsities(c)
	if err != nil {
		return nil, err
	}
	if len(r.Like) > 0 && c.Model.From != experiment.FromRandom {
		return nil, errors.New("like: its cells are not random ones (model.from)")
	}
	if c.Searches() {
		if len(r.Models) > 0 {
			return nil, errors.New("models of a search: it makes its own (search.space)")
		}
		models = models[:1]
	}
	var cells []experiment.Config
	for _, model := range models {
		for _, sparsity := range sparsities {
			for _, seed := range seeds {
				cell := c
				cell.Model.Name, cell.Seed = model, seed
				switch {
				case cell.Searches():
					cell = cell.SearchAlone()
				case cell.Made():
					if cell.Model.From == experiment.FromRandom {
						space := cell.Search.Space
						cell.Search = experiment.Default().Search
						cell.Search.Space = space
					}
				case cell.Prune.Method == experiment.NoPruning:
					cell = cell.Dense()
				default:
					cell.Prune.Sparsity = []float64{sparsity}
				}
				if err := cell.Validate(); err != nil {
					return nil, err
				}
				cells = append(cells, cell)
			}
		}
	}
	return cells, nil
}

// sparsities are those of a series; of a dense one a single 0.
func (r *seriesFile) sparsities(c experiment.Config) ([]float64, error) {
	if c.Prune.Method == experiment.NoPruning {
		if len(r.Sparsity)+len(r.Rounds) > 0 {
			return nil, errors.New("sparsities without a pruning method (prune.method)")
		}
		return []float64{0}, nil
	}
	if (len(r.Sparsity) > 0) == (len(r.Rounds) > 0) {
		return nil, errors.New("want either sparsity or rounds")
	}
	all := slices.Clone(r.Sparsity)
	for _, n := range r.Rounds {
		if n < 1 || n > maxRounds {
			return nil, fmt.Errorf("rounds: %d, want 1 to %d", n, maxRounds)
		}
		all = append(all, Ladder(n))
	}
	return all, nil
}

const maxRounds = 60

// Ladder is the sparsity after so many rounds that each remove a fifth of what is left, 1−0.8ʳ, rounded to ten digits so
// that it has a short name.
func Ladder(rounds int) float64 {
	return experiment.Share(1 - math.Pow(.8, float64(rounds)))
}

// first is the first list that has an entry.
func first[T any](lists ...[]T) []T {
	for _, l := range lists {
		if len(l) > 0 {
			return l
		}
	}
	return nil
}
