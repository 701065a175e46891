package search

import (
	"math"
	"slices"
	"strings"
	"testing"

	"espalier/internal/rng"
	"espalier/nn"
)

// alphas writes a table of random α, epochs 0 to n−1, and returns them with it.
func alphas(s *Space, n int) (string, []AlphaAt) {
	b := []byte(AlphasHeader(s))
	var all []AlphaAt
	for epoch := range n {
		a := NewAlpha(s)
		a.Init(rng.New(uint64(epoch), "alphas"), 1)
		b = a.AppendCSV(b, epoch)
		all = append(all, AlphaAt{epoch, a})
	}
	return string(b), all
}

// TestAlphas writes and reads α of every space, ragged ones too: the space is found by the names of its primitives, and
// values come back with their bits, those of a search that diverged too.
func TestAlphas(t *testing.T) {
	for _, name := range SpaceNames() {
		s, _ := BuiltinSpace(name)
		text, want := alphas(s, 3)
		want[2].Values[1] = nn.Float(math.Inf(1))
		want[2].Values[2] = nn.Float(math.NaN())
		text = string(want[2].AppendCSV([]byte(text[:strings.Index(text, "\n2,")+1]), 2))
		for _, given := range []*Space{s, nil} {
			got, err := ReadAlphas(strings.NewReader(text), "alphas.csv", given)
			if err != nil || len(got) != 3 || got[0].Space.Name != name {
				t.Fatalf("%s: %d epochs, %v", name, len(got), err)
			}
			for e := range want {
				same := func(a, b nn.Float) bool { return a == b || a != a && b != b }
				if got[e].Epoch != e || !slices.EqualFunc(got[e].Values, want[e].Values, same) {
					t.Errorf("%s: epoch %d came back as %d, %v", name, e, got[e].Epoch, got[e].Values)
				}
			}
		}
	}
	header := "epoch,cell,from,to,none,skip_connect,nor_conv_1x1,nor_conv_3x3,avg_pool_3x3\n"
	if got := AlphasHeader(NASBench201()); got != header {
		t.Errorf("the header is %q", got)
	}
	a := NewAlpha(RobustDARTS1())
	a.Values[0], a.Values[1] = 0.5, -1e-3
	if first, _, _ := strings.Cut(string(a.AppendCSV(nil, 7)), "\n"); first != "7,normal,0,2,0.5,-0.001,,,," {
		t.Errorf("a line is %q", first)
	}
}

func TestAlphasErrors(t *testing.T) {
	text, _ := alphas(RobustDARTS1(), 2)
	change := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("the table has no %q", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	lines := strings.SplitAfter(text, "\n")
	value := strings.Split(lines[1], ",")[4]
	for want, text := range map[string]string{
		"a.csv: the file is empty":                             "",
		"a.csv: no epochs":                                     lines[0],
		"a.csv:1: the columns are epoch, cell; want":           "epoch,cell\n",
		"a.csv:1: no built-in space has the primitives none":   "epoch,cell,from,to,none\n",
		"a.csv:2: 9 fields, want 10":                           lines[0] + "0,normal,0,2,1,1,,,\n",
		`a.csv:2: the epoch is "-1"`:                           change("\n0,", "\n-1,"),
		"a.csv:2: edge 0→3 of normal, want 0→2 of normal":      change("\n0,normal,0,2", "\n0,normal,0,3"),
		"a.csv:16: edge 0→2 of normal, want 0→2 of reduce":     change("\n0,reduce,0,2", "\n0,normal,0,2"),
		"a.csv:29: epoch 1 begins after 27 of 28 edges of epo": change("\n0,reduce,4,5", "\n1,reduce,4,5"),
		"a.csv:30: epoch 0 follows epoch 0":                    change("\n1,", "\n0,"),
		`a.csv:2: skip_connect is "x", want a number`:          change(value, "x"),
		`a.csv:2: skip_connect is "", want a number`:           change(value, ""),
		`a.csv:2: skip_connect is "1e999", want a number`:      change(value, "1e999"),
		`a.csv:2: max_pool_3x3 is "1", but edge 0→2 of normal`: lines[0] + "0,normal,0,2,1,1,,,1,\n",
		"a.csv: epoch 1 ends after 27 of 28 edges":             strings.Join(lines[:len(lines)-2], ""),
		`a.csv:2: `: lines[0] + "\"\n",
	} {
		_, err := ReadAlphas(strings.NewReader(text), "a.csv", nil)
		if err == nil || !strings.HasPrefix(err.Error(), "search: "+want) {
			t.Errorf("%v, want %s…", err, want)
		}
	}
	if _, err := ReadAlphas(strings.NewReader(text), "a.csv", DARTS()); err == nil || !strings.Contains(err.Error(), "those of the space darts are none, ") {
		t.Error(err)
	}
}

// FuzzAlphas checks that a table that is read is one: written again, it is read as the same.
func FuzzAlphas(f *testing.F) {
	tiny, err := ParseSpace([]byte("name: a\nprimitives: [none, noise]\ncells: [{name: normal, nodes: 1, keep: 1}, {name: reduce, nodes: 1, keep: 1}]\n"), Registry{})
	if err != nil {
		f.Fatal(err)
	}
	text, _ := alphas(tiny, 2)
	f.Add(text)
	f.Add(strings.ReplaceAll(text, "0.", "NaN."))
	f.Add(AlphasHeader(tiny) + "3,normal,0,2,NaN,-Inf\n3,normal,1,2,0,0\n3,reduce,0,2,1,1\n3,reduce,1,2,1,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		read, err := ReadAlphas(strings.NewReader(text), "a.csv", tiny)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "search: a.csv:") {
				t.Fatal(err)
			}
			return
		}
		b := []byte(AlphasHeader(tiny))
		for _, a := range read {
			b = a.AppendCSV(b, a.Epoch)
		}
		again, err := ReadAlphas(strings.NewReader(string(b)), "a.csv", tiny)
		if err != nil || len(again) != len(read) {
			t.Fatalf("%s: %v", b, err)
		}
		for i, a := range read {
			same := func(x, y nn.Float) bool { return x == y || x != x && y != y }
			if again[i].Epoch != a.Epoch || !slices.EqualFunc(a.Values, again[i].Values, same) {
				t.Fatalf("%v came back as %v", a, again[i])
			}
		}
	})
}
