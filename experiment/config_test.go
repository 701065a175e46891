package experiment

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"espalier/datasets"
	"espalier/models"
	"espalier/oneshot"
	"espalier/prune"
)

// other is a value of the setting that differs from its default and passes Validate on its own.
func other(k knob) string {
	if one := k.oneOf(); one != nil {
		for _, v := range one {
			if v != k.value.String() && v != "folder" {
				return v
			}
		}
	}
	switch k.path {
	case "name":
		return "a run #1"
	case "data.dir":
		return "/data: #1"
	case "train.warmup", "prune.warmup":
		return "2.5"
	case "prune.sparsity":
		return "0.25, 0.75"
	}
	switch k.value.Kind() {
	case reflect.Bool:
		return fmt.Sprint(!k.value.Bool())
	case reflect.Float64:
		return "0.123456789"
	default:
		if k.path == spacePath {
			return "{name: mine, primitives: [none, skip_connect]}"
		}
		return "12"
	}
}

// TestEverySetting changes each setting in turn and asks that it have a doc text, survive its YAML form, stand alone in
// it, and change the hash exactly when it is not marked as outside the identity.
func TestEverySetting(t *testing.T) {
	base := Default()
	for i, k := range knobs(&base) {
		if k.option != nil {
			if k.doc() == "" {
				t.Errorf("%s has no doc", k.path)
			}
			continue // TestOptions
		}
		if k.path == genotypePath || k.path == "model.from" {
			continue // TestGenotype, TestTrainFound
		}
		if k.tag.Get("doc") == "" || k.tag.Get("yaml") == "" {
			t.Errorf("%s has no doc or no yaml tag", k.path)
		}
		c := Default()
		value := other(k)
		if err := c.Set(k.path + "=" + value); err != nil {
			t.Errorf("%s=%s: %v", k.path, value, err)
			continue
		}
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		text := c.YAML()
		if n := strings.Count(string(text), "\n"); n != 1+strings.Count(k.path, ".") {
			t.Errorf("%s: canonical form has %d lines:\n%s", k.path, n, text)
		}
		back := Default()
		if err := back.Read(strings.NewReader(string(text)), "canonical"); err != nil {
			t.Errorf("%s: %v", k.path, err)
		}
		if !reflect.DeepEqual(back, c) {
			t.Errorf("%s does not survive\n%s", k.path, text)
		}
		if changed := c.Hash() != base.Hash(); changed != (k.tag.Get("hash") != "-") {
			t.Errorf("%s (field %d): hash changed: %v", k.path, i, changed)
		}
	}
}

// TestNames asks that the settings know every model, data set and method by name.
func TestNames(t *testing.T) {
	var sets []string
	for _, k := range datasets.Sets() {
		sets = append(sets, k.Name)
	}
	methods := []string{}
	for _, e := range prune.Methods() {
		methods = append(methods, e.Name)
	}
	searches := []string{NoSearch}
	for _, e := range oneshot.Methods() {
		searches = append(searches, e.Name)
	}
	c := Default()
	for _, k := range knobs(&c) {
		want, ok := map[string][]string{
			"model.name": append(models.Names(), Derived), "data.name": sets, "prune.method": append(methods, NoPruning),
			"search.method": searches,
		}[k.path]
		got := k.oneOf()
		slices.Sort(got)
		slices.Sort(want)
		if ok && !slices.Equal(got, want) {
			t.Errorf("%s is one of %q, there are %q", k.path, got, want)
		}
	}
}

// TestHash pins identities. If these change, every existing run directory loses its name: raise Schema only when the
// meaning of what a configuration leaves out has changed.
func TestHash(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{"", "13db2d024762"},
		{"train.lr=0.05", "8d5c12a61fac"},
		{"model.name=resnet8 data.name=synthetic train.epochs=5", "9dff83d029b1"},
		{"prune.method=magnitude prune.sparsity=0.5,0.9", "9567aea84498"},
	} {
		cfg, err := Load("", strings.Fields(c.set))
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.Hash(); got != c.want {
			t.Errorf("%q: hash %s, want %s", c.set, got, c.want)
		}
	}
	c := Default()
	c.Seed = 3
	if got, want := c.Dir("runs"), filepath.Join("runs", "run", c.Hash(), "seed-3"); got != want {
		t.Errorf("directory %s, want %s", got, want)
	}
	folder, elsewhere := Default(), Default()
	folder.Data.Name, folder.Data.Dir = "folder", "a"
	elsewhere.Data.Name, elsewhere.Data.Dir = "folder", "b"
	if folder.Hash() == elsewhere.Hash() {
		t.Error("two image folders share a hash")
	}
}

// TestPrecedence: assignments over file over defaults, the last assignment winning.
func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.yaml")
	write(t, file, "seed: 7\ntrain:\n  lr: 0.2 # large\n  epochs: 4\nprune: {method: random, sparsity: [0.5]}\nmodel:\n")
	c, err := Load(file, []string{"train.lr=0.3", "train.lr=0.4", "prune.sparsity=[0.1, 0.2]"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Seed, want.Train.LR, want.Train.Epochs, want.Prune.Method = 7, 0.4, 4, "random"
	want.Prune.Sparsity = []float64{0.1, 0.2}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%swant\n%s", c.YAML(), want.YAML())
	}
	if !reflect.DeepEqual(Default().Prune.Sparsity, []float64{0.5, 0.8, 0.9, 0.95, 0.98}) {
		t.Error("loading changed the defaults")
	}
}

