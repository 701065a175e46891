package search

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"espalier/internal/rng"
)

// TestParseForms checks that all forms of one genotype read as the same, and print as one text.
func TestParseForms(t *testing.T) {
	const want = "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('none', 2), ('max_pool_3x3', 0)], normal_concat=[2, 3], " +
		"reduce=[('noise', 0), ('noise', 1), ('dil_conv_5x5', 2), ('dil_conv_5x5', 1)], reduce_concat=[3])"
	for form, text := range map[string]string{
		"flat": want,
		"nested": `Genotype(normal=[[('sep_conv_3x3', 1), ('skip_connect', 0)], [('none', 2), ('max_pool_3x3', 0)]], normal_concat=range(2, 4),
			reduce=[[('noise', 0), ('noise', 1)], [('dil_conv_5x5', 2), ('dil_conv_5x5', 1)]], reduce_concat=range(3, 4))`,
		"triples": `Genotype(normal=[('sep_conv_3x3', 2, 1), ('skip_connect', 2, 0), ('none', 3, 2), ('max_pool_3x3', 3, 0)], normal_concat=[2, 3],
			reduce=[('dil_conv_5x5', 3, 2), ('noise', 2, 0), ('noise', 2, 1), ('dil_conv_5x5', 3, 1)], reduce_concat=[3])`,
		"as a program": "# found on Monday\nbest = Genotype(\n\treduce_concat=[3,], normal_concat = list(range(2, 4)),  # the output\n" +
			"\tnormal=[(\"sep_conv_3x3\", 1), ('skip_connect', 0,), ('none', 2), ('max_pool_3x3', 0),],\n" +
			"\treduce=[('noise', 0), ('noise', 1), ('dil_conv_5x5', 2), ('dil_conv_5x5', 1)],\n)\n# end",
	} {
		g, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		if got := g.String(); got != want {
			t.Errorf("%s became %s", form, got)
		}
		if g.Skeleton() != Stacked || g.Validate(Registry{}) != nil {
			t.Errorf("%s: %v, %v", form, g.Skeleton(), g.Validate(Registry{}))
		}
	}
	if g, err := Parse(strings.Replace(want, "normal_concat=[2, 3]", "normal_concat=range(4)", 1)); err == nil {
		t.Errorf("range(4), which names inputs, was read as %v", g)
	}
}

// TestTriples checks a cell of FairDARTS, whose node 3 has no edges: it is no part of the output, and feeds nobody.
func TestTriples(t *testing.T) {
	const text = "Genotype(normal=[('sep_conv_3x3', 2, 0), ('sep_conv_5x5', 2, 1), ('max_pool_3x3', 4, 0), ('sep_conv_3x3', 5, 3), ('sep_conv_3x3', 5, 0)], normal_concat=[2, 3, 4, 5], " +
		"reduce=[('max_pool_3x3', 2, 0), ('noise', 2, 0), ('noise', 2, 1)], reduce_concat=[2])"
	g, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := g.String(); got != text {
		t.Errorf("printed as %s", got)
	}
	fed := g.Normal.Fed(2)
	if len(fed.Edges) != 4 || slices.Contains(fed.Edges, Choice{"sep_conv_3x3", 3, 5}) || !slices.Equal(fed.Concat, []int{2, 4, 5}) {
		t.Errorf("the fed part is %+v", fed)
	}
	if !reflect.DeepEqual(g.Reduce.Fed(2), g.Reduce) {
		t.Errorf("the fed part of the reduce cell is %+v", g.Reduce.Fed(2))
	}
}

