package datasets

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"espalier/internal/kernels"
)

// seen is what an epoch showed.
type seen struct {
	images []int
	labels []int32
	pixels []kernels.Float
	sizes  []int
}

// epoch reads an epoch from a batch to its end.
func epoch(t *testing.T, l *Loader, number, batch int) seen {
	t.Helper()
	var s seen
	l.Start(number, batch)
	for b := l.Next(); b != nil; b = l.Next() {
		if b.Index != batch {
			t.Fatalf("batch %d, want %d", b.Index, batch)
		}
		batch++
		s.images = append(s.images, b.Images...)
		s.labels = append(s.labels, b.Labels[:b.N]...)
		s.pixels = append(s.pixels, b.X[:b.N*l.Shape().Len()]...)
		s.sizes = append(s.sizes, b.N)
		for _, v := range b.X[b.N*l.Shape().Len():] {
			if v != 0 {
				t.Fatalf("value %v after the last image", v)
			}
		}
		for _, label := range b.Labels[b.N:] {
			if label != -1 {
				t.Fatalf("label %d after the last image, want -1", label)
			}
		}
	}
	if l.Next() != nil {
		t.Fatal("a batch after the last")
	}
	return s
}

func equal(a, b seen) bool {
	return slices.Equal(a.images, b.images) && slices.Equal(a.labels, b.labels) && slices.Equal(a.pixels, b.pixels)
}

