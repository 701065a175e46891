package bench

import (
	"fmt"
	"io"
	"regexp"

	"espalier/datasets"
	"espalier/internal/kernels"
	"espalier/oneshot"
	"espalier/search/supernet"
)

// SearchRow is what a step of a search method costs beside a plain step on the same supernet.
type SearchRow struct {
	Name      string  `json:"name"`
	Passes    int     `json:"passes"`    // forward and backward, of one batch each
	Gradients string  `json:"gradients"` // all: every pass computes those at the weights and at α; needed: what the method asks for
	Batch     int     `json:"batch"`
	Threads   int     `json:"threads"`
	Steps     int     `json:"steps"`     // timed
	MedianMS  float64 `json:"median_ms"` // over rounds, of the mean step of a round
	OfPlain   float64 `json:"of_plain"`  // median over rounds, of that mean over the plain step of the same round
}

// SearchCase is a method with its options.
type SearchCase struct {
	Name    string
	Method  string
	Options map[string]string
	All     bool // all gradients
	Steps   int  // of a round: methods that draw an architecture for each step need several for a fair mean
}

// SearchCases are those that are measured: methods as they are run, and before them those with passes that leave out
// gradients, with all gradients.
func SearchCases() (cases []SearchCase) {
	for _, all := range []bool{true, false} {
		cases = append(cases,
			SearchCase{"darts-1", "darts", map[string]string{"order": "1"}, all, 1},
			SearchCase{"rarts-reuse", "rarts", nil, all, 1},
			SearchCase{"rarts", "rarts", map[string]string{"reuse": "false"}, all, 1},
			SearchCase{"darts-2", "darts", nil, all, 1},
		)
	}
	cases = append(cases, SearchCase{"gdas", "gdas", nil, false, 3})
	for i := range cases {
		if c := &cases[i]; c.All {
			c.Name += "-all"
		}
	}
	return cases
}

// Searches times steps of searches in turn with plain steps.
type Searches struct {
	plain *SupernetStep
	runs  []*searchRun
}

// searchRun is a search that takes one step after the other.
type searchRun struct {
	SearchCase
	method  oneshot.Method
	search  *oneshot.Search
	loaders [2]*datasets.Loader
}

// NewSearches begins a search by each of the cases whose name matches, all on the supernet of c, on synthetic images.
func NewSearches(c SupernetCase, names *regexp.Regexp) (*Searches, error) {
	plain, err := NewSupernetStep(c)
	if err != nil {
		return nil, err
	}
	s := &Searches{plain: plain}
	var lean *supernet.Net // of methods that compute one operation an edge
	netOf := func(m oneshot.Method) (net *supernet.Net, err error) {
		if q, ok := m.(oneshot.Sparse); !ok || !q.Sparse() {
			return plain.net, nil
		}
		if lean == nil {
			c.Memory = supernet.Recompute
			lean, err = c.build()
		}
		return lean, err
	}
	for _, method := range SearchCases() {
		if !names.MatchString(method.Name) {
			continue
		}
		r := &searchRun{SearchCase: method}
		s.runs = append(s.runs, r)
		if err := r.begin(netOf); err != nil {
			s.Close()
			return nil, fmt.Errorf("bench: %s: %w", method.Name, err)
		}
	}
	return s, nil
}

func (r *searchRun) begin(netOf func(oneshot.Method) (*supernet.Net, error)) error {
	method, err := oneshot.Configure(r.Method, r.Options)
	if err != nil {
		return err
	}
	net, err := netOf(method)
	if err != nil {
		return err
	}
	r.method = method
	images := 2 * net.Batch() // of each split
	set := datasets.Synthetic(1, datasets.SyntheticOptions{Train: 2 * images, Test: 1})
	for i := range r.loaders {
		var indices []int
		for k := range images {
			indices = append(indices, i*images+k)
		}
		r.loaders[i], err = datasets.NewLoader(set.Train, indices, datasets.LoaderOptions{Batch: net.Batch(), Norm: set.Norm})
		if err != nil {
			return err
		}
	}
	course := oneshot.DefaultCourse(1)
	course.Steps = 1000 // rates hardly fall over so many
	p := &oneshot.Problem{Net: net, Train: r.loaders[0], Val: r.loaders[1], Seed: 1, AllGradients: r.All}
	if r.search, err = oneshot.New(r.method, p, course); err != nil {
		return err
	}
	return r.search.Begin(0, 0)
}

// Close ends the loading of images.
func (s *Searches) Close() {
	for _, r := range s.runs {
		for _, l := range r.loaders {
			if l != nil {
				l.Close()
			}
		}
	}
}

// Measure takes rounds of a plain step and then each method's steps, after one round that does not count.
func (s *Searches) Measure(rounds int, now Clock) (rows []SearchRow, err error) {
	var others []*measured
	for _, r := range s.runs {
		others = append(others, &measured{name: r.Name, steps: r.Steps, step: func() error { _, err := r.search.Step(); return err }})
	}
	plain, err := beside(rounds, now, s.plain.Run, others)
	if err != nil {
		return nil, err
	}
	batch, threads := s.plain.Batch, kernels.Threads()
	rows = append(rows, SearchRow{"plain", 1, "all", batch, threads, rounds, median(plain), 1})
	for i, r := range s.runs {
		gradients := "needed"
		if r.All {
			gradients = "all"
		}
		m := others[i]
		rows = append(rows, SearchRow{r.Name, r.method.Passes(), gradients, batch, threads, rounds * r.Steps, median(m.took), median(m.ratios)})
	}
	return rows, nil
}

// SearchTable writes rows for people or as JSON.
func SearchTable(w io.Writer, asJSON bool, rows []SearchRow) error {
	head := fmt.Sprintf("%-18s %7s %10s %6s %6s %12s %10s", "step of a search", "passes", "gradients", "batch", "steps", "median ms", "of plain")
	return writeTable(w, asJSON, head, rows, func(r SearchRow) string {
		return fmt.Sprintf("%-18s %7d %10s %6d %6d %12.1f %10.3f", r.Name, r.Passes, r.Gradients, r.Batch, r.Steps, r.MedianMS, r.OfPlain)
	})
}
