package study

import "espalier/results/plot"

// Scatter draws the accuracy of the derived networks of a study beside their parameters, a mark for each series; it is nil if none
// is finished, or if there are more than can be told apart.
func (s *Study) Scatter(records map[Cell]Record) (*plot.Figure, error) {
	points := s.pointsOf(records, false)
	accuracy, label := judged(points)
	var dots []plot.Dots
	for _, p := range points {
		d := plot.Dots{Name: p.Series}
		for _, r := range p.Records {
			if r.Params > 0 && accuracy(r) == accuracy(r) {
				d.X, d.Y = d.X+float64(r.Params)/1e6, append(d.Y, accuracy(r))
			}
		}
		if n := len(d.Y); n > 0 {
			d.X /= float64(n)
			dots = append(dots, d)
		}
	}
	if len(dots) == 0 || len(dots) > plot.Curves {
		return nil, nil
	}
	return plot.NewScatter(s.Name, "parameters (millions)", label, dots...)
}
