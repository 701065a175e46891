package kernels

import "unsafe"

// Task is an operation on a batch with its operands, ready to run beside others: see Together.
type Task interface {
	// shares says how many images the batch has, a unit of work, whose partial sums are its own, and what is worked on at a
	// time. A unit of 0 images stands for any number.
	shares() (batch, unit, group int)
	// sums is how many elements of partials the units need; begin gets the place of the first.
	sums() int
	begin(at int)
	// streams is the number of tensors that the task reads from far away; stream is one of them from an image on.
	streams() int
	stream(i, image int) []Float
	// run works on n images from first on. On its way it can fetch as many streams as it has slots: as much of each as it
	// works on.
	slots() int
	run(worker, unit, first, n int, soon *[taskSlots][]Float)
	end()
}

// taskSlots is the most slots that a task has.
const taskSlots = 4

// together is the running call of Together.
var together = newTogether()

type sideBySide struct {
	tasks              []Task
	batch, unit, group int
	fetches            [][taskSlots]fetch   // of each task
	soon               [][taskSlots][]Float // scratch memory of each worker
	run                func(worker, unit int)
}

// fetch is a stream of a task, of these images or of the next; the zero fetch is none.
type fetch struct {
	task, stream int // task counts from 1
	next         bool
}

func newTogether() *sideBySide {
	t := new(sideBySide)
	t.run = t.unitOf
	return t
}

// Together runs tasks on a batch of the same images side by side: a few images pass all tasks, in order, before the next do,
// so that what tasks share is read from memory once, and each can fetch what the next one reads. Where two cut their batch in
// different ways, the second begins when the first has ended. No plan may have two tasks in a call.
func Together(tasks ...Task) {
	for len(tasks) > 0 {
		n := together.take(tasks)
		together.do()
		tasks = tasks[n:]
	}
}

// take takes as many tasks as cut their batch alike.
func (t *sideBySide) take(tasks []Task) int {
	t.tasks = t.tasks[:0]
	t.batch, t.unit, t.group = 0, 0, 0
	for _, task := range tasks {
		batch, unit, group := task.shares()
		if t.batch != 0 && batch != t.batch || t.unit != 0 && unit != 0 && (unit != t.unit || group != t.group) {
			break
		}
		if t.batch = batch; unit != 0 {
			t.unit, t.group = unit, group
		}
		t.tasks = append(t.tasks, task)
	}
	if t.unit == 0 {
		t.unit, t.group = 1, 1
	}
	return len(t.tasks)
}

func (t *sideBySide) do() {
	need := 0
	for _, task := range t.tasks {
		task.begin(need)
		need += task.sums()
	}
	needPartials(need)
	t.plan()
	for len(t.soon) < Threads() {
		t.soon = append(t.soon, [taskSlots][]Float{})
	}
	Parallel(ceilDiv(t.batch, t.unit), t.run)
	for _, task := range t.tasks {
		task.end()
	}
	clear(t.tasks)
	clear(t.soon)
}

// plan gives each stream the last slot before it is read, going round the tasks. A stream that a task before has read is in
// the cache.
func (t *sideBySide) plan() {
	t.fetches = append(t.fetches[:0], make([][taskSlots]fetch, len(t.tasks))...)
	for k, task := range t.tasks {
		for i := range task.streams() {
			if t.read(k, address(task.stream(i, 0))) {
				continue
			}
			t.place(fetch{task: k + 1, stream: i})
		}
	}
}

// read says whether a task before task k reads the stream that begins at p.
func (t *sideBySide) read(k int, p unsafe.Pointer) bool {
	for _, task := range t.tasks[:k] {
		for i := range task.streams() {
			if address(task.stream(i, 0)) == p {
				return true
			}
		}
	}
	return false
}

func (t *sideBySide) place(f fetch) {
	n := len(t.tasks)
	for back := 1; back <= n; back++ {
		k := f.task - 1 - back
		f.next = k < 0
		k = (k + n) % n
		for s := t.tasks[k].slots() - 1; s >= 0; s-- {
			if t.fetches[k][s].task == 0 {
				t.fetches[k][s] = f
				return
			}
		}
	}
}

func (t *sideBySide) unitOf(worker, unit int) {
	from, to := unit*t.unit, min(t.batch, (unit+1)*t.unit)
	for first := from; first < to; first += t.group {
		n := min(t.group, to-first)
		for k, task := range t.tasks {
			soon := &t.soon[worker]
			clear(soon[:])
			for s, f := range t.fetches[k] {
				at := first
				if f.next {
					at += n
				}
				if f.task > 0 && at < t.batch {
					soon[s] = t.tasks[f.task-1].stream(f.stream, at)
				}
			}
			task.run(worker, unit, first, n, soon)
		}
	}
}
