package experiment

import (
	"strings"
	"testing"

	"espalier/search"
)

// TestGenotype sets a genotype by name and by text, in a file too: the configuration and its hash are the same, and it
// survives YAML.
func TestGenotype(t *testing.T) {
	g, err := search.Published("DARTS_V1")
	if err != nil {
		t.Fatal(err)
	}
	byName, err := Load("", []string{"model.name=derived", "model.genotype=DARTS_V1"})
	if err != nil || byName.Validate() != nil || byName.Model.Genotype != g.String() {
		t.Fatalf("%+v, %v, %v", byName.Model, err, byName.Validate())
	}
	spread := strings.ReplaceAll(g.String(), ", ", " ,\n\t")
	byText, err := Load("", []string{"model.name=derived", "model.genotype=" + spread})
	if err != nil || byText.Hash() != byName.Hash() {
		t.Errorf("%v: %s and %s", err, byText.Hash(), byName.Hash())
	}
	for _, text := range []string{g.String(), search.NB201(77).String()} {
		c := byName
		c.Model.Genotype = text
		back := Default()
		if err := back.Read(strings.NewReader(string(c.YAML())), "config.yaml"); err != nil || back.Hash() != c.Hash() || back.Model != c.Model {
			t.Errorf("%s came back as %+v, %v", c.YAML(), back.Model, err)
		}
	}
	for text, want := range map[string]string{
		"DARTS_V9":           "no published cell",
		"Genotype(normal=7)": "line 1, column 17: expected",
		"|nor_conv_3x4~0|":   `the nearest is "nor_conv_3x3"`,
	} {
		c := Default()
		if err := c.Set("model.genotype=" + text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…", text, err, want)
		}
	}
	c := Default()
	if err := c.Preset("darts"); err != nil || c.Train.DropPath != 0.2 || c.Model.Auxiliary != 0.4 || c.Train.Epochs != 600 || c.Train.Batch != 96 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestNetwork: networks of different cells have different names, known ones those that people know.
func TestNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"DARTS_V2":                    "DARTS_V2",
		search.NB201At(1835).String(): "nas-bench-201-1835",
	} {
		c, err := Load("", []string{"model.name=derived", "model.genotype=" + text})
		if err != nil || c.Network() != want {
			t.Errorf("%s is called %q, %v, want %q", text, c.Network(), err, want)
		}
	}
	if c := Default(); c.Network() != c.Model.Name {
		t.Errorf("a model is called %q", c.Network())
	}
	v2, err := search.Published("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, op := range []string{"sep_conv_5x5", "dil_conv_5x5"} {
		v2.Normal.Edges[0].Op = op
		c, err := Load("", []string{"model.name=derived", "model.genotype=" + v2.String()})
		if err != nil || !strings.HasPrefix(c.Network(), "derived-") || len(c.Network()) != len("derived-")+6 {
			t.Errorf("a cell of nobody is called %q, %v", c.Network(), err)
		}
		names[c.Network()] = true
	}
	if len(names) != 2 {
		t.Errorf("two cells are called %v", names)
	}
}