func load(t testing.TB, p Part, indices []int, o LoaderOptions) *Loader {
	t.Helper()
	l, err := NewLoader(p, indices, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

var every = LoaderOptions{Batch: 8, Seed: 5, Shuffle: true, Augment: Augment{Pad: 4, Flip: true, Cutout: 3},
	Norm: Norm{Mean: []float64{.4, .5, .6}, Std: []float64{.2, .3, .4}}}

func TestEvaluationCountsEveryImageOnce(t *testing.T) {
	p := noise(Shape{6, 7, 3}, 45, 10)
	for _, batch := range []int{1, 7, 15, 44, 45, 46, 0} {
		l := load(t, p, nil, LoaderOptions{Batch: batch})
		s := epoch(t, l, 0, 0)
		if len(s.images) != 45 || l.Len() != 45 || len(s.sizes) != l.Batches() {
			t.Fatalf("batches of %d: %d images in %d batches", batch, len(s.images), len(s.sizes))
		}
		for i := range 45 {
			if s.images[i] != i || s.labels[i] != p.Labels[i] {
				t.Fatalf("image %d with label %d at place %d", s.images[i], s.labels[i], i)
			}
			for k, v := range p.Image(i) {
				if got, want := s.pixels[i*p.Shape.Len()+k], kernels.Float(float64(v)/255); got != want {
					t.Fatalf("pixel %v, want %v", got, want)
				}
			}
		}
	}
}

func TestOrder(t *testing.T) {
	p := noise(Shape{2, 2, 3}, 200, 10)
	indices := []int{}
	for i := 0; i < 200; i += 2 {
		indices = append(indices, i)
	}
	l := load(t, p, indices, every)
	first, second := epoch(t, l, 0, 0), epoch(t, l, 1, 0)
	for _, s := range []seen{first, second} {
		if sorted := slices.Sorted(slices.Values(s.images)); !slices.Equal(sorted, indices) {
			t.Errorf("an epoch shows the images %v", sorted)
		}
	}
	if slices.Equal(first.images, second.images) || slices.Equal(first.images, indices) {
		t.Error("the order is not new")
	}
	if again := epoch(t, l, 0, 0); !equal(again, first) {
		t.Error("an epoch is not repeated by its number")
	}
	for what, change := range map[string]func(*LoaderOptions){
		"seed":   func(o *LoaderOptions) { o.Seed++ },
		"stream": func(o *LoaderOptions) { o.Stream = "val" },
	} {
		o := every
		change(&o)
		if other := epoch(t, load(t, p, indices, o), 0, 0); slices.Equal(other.images, first.images) {
			t.Errorf("another %s gives the same order", what)
		}
	}
}

// An image looks the same in an epoch whatever the batches are, whichever images go beside it, and in whatever order.
func TestAugmentationDependsOnTheImage(t *testing.T) {
	p := noise(Shape{8, 8, 3}, 60, 10)
	look := func(o LoaderOptions, indices []int, number int) map[int][]kernels.Float {
		s, m := epoch(t, load(t, p, indices, o), number, 0), map[int][]kernels.Float{}
		for k, i := range s.images {
			m[i] = s.pixels[k*p.Shape.Len():][:p.Shape.Len()]
		}
		return m
	}
	want := look(every, nil, 3)
	other := every
	other.Batch, other.Shuffle = 13, false
	for i, pixels := range look(other, []int{59, 4, 17, 30, 2}, 3) {
		if !slices.Equal(pixels, want[i]) {
			t.Errorf("image %d looks different in other batches", i)
		}
	}
	same := 0
	for i, pixels := range look(every, nil, 4) {
		if slices.Equal(pixels, want[i]) {
			same++
		}
	}
	if same > 3 {
		t.Errorf("%d of 60 images look the same in the next epoch", same)
	}
}

func TestResume(t *testing.T) {
	p := noise(Shape{5, 5, 3}, 83, 10)
	for _, drop := range []bool{false, true} {
		o := every
		o.DropLast = drop
		whole := epoch(t, load(t, p, nil, o), 2, 0)
		l := load(t, p, nil, o)
		if want := map[bool]int{false: 83, true: 80}[drop]; len(whole.images) != want || l.Len() != want {
			t.Fatalf("%d images, Len %d, want %d", len(whole.images), l.Len(), want)
		}
		for batch := range l.Batches() + 1 {
			l.Start(1, 0) // and leave it in the middle
			for range batch % 4 {
				l.Next()
			}
			rest := epoch(t, l, 2, batch)
			at := min(batch*8, len(whole.images))
			want := seen{images: whole.images[at:], labels: whole.labels[at:], pixels: whole.pixels[at*75:]}
			if !equal(rest, want) {
				t.Fatalf("from batch %d the epoch goes on differently", batch)
			}
		}
	}
}

// The place that a loader says it is at is the one to start another from.
func TestStream(t *testing.T) {
	p := noise(Shape{5, 5, 3}, 83, 10)
	o := every
	o.Stream = "a name"
	l, twin := load(t, p, nil, o), load(t, p, nil, o)
	if s := l.Stream(); s != (Stream{Seed: o.Seed, Name: "a name"}) {
		t.Errorf("before Start: %+v", s)
	}
	l.Start(3, 2)
	for batch := 2; ; batch++ {
		at := l.Stream()
		want := Stream{Seed: o.Seed, Name: "a name", Epoch: 3, Batch: batch}
		if batch == l.Batches() {
			want.Epoch, want.Batch = 4, 0
		}
		if at != want {
			t.Fatalf("%+v, want %+v", at, want)
		}
		b := l.Next()
		if b == nil {
			break
		}
		twin.Start(at.Epoch, at.Batch)
		if other := twin.Next(); !slices.Equal(b.Images, other.Images) || !slices.Equal(b.X, other.X) {
			t.Fatalf("batch %d differs", batch)
		}
	}
	if s := l.Stream(); s.Epoch != 4 || s.Batch != 0 {
		t.Errorf("after the last: %+v", s)
	}
}

// A batch stays as it is until the next call.
func TestBatchIsHeld(t *testing.T) {
	p := noise(Shape{16, 16, 3}, 400, 10)
	l := load(t, p, nil, every)
	l.Start(0, 0)
	for b := l.Next(); b != nil; b = l.Next() {
		before, images := slices.Clone(b.X), slices.Clone(b.Images)
		for range 20 {
			runtime.Gosched()
		}
		if !slices.Equal(before, b.X) || !slices.Equal(images, b.Images) {
			t.Fatal("a batch changed while it was held")
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	p := noise(Shape{8, 8, 3}, 8*200, 10)
	l := load(t, p, nil, every)
	l.Start(0, 0)
	if n := testing.AllocsPerRun(150, func() { l.Next() }); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
	bytes := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.TotalAlloc
	}
	before := bytes()
	for e := range 20 {
		l.Start(e, 0)
		for l.Next() != nil {
		}
	}
	if got := (bytes() - before) / 20; got > 8<<10 {
		t.Errorf("%d bytes allocated an epoch", got)
	}
}

func TestCloseLeaksNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	p := noise(Shape{8, 8, 3}, 500, 10)
	for k := range 50 {
		l, err := NewLoader(p, nil, every)
		if err != nil {
			t.Fatal(err)
		}
		l.Start(0, 0)
		for range k % 5 {
			l.Next()
		}
		if k%3 == 0 {
			l.Start(1, 5)
		}
		l.Close()
		l.Close()
	}
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestLoaderErrors(t *testing.T) {
	p := noise(Shape{4, 4, 3}, 10, 10)
	short := p
	short.Pixels = short.Pixels[1:]
	for _, c := range []struct {
		part    Part
		indices []int
		opts    LoaderOptions
		want    string
	}{
		{p, nil, LoaderOptions{Batch: -1}, "batch of -1"},
		{p, nil, LoaderOptions{Batch: 1 << 20}, "batch of 1048576"},
		{p, []int{0, 10}, LoaderOptions{}, "index 10 of place 1"},
		{p, []int{-1}, LoaderOptions{}, "index -1"},
		{p, []int{}, LoaderOptions{}, "no images"},
		{p, nil, LoaderOptions{Batch: 11, DropLast: true}, "10 images do not fill one batch of 11"},
		{p, nil, LoaderOptions{Augment: Augment{Pad: -1}}, "padding of -1"},
		{p, nil, LoaderOptions{Augment: Augment{Cutout: 5000}}, "cutout of 5000"},
		{p, nil, LoaderOptions{Norm: Norm{Mean: []float64{0}, Std: []float64{1}}}, "1 means and 1 deviations for images of 3"},
		{p, nil, LoaderOptions{Norm: Norm{Mean: []float64{0, 0, 0}, Std: []float64{1, 0, 1}}}, "channel 1"},
		{short, nil, LoaderOptions{}, "479 bytes of pixels for 10 images of 4x4x3"},
	} {
		if _, err := NewLoader(c.part, c.indices, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

func ExampleLoader() {
	set := Part{Shape: Shape{H: 1, W: 1, C: 1}, Pixels: []uint8{0, 51, 102, 153, 204}, Labels: []int32{0, 1, 0, 1, 0}}
	l, err := NewLoader(set, nil, LoaderOptions{Batch: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	l.Start(0, 0)
	for b := l.Next(); b != nil; b = l.Next() {
		fmt.Println(b.N, b.X, b.Labels)
	}
	// Output:
	// 2 [0 0.2] [0 1]
	// 2 [0.4 0.6] [0 1]
	// 1 [0.8 0] [0 -1]
}

func BenchmarkFill(b *testing.B) {
	p := noise(Shape{32, 32, 3}, 1024, 10)
	for name, a := range map[string]Augment{"plain": {}, "augmented": {Pad: 4, Flip: true, Cutout: 16}} {
		b.Run(name, func(b *testing.B) {
			l := load(b, p, nil, LoaderOptions{Batch: 128, Shuffle: true, Augment: a, Norm: Measure(p, nil)})
			l.Start(0, 0)
			l.stop()
			batch := l.buffers[0]
			b.SetBytes(int64(len(batch.X)))
			for i := range b.N {
				l.fill(batch, i%8)
			}
		})
	}
}
