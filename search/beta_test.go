package search

import (
	"math"
	"slices"
	"strings"
	"testing"

	"espalier/nn"
)

// TestMixedEdge: weights of sums follow each other without a gap, and there are as many as edges have.
func TestMixedEdge(t *testing.T) {
	s := RobustDARTS1()                           // 28 edges of two candidates
	for edge, want := range map[MixedEdge][3]int{ // beside, bypass, all
		{}:                                {0, 0, 56},
		{Part: 1}:                         {0, 0, 56},
		{Part: 4}:                         {0, 28, 84},
		{Beside: "skip_connect"}:          {28, 0, 84},
		{Part: 2, Beside: "dil_conv_3x3"}: {28, 28, 112},
	} {
		beside, bypass := edge.BesideRow(s), edge.BypassRow(s)
		if beside.Offset != 56 || bypass.Offset != 56+beside.Len || [3]int{beside.Len, bypass.Len, edge.Weights(s)} != want {
			t.Errorf("%+v: %v, %v, %d", edge, beside, bypass, edge.Weights(s))
		}
		if err := edge.Validate(Registry{}); err != nil {
			t.Error(err)
		}
	}
	for want, edge := range map[string]MixedEdge{
		"1/-1 of the channels":          {Part: -1},
		`the nearest is "skip_connect"`: {Beside: "skip_conect"},
		"none beside the candidates":    {Beside: "none"},
	} {
		if err := edge.Validate(Registry{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want …%s…", edge, err, want)
		}
	}
}

// TestNodeRows: the edges into nodes 2 to 5 of the normal cell, then those of the other.
func TestNodeRows(t *testing.T) {
	want := []Row{{0, 2}, {2, 3}, {5, 4}, {9, 5}, {14, 2}, {16, 3}, {19, 4}, {23, 5}}
	if got := NodeRows(DARTS()); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := NodeRows(NASBench201()); !slices.Equal(got, []Row{{0, 1}, {1, 2}, {3, 3}}) {
		t.Errorf("%v", got)
	}
}

// TestDeriveEdges: shares of edges decide which edges stay: a node keeps the two largest of softmax(α)·softmax(β). Equal β
// change nothing.
func TestDeriveEdges(t *testing.T) {
	s := DARTS()
	a := NewAlpha(s)
	for e := range 14 {
		a.Row(0, e).Of(a.Values)[4] = nn.Float(14-e) / 10 // the lower the node, the better
	}
	derive := func() Genotype {
		t.Helper()
		g, err := Derive(s, Registry{}, a.Scores())
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	plain := derive()
	a.Beta = make([]nn.Float, 28)
	if g := derive(); !g.Equal(plain) {
		t.Errorf("equal β make %v of %v", g, plain)
	}
	copy(a.Beta[9:], []nn.Float{0, 0, -1, 2, 1}) // into node 5
	if got := derive().Normal.Edges[6:]; got[0].From != 3 || got[1].From != 4 {
		t.Errorf("node 5 reads %v, want nodes 3 and 4", got)
	}
	if got := derive().Normal.Edges[:6]; !slices.Equal(got, plain.Normal.Edges[:6]) {
		t.Errorf("other nodes read %v, did read %v", got, plain.Normal.Edges[:6])
	}
	// Both factors by hand: node 2 has two edges.
	a.Beta[0], a.Beta[1] = 0, nn.Float(math.Log(3))
	if got, want := a.Scores()[0][1][4], a.Softmax()[0][1][4]*.75; !(math.Abs(got-want) <= 1e-7) {
		t.Errorf("a score is %v, want %v", got, want)
	}
	a.Beta[1] = nn.Float(math.NaN())
	if _, err := Derive(s, Registry{}, a.Scores()); err == nil {
		t.Error("β of NaN derives something")
	}
}

// TestBetas writes and reads β; what does not belong to the table of α beside it is refused with its line.
func TestBetas(t *testing.T) {
	s := NASBench201()
	text, epochs := BetasHeader(), []AlphaAt(nil)
	for e := range 2 {
		a := NewAlpha(s)
		a.Beta = []nn.Float{0.5, -0.25, 0, nn.Float(math.Inf(1)), nn.Float(e), 6}
		text = string(a.AppendBetasCSV([]byte(text), e))
		epochs = append(epochs, AlphaAt{e, NewAlpha(s)})
	}
	if first := strings.Split(text, "\n")[2]; first != "0,cell,0,2,-0.25" {
		t.Errorf("a line is %q", first)
	}
	if err := ReadBetas(strings.NewReader(text), "betas.csv", epochs); err != nil {
		t.Fatal(err)
	}
	if err := ReadBetas(strings.NewReader(text+"2,cell,0,1,3\n"), "betas.csv", epochs); err != nil {
		t.Error(err) // of an epoch whose α was not written
	}
	if got := epochs[1].Beta; !slices.Equal(got, []nn.Float{0.5, -0.25, 0, nn.Float(math.Inf(1)), 1, 6}) {
		t.Errorf("came back as %v", got)
	}
	for want, text := range map[string]string{
		"betas.csv:1: the columns are ; want epoch, cell":             "",
		"betas.csv:1: the columns are epoch, cell, from, x":           strings.Replace(text, "to,", "x,", 1),
		"betas.csv:3: 0,cell,1,2, want 0,cell,0,2":                    strings.Replace(text, "0,cell,0,2", "0,cell,1,2", 1),
		`betas.csv:3: beta is "one"`:                                  strings.Replace(text, "-0.25", "one", 1),
		"betas.csv:4: wrong number of fields":                         strings.Replace(text, "0,cell,1,2,0\n", "0,cell,1,2\n", 1),
		"betas.csv: ends after line 7; alphas.csv has epochs up to 1": text[:strings.Index(text, "1,cell")],
	} {
		if err := ReadBetas(strings.NewReader(text), "betas.csv", epochs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want …%s…", err, want)
		}
	}
}