func TestRefusedFiles(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ yaml, want string }{
		"unknown":   {"train:\n  epocs: 3\n", `unknown.yaml:2: no setting "train.epocs"; the nearest is "train.epochs"`},
		"misplaced": {"lr: 3\n", `:1: no setting "lr"; the nearest is "train.lr"`},
		"section":   {"trian: {lr: 1}\n", "trian"},
		"type":      {"train:\n\n  epochs: many\n", `:3: train.epochs: "many" is not an integer`},
		"nan":       {"train: {lr: .nan}\n", "not a number"},
		"list":      {"prune: {sparsity: [a]}\n", "not a list of numbers"},
		"nested":    {"train: {lr: {a: 1}}\n", "want a value"},
		"scalar":    {"train: 3\n", "want settings"},
		"twice":     {"train: {lr: 1}\nseed: 1\ntrain: {lr: 2}\n", `"train" is set twice`},
		"documents": {"seed: 1\n---\nseed: 2\n", "more than one"},
		"broken":    {"train: [\n", "line 1"},
	} {
		file := filepath.Join(dir, name+".yaml")
		write(t, file, c.yaml)
		_, err := Load(file, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), name+".yaml") ||
			!strings.HasPrefix(err.Error(), "experiment: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with %q", name, err, c.want)
		}
	}
	if _, err := Load(filepath.Join(dir, "absent.yaml"), nil); err == nil || !strings.Contains(err.Error(), "absent.yaml") {
		t.Errorf("absent file: %v", err)
	}
}

func TestRefusedAssignments(t *testing.T) {
	for assignment, want := range map[string]string{
		"train.lr":          "want path=value",
		"train.rl=1":        `the nearest is "train.lr"`,
		"batch=1":           `the nearest is "train.batch"`,
		"model.wdith=1":     `the nearest is "model.width"`,
		"train=1":           "no setting",
		"train.epochs=1.5":  "not an integer",
		"seed=-1":           "not an integer",
		"data.flip=yes":     "not true or false",
		"train.lr=Inf":      "not a number",
		"prune.sparsity=[1": "not a list",
		"name=a\nb":         "may not span lines",
	} {
		c := Default()
		err := c.Set(assignment)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", assignment, err, want)
		}
		if !reflect.DeepEqual(c, Default()) {
			t.Errorf("%q: refused, yet something changed", assignment)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, assignments := range []string{
		"model.name=resnet21", "model.width=0", "model.shortcut=both", "data.name=imagenet", "data.name=folder",
		"data.validation=-1", "train.epochs=0", "train.batch=1", "train.lr=0", "train.momentum=1",
		"train.momentum=0", "train.warmup=30", "train.label_smoothing=1", "train.ema=1", "train.clip=-1",
		"prune.sparsity=0.5,0.5", "prune.sparsity=1", "prune.method=random prune.sparsity=", "prune.budget=all",
		"prune.warmup=5", "name=a/b", "name=",
	} {
		c, err := Load("", strings.Fields(assignments))
		if err != nil {
			t.Fatal(err)
		}
		path, _, _ := strings.Cut(assignments[strings.LastIndex(assignments, " ")+1:], "=")
		err = c.Validate()
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line", assignments, err)
			continue
		}
		section, _, _ := strings.Cut(path, ".")
		if !strings.HasPrefix(err.Error(), "experiment: "+section) {
			t.Errorf("%s: %v does not begin with the setting", assignments, err)
		}
	}
	c := Default()
	c.Train.LR = math.NaN()
	if c.Validate() == nil {
		t.Error("a learning rate of NaN passes")
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"epocs", "epochs", 1}, {"abcd", "acbd", 1},
	} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("edits(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := edits(c.b, c.a); got != c.want {
			t.Errorf("edits(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

// TestHelp asks for every setting with its default at the beginning of a line, and for lines that fit a page.
func TestHelp(t *testing.T) {
	help := Help()
	for _, f := range Fields() {
		if !strings.Contains("\n"+help, "\n  "+f.Path+" ") {
			t.Errorf("help lacks %s", f.Path)
		}
	}
	for line := range strings.Lines(help) {
		if len(line) > 121 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
	for _, want := range []string{"0.1", "(epochs)", "one of sgd, adam, adamw"} {
		if !strings.Contains(help, want) {
			t.Errorf("help lacks %q", want)
		}
	}
}

// FuzzRead: whatever is accepted has a canonical form that reads back as the same configuration.
func FuzzRead(f *testing.F) {
	f.Add("seed: 7\ntrain: {lr: 0.2}\n")
	f.Add("prune:\n  sparsity: [0.5, 0.9]\nname: \"a: b\"\n")
	f.Add("data: {dir: '# no comment'}")
	f.Fuzz(func(t *testing.T, text string) {
		c := Default()
		if c.Read(strings.NewReader(text), "fuzz") != nil {
			return
		}
		back := Default()
		if err := back.Read(strings.NewReader(string(c.YAML())), "canonical"); err != nil {
			t.Fatalf("%v\n%s", err, c.YAML())
		}
		if back.Hash() != c.Hash() || string(back.YAML()) != string(c.YAML()) {
			t.Fatalf("%q became\n%sand then\n%s", text, c.YAML(), back.YAML())
		}
	})
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func ExampleConfig_YAML() {
	c := Default()
	for _, assignment := range []string{"train.epochs=5", "model.name=resnet8", "prune.sparsity=0.5,0.9"} {
		if err := c.Set(assignment); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Printf("%s", c.YAML())
	fmt.Println(c.Set("train.epoch=5"))
	// Output:
	// model:
	//   name: resnet8
	// train:
	//   epochs: 5
	// prune:
	//   sparsity: [0.5, 0.9]
	// experiment: no setting "train.epoch"; the nearest is "train.epochs"
}
