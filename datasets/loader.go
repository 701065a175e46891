package datasets

import (
	"fmt"
	"slices"

	"espalier/internal/kernels"
	"espalier/internal/rng"
)

// LoaderOptions says how a Loader makes batches. The zero value gives batches of 128, in the order of the indices, with
// pixels in [0,1], and the last batch of an epoch as small as it falls: evaluation but for the normalisation.
type LoaderOptions struct {
	Batch    int     // images in a batch; 0 means 128
	Seed     uint64  // of the order and the augmentation
	Stream   string  // names the loader where several share a seed; those of the same name draw the same
	Shuffle  bool    // a new order every epoch
	Augment  Augment // of each image, anew every epoch
	Norm     Norm    // applied to the pixels; usually the set's
	DropLast bool    // leave out a last batch that is not full
}

const (
	defaultBatch = 128
	maxBatch     = 1 << 16
	ahead        = 2 // batches made ahead of the one in use
)

// Batch is a batch of images. It belongs to its loader and is valid until the next call of Next, Start or Close.
type Batch struct {
	// Index is the number of the batch in its epoch.
	Index int
	// N is how many rows of X are images; only the last batch of an epoch has fewer than X has room for.
	N int
	// X holds the images, normalised, and zeros after the last. // (B,H,W,C)
	X []kernels.Float
	// Labels are those of X's rows, −1 where there is no image. // (B)
	Labels []int32
	// Images are the indices in the part of the N images. // (N)
	Images []int
}

// Loader hands out the images of a part in batches, epoch by epoch. A goroutine makes batches ahead of the one in use,
// in buffers that are used again: nothing is allocated from batch to batch. A loader is for one goroutine at a time.
//
// The images of a batch are those of its place in the epoch's order, which depends on the seed, the stream's name and the
// epoch; how each looks depends on these and the image alone. So Start(e, k) goes on with the same bits as an epoch that
// was read from its beginning, and other sizes of batches show the same images.
type Loader struct {
	part    Part
	indices []int
	opts    LoaderOptions
	tables  []table

	epoch   int      // the current epoch
	next    int      // the batch of it that Next returns
	order   []int    // the indices, as the current epoch goes through them
	random  []uint64 // the bits that each image of the part draws from in the current epoch; nil without augmentation
	buffers []*Batch
	held    *Batch // given out by Next

	free chan *Batch
	full chan *Batch
	quit chan struct{}
}

// NewLoader makes a loader of p's images at indices, or of all images if indices is nil; indices may repeat. It is an
// error if there are none, one is outside the part, or an option is out of its range. The loader does nothing until Start.
func NewLoader(p Part, indices []int, o LoaderOptions) (*Loader, error) {
	if o.Batch == 0 {
		o.Batch = defaultBatch
	}
	if o.Batch < 0 || o.Batch > maxBatch {
		return nil, fmt.Errorf("datasets: a batch of %d images, must be 1 to %d", o.Batch, maxBatch)
	}
	if len(p.Pixels) != p.Len()*p.Shape.Len() || p.C <= 0 {
		return nil, fmt.Errorf("datasets: %d bytes of pixels for %d images of %v", len(p.Pixels), p.Len(), p.Shape)
	}
	if err := o.Augment.validate(); err != nil {
		return nil, err
	}
	if err := o.Norm.validate(p.C); err != nil {
		return nil, err
	}
	if indices == nil {
		indices = make([]int, p.Len())
		for i := range indices {
			indices[i] = i
		}
	}
	for k, i := range indices {
		if i < 0 || i >= p.Len() {
			return nil, fmt.Errorf("datasets: index %d of place %d is outside a part of %d images", i, k, p.Len())
		}
	}
	if len(indices) == 0 {
		return nil, fmt.Errorf("datasets: no images to load")
	}
	if o.DropLast && len(indices) < o.Batch {
		return nil, fmt.Errorf("datasets: %d images do not fill one batch of %d, and partial batches are left out",
			len(indices), o.Batch)
	}
	l := &Loader{
		part:    p,
		indices: slices.Clone(indices),
		opts:    o,
		tables:  o.Norm.tables(p.C),
		order:   make([]int, len(indices)),
	}
	if o.Augment != (Augment{}) {
		l.random = make([]uint64, p.Len())
	}
	for range ahead + 1 {
		l.buffers = append(l.buffers, &Batch{
			X:      make([]kernels.Float, o.Batch*p.Shape.Len()),
			Labels: make([]int32, o.Batch),
			Images: make([]int, 0, o.Batch),
		})
	}
	return l, nil
}