// TestSyntaxErrors checks that each says where, what was expected and what was there.
func TestSyntaxErrors(t *testing.T) {
	const good = "Genotype(normal=[('a', 0), ('b', 1)], normal_concat=[2], reduce=[('a', 0), ('b', 1)], reduce_concat=[2])"
	if _, err := Parse(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, at, want, found string }{
		{good, "", "", "Genotype(", "the end"},
		{"Genotype(", "Genotyp(", "Genotyp(", "Genotype(", `"Genotyp"`},
		{"Genotype(", "Genotype[", "[", "'('", `"["`},
		{"normal=", "norml=", "norml", "one of normal=, normal_concat=", `"norml"`},
		{"normal=", "normal:", ":", "'='", `":"`},
		{"[('a', 0), ('b', 1)], normal_concat", "[('a', 0), ('b', 1), ('c', 2)], normal_concat", "[", "two pairs for each node", `"["`},
		{"('a', 0), ('b', 1)], normal_concat", "('a', 0), ('b', 2)], normal_concat", "('b', 2)", "an edge from a node to a later one", `"("`},
		{"('a', 0), ('b', 1)], normal_concat", "('a', 0), ('b', 99)], normal_concat", "99", "a node below 64", `"99"`},
		{"('a', 0), ('b', 1)], normal_concat", "('a', 0), ('b', 2, 1)], normal_concat", "('b', 2, 1)", "another pair", `"("`},
		{"('a', 0), ('b', 1)], normal_concat", "('a', 0), [('b', 1)]], normal_concat", "[('b', 1)]", "another pair", `"["`},
		{"('a', 0), ('b', 1)], normal_concat", "[('a', 2, 0), ('b', 1)]], normal_concat", "('a', 2", "a pair", `"("`},
		{"('a', 0), ('b', 1)], normal_concat", "('a', 0) ('b', 1)], normal_concat", "('b'", "',' or ']'", `"("`},
		{"('a', 0), ('b', 1)], normal_concat", "(a, 0), ('b', 1)], normal_concat", "a, 0), ('b', 1)], normal_concat", "the name of an operation in quotes", `"a"`},
		{"('a', 0), ('b', 1)], normal_concat", "('a, 0), ('b', 1)], normal_concat", "'a, 0", "the name of an operation in quotes", `"'"`},
		{"('a', 0), ('b', 1)], normal_concat", "('a', 0.5), ('b', 1)], normal_concat", ".5", "')'", `"."`},
		{"('a', 0), ('b', 1)], normal_concat", "('a', x), ('b', 1)], normal_concat", "x)", "a node", `"x"`},
		{"normal_concat=[2]", "normal_concat=[3]", "normal_concat=[2, 3]", "", ""},
		{"normal_concat=[2]", "normal_concat=rang(2, 3)", "rang(", "a list of nodes or a range", `"rang"`},
		{"normal_concat=[2]", "normal_concat=2", "2, reduce", "a list of nodes or a range", `"2"`},
		{"normal_concat=[2]", "normal_concat=list(2)", "2)", "a range", `"2"`},
		{"normal_concat=[2]", "normal=[]", "normal=[]", "each field once", `"normal"`},
		{", reduce_concat=[2]", "", ")", "all of normal=, normal_concat=, reduce=, reduce_concat=", `")"`},
		{"reduce_concat=[2])", "reduce_concat=[2]", "", "')'", "the end"},
		{"reduce_concat=[2])", "reduce_concat=[2]),", ",", "nothing after the genotype", `","`},
		{"reduce_concat=[2])", "reduce_concat=range(99999999999999999999)", "99999999999999999999", "a node below 65", `"99999999999999999999"`},
		{"reduce_concat=[2])", "reduce_concat=[2, 2])", "reduce=", "a cell that fits together", "reduce, where the output names node 2"},
		{"reduce=[('a', 0), ('b', 1)]", "reduce=[]", "reduce=", "a cell that fits together", "reduce, where no edges"},
	} {
		text := strings.Replace(good, c.old, "\n"+c.new, 1)
		if c.old == good {
			text = c.new
		}
		_, err := Parse(text)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: no error", text)
			}
			continue
		}
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", text, err)
			continue
		}
		line, column := 1+strings.Count(text[:e.Offset], "\n"), e.Offset-strings.LastIndexByte(text[:e.Offset], '\n')
		if !strings.HasPrefix(text[e.Offset:], c.at) || e.Line != line || e.Column != column {
			t.Errorf("%s: %v: at offset %d, which is %q", text, e, e.Offset, text[e.Offset:])
		}
		if !strings.HasPrefix(e.Want, c.want) || !strings.HasPrefix(e.Found, c.found) {
			t.Errorf("%s: %v", text, e)
		}
		if want := "search: genotype: line "; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v does not begin with %q", err, want)
		}
	}
}

func TestArchErrors(t *testing.T) {
	const good = "|none~0|+|none~0|none~1|"
	for text, want := range map[string]string{
		"|":                 `column 2: expected the name of an operation, found the end`,
		"|none":             `column 6: expected '~', found the end`,
		"|none~":            `column 7: expected a node below 1, found the end`,
		"|none~1|":          `column 7: expected a node below 1, found "1"`,
		"|none~0":           `column 8: expected '|', found the end`,
		"|none~0|+":         `column 9: expected '+|', the name of an operation, or the end, found "+"`,
		"|none~0|+|":        `column 11: expected the name of an operation, found the end`,
		"|none~0|-|none~0|": `column 9: expected '+|', the name of an operation, or the end, found "-"`,
		"|none ~0|":         `column 6: expected '~', found "~"`,
		"|none~0|+|none~2|": `column 16: expected a node below 2, found "2"`,
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…", text, err, want)
		}
	}
	if _, err := ParseNB201("none"); err == nil {
		t.Error("a text without bars was read")
	}
	for text, want := range map[string]string{
		good: "has the 6 edges of 4 nodes",
		"|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x~2|": `no operation "nor_conv_3x"; the nearest is "nor_conv_3x3"`,
		"|none~0|+|none~0|none~1|+|none~0|none~2|none~1|":        "edge 4 leads from node 2 to node 3, want 1 to 3",
	} {
		if _, err := ParseNB201(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…", text, err, want)
		}
	}
	if g, err := Parse(" \n" + good + "\t"); err != nil || g.String() != good {
		t.Errorf("a small cell was read as %v, %v", g, err)
	}
}

