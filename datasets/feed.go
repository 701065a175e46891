package datasets

import "fmt"

// Feed hands out full batches of several loaders by name, each going through its epochs for as long as it is asked: batch n
// of a loader is batch n mod Batches of epoch n / Batches. All have batches of one size.
type Feed struct {
	feeds map[string]*feed
}

type feed struct {
	*Loader
	batch *Batch // the current one
	epoch int    // that the loader is in
}

// NewFeed is a feed of loaders, which it uses alone from now on. It is an error if the last batch of one is not full, or if
// sizes of batches or images differ.
func NewFeed(loaders map[string]*Loader) (*Feed, error) {
	f := &Feed{feeds: make(map[string]*feed)}
	var first *Loader
	for name, l := range loaders {
		if l.Len() != l.Batches()*l.BatchSize() {
			return nil, fmt.Errorf("datasets: %s: %d images in batches of %d: the last one of an epoch must be full or left out", name, l.Len(), l.BatchSize())
		}
		if first == nil {
			first = l
		}
		if l.BatchSize() != first.BatchSize() || l.Shape() != first.Shape() {
			return nil, fmt.Errorf("datasets: batches of %d images of %v and of %d of %v in one feed", l.BatchSize(), l.Shape(), first.BatchSize(), first.Shape())
		}
		f.feeds[name] = &feed{Loader: l}
	}
	return f, nil
}

func (f *Feed) find(name string) (*feed, error) {
	if s, ok := f.feeds[name]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("datasets: there is no split %q", name)
}

// Seek makes the next batch of a loader that of number n.
func (f *Feed) Seek(name string, n int) error {
	s, err := f.find(name)
	if err != nil {
		return err
	}
	s.epoch = n / s.Batches()
	s.Start(s.epoch, n%s.Batches())
	return nil
}

// Next makes the loader's next batch its current one.
func (f *Feed) Next(name string) error {
	s, err := f.find(name)
	if err != nil {
		return err
	}
	if s.batch = s.Loader.Next(); s.batch == nil {
		s.epoch++
		s.Start(s.epoch, 0)
		s.batch = s.Loader.Next()
	}
	return nil
}

// Batch is the loader's current batch, valid until its next. It panics if there is none.
func (f *Feed) Batch(name string) *Batch {
	s, err := f.find(name)
	if err != nil || s.batch == nil {
		panic("datasets: a batch of " + name + " before its first")
	}
	return s.batch
}

// BatchSize is the number of images of a batch.
func (f *Feed) BatchSize() int {
	for _, s := range f.feeds {
		return s.Loader.BatchSize()
	}
	return 0
}

// Same says what two feeds must have in common that give the same batches: of each loader, its batches and its stream.
func (f *Feed) Same() map[string]string {
	same := make(map[string]string)
	for name, s := range f.feeds {
		stream := s.Stream()
		same["split/"+name] = fmt.Sprintf("%d batches of %d, seed %d, %s", s.Batches(), s.BatchSize(), stream.Seed, stream.Name)
	}
	return same
}