// Len is the number of images in an epoch, which is less than that of the indices if a last batch is left out.
func (l *Loader) Len() int {
	if l.opts.DropLast {
		return l.Batches() * l.opts.Batch
	}
	return len(l.indices)
}

// Batches is the number of batches in an epoch.
func (l *Loader) Batches() int {
	if l.opts.DropLast {
		return len(l.indices) / l.opts.Batch
	}
	return (len(l.indices) + l.opts.Batch - 1) / l.opts.Batch
}

// BatchSize is the number of images that a full batch has: the B of Batch.X.
func (l *Loader) BatchSize() int { return l.opts.Batch }

// Shape is the size of the images.
func (l *Loader) Shape() Shape { return l.part.Shape }

// Stream says which random stream a loader draws from and how far it is. A loader of the same images and options, given the
// same seed and name, goes on with the same bits by Start(Epoch, Batch).
type Stream struct {
	Seed  uint64
	Name  string
	Epoch int // that Next is in, 0 the first; after the last batch of one, the epoch that follows
	Batch int // of the epoch, that Next returns
}

// Stream is where the loader's order and augmentation come from, and its place in them.
func (l *Loader) Stream() Stream {
	s := Stream{Seed: l.opts.Seed, Name: l.opts.Stream, Epoch: l.epoch, Batch: l.next}
	if s.Batch == l.Batches() {
		s.Epoch, s.Batch = s.Epoch+1, 0
	}
	return s
}

// Start begins an epoch, numbered from 0, at the given batch: 0, or another to take up an interrupted epoch. What remained
// of the epoch before is dropped. A batch outside [0, Batches()] panics.
func (l *Loader) Start(epoch, batch int) {
	if epoch < 0 || batch < 0 || batch > l.Batches() {
		panic(fmt.Sprintf("datasets: epoch %d at batch %d of %d", epoch, batch, l.Batches()))
	}
	l.stop()
	l.epoch, l.next = epoch, batch
	copy(l.order, l.indices)
	root := rng.New(l.opts.Seed, "loader", l.opts.Stream)
	if l.opts.Shuffle {
		root.Split("order").At(uint64(epoch)).Shuffle(len(l.order), func(i, j int) {
			l.order[i], l.order[j] = l.order[j], l.order[i]
		})
	}
	if l.random != nil {
		s := root.Split("augment").At(uint64(epoch))
		for i := range l.random {
			l.random[i] = s.Uint64()
		}
	}
	l.free, l.full, l.quit = make(chan *Batch, len(l.buffers)), make(chan *Batch, len(l.buffers)), make(chan struct{})
	for _, b := range l.buffers {
		l.free <- b
	}
	go l.produce(batch, l.free, l.full, l.quit)
}

// Next is the epoch's next batch, or nil after the last. It panics before the first Start and after Close.
func (l *Loader) Next() *Batch {
	if l.full == nil {
		panic("datasets: Next without Start")
	}
	if l.held != nil {
		l.free <- l.held
	}
	l.held = <-l.full // nil once the channel is closed
	if l.held != nil {
		l.next++
	}
	return l.held
}

// Close ends the loader's goroutine. It may be called twice, and Start begins anew.
func (l *Loader) Close() { l.stop() }

// stop ends the running epoch and waits until its goroutine writes nothing any more.
func (l *Loader) stop() {
	if l.full == nil {
		return
	}
	close(l.quit)
	for range l.full {
	}
	l.free, l.full, l.quit, l.held = nil, nil, nil, nil
}

// produce makes the batches from the given one to the last.
func (l *Loader) produce(batch int, free <-chan *Batch, full chan<- *Batch, quit <-chan struct{}) {
	defer close(full)
	for ; batch < l.Batches(); batch++ {
		select {
		case <-quit:
			return
		case b := <-free:
			l.fill(b, batch)
			full <- b // has room for every buffer
		}
	}
}

// fill makes one batch.
func (l *Loader) fill(b *Batch, index int) {
	at := index * l.opts.Batch
	images := l.order[at:min(at+l.opts.Batch, len(l.order))]
	b.Index, b.N, b.Images = index, len(images), append(b.Images[:0], images...)
	size := l.part.Shape.Len()
	for k, i := range images {
		var v view
		if l.random != nil {
			v = l.opts.Augment.view(l.part.Shape, l.random[i])
		}
		l.opts.Augment.render(b.X[k*size:][:size], l.part.Image(i), l.part.Shape, l.tables, v)
		b.Labels[k] = l.part.Labels[i]
	}
	clear(b.X[b.N*size:])
	for k := b.N; k < l.opts.Batch; k++ {
		b.Labels[k] = -1
	}
}