func TestGenotypeValidate(t *testing.T) {
	g, err := Published("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	g.Reduce.Edges[3].Op = "max_pool_3x"
	if err := g.Validate(Registry{}); err == nil || !strings.Contains(err.Error(), `no primitive "max_pool_3x"; the nearest is "max_pool_3x3"`) {
		t.Error(err)
	}
	for want, change := range map[string]func(*Genotype){
		"normal: no edges":                   func(g *Genotype) { g.Normal.Edges = nil },
		`the operation "a b" is not a name`:  func(g *Genotype) { g.Normal.Edges[0].Op = "a b" },
		"edge 7 leads from node 5 to node 5": func(g *Genotype) { g.Normal.Edges[7].From = 5 },
		"sorted by their end":                func(g *Genotype) { g.Reduce.Edges[0].To = 3 },
		"no node makes the output":           func(g *Genotype) { g.Reduce.Concat = nil },
		"no path leads":                      func(g *Genotype) { g.Normal.Edges, g.Normal.Concat = []Choice{{"a", 2, 3}}, []int{3} },
		"reduce: the output names node 64":   func(g *Genotype) { g.Reduce.Concat = []int{64} },
	} {
		g, err := Published("DARTS_V2")
		if err != nil {
			t.Fatal(err)
		}
		change(&g)
		if err := g.Validate(Registry{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want …%s…", err, want)
		}
	}
	for want, w := range map[string]Wiring{
		"cell: node 1 has no edge":                    {[]Choice{{"a", 0, 2}}, []int{2}},
		"cell: the output is node [1], want the last": {[]Choice{{"a", 0, 1}, {"a", 0, 2}}, []int{1}},
	} {
		if err := (Genotype{Normal: w}).Validate(With(Primitive{Name: "a"})); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want …%s…", err, want)
		}
	}
}

// TestRoundTrip checks on random architectures of every space that text and JSON bring them back.
func TestRoundTrip(t *testing.T) {
	r := rng.New(1, "round trip")
	for _, name := range SpaceNames() {
		s, _ := BuiltinSpace(name)
		for range 50 {
			g := s.Sample(Registry{}, r)
			if err := g.Validate(Registry{}); err != nil || g.Skeleton() != s.Skeleton {
				t.Fatalf("%v: %v, %v", g, err, g.Skeleton())
			}
			checkRoundTrip(t, g)
		}
	}
	for _, name := range PublishedNames() {
		g, err := Published(name)
		if err != nil || g.Validate(Registry{}) != nil {
			t.Fatalf("%s: %v, %v", name, err, g.Validate(Registry{}))
		}
		checkRoundTrip(t, g)
	}
	if _, err := Published("DARTS_V3"); err == nil || !strings.Contains(err.Error(), `"DARTS_V3"; the nearest is "DARTS_V1"`) {
		t.Error(err)
	}
}

func checkRoundTrip(t *testing.T, g Genotype) {
	t.Helper()
	back, err := Parse(g.String())
	if err != nil || !back.Equal(g) {
		t.Fatalf("%v came back as %v, %v", g, back, err)
	}
	text, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var again Genotype
	if err := json.Unmarshal(text, &again); err != nil || !again.Equal(g) {
		t.Fatalf("%s came back as %v, %v", text, again, err)
	}
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal(NB201(5).Genotype())
	want := `{"normal":{"edges":[{"op":"none","from":0,"to":1},{"op":"none","from":0,"to":2},{"op":"none","from":1,"to":2},` +
		`{"op":"none","from":0,"to":3},{"op":"skip_connect","from":1,"to":3},{"op":"none","from":2,"to":3}],"concat":[3]}}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	for text, want := range map[string]string{
		`{"normal":{"edges":[],"concat":[2]}}`:                             "no edges",
		`{"normal":{"edges":[{"op":"a","from":0,"to":1}],"concat":[1,1]}}`: "the output names node 1",
		`{"normal":{"edges":[{"op":"a","from":0,"too":1}],"concat":[1]}}`:  `unknown field "too"`,
		`{"normal":{"edges":[{"op":"a","from":1,"to":1}],"concat":[1]}}`:   "from node 1 to node 1",
		`[]`: "cannot unmarshal",
	} {
		var g Genotype
		if err := json.Unmarshal([]byte(text), &g); err == nil || !strings.HasPrefix(err.Error(), "search: genotype: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…", text, err, want)
		}
	}
}

// FuzzParse checks that whatever is read prints and reads again as the same.
func FuzzParse(f *testing.F) {
	for _, text := range published {
		f.Add(text)
	}
	f.Add(NB201(7).String())
	f.Add(`{"normal":{"edges":[{"op":"a","from":0,"to":1}],"concat":[1]}}`)
	f.Add(` {"normal":{"edges":7}}`)
	f.Add("x=Genotype(normal=[[('a',0)],[]],normal_concat=[2],reduce=[('b',2,1)],reduce_concat=list(range(2,3)))#")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := Parse(text)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(text) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if err := g.Check(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		checkRoundTrip(t, g)
	})
}

// FuzzArch does the same for the text of NAS-Bench-201.
func FuzzArch(f *testing.F) {
	for _, c := range []NB201{0, 1234, NB201Cells - 1} {
		f.Add(c.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseNB201(text)
		if err == nil && c.String() != strings.TrimSpace(text) {
			t.Fatalf("%q became %v", text, c)
		}
	})
}
