// Package archtest holds the tests of the whole repository: packages in layers, links that lead somewhere.
package archtest

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "espalier"

// layers lists the module's packages from the bottom up. A package imports only packages above it; one that is not in
// the list fails the test until someone decides where it stands.
var layers = []string{
	"internal/rng",
	"internal/atomicfile",
	"internal/kernels/gen",
	"internal/kernels",
	"internal/safetensors",
	"internal/settings",
	"optim",
	"datasets",
	"nn",
	"internal/torchtest",
	"search",
	"search/nb201", // apart from search, so that a search is handed a part of the benchmark and cannot read the rest
	"models",
	"search/supernet",
	"train",
	"internal/traintest",
	"bilevel",
	"baseline",
	"prune",
	"darts",
	"rarts",
	"oneshot",
	"results",
	"results/plot",
	"experiment",
	"study",
	"internal/bench",
	"cmd/espalier",
}

// only says which packages may import a path or anything below it.
var only = map[string][]string{
	"gorgonia.org":       {"nn", "search/supernet"},
	"github.com/spf13":   {"cmd/espalier"},
	"github.com/schollz": {"cmd/espalier"},
	"gonum.org/v1/plot":  {"results/plot"},
	"go.yaml.in":         {"search", "experiment", "study"},
	"flag":               {"experiment", "internal/kernels/gen"},
	"math/rand":          {},
	"math/rand/v2":       {"internal/rng"},
	// True accuracies of cells: what searches and what they are compared with cannot name them.
	module + "/search/nb201": {"study", "cmd/espalier"},
}

// alone says of which packages of the module a package may know, where that is less than all above it.
var alone = map[string][]string{
	"search/nb201": {"search"},
	"bilevel":      {"internal/rng", "internal/kernels", "internal/safetensors", "optim", "train", "internal/traintest"}, // vectors, not networks
}

// outside are the functions that read the world beside a run's description: the clock and the environment.
var outside = map[string][]string{
	"time.Now":     {"cmd/espalier", "experiment", "internal/bench"},
	"time.Since":   {"cmd/espalier", "experiment", "internal/bench"},
	"os.Getenv":    {"cmd/espalier", "experiment", "internal/kernels"},
	"os.LookupEnv": {"cmd/espalier", "experiment", "internal/kernels"},
	"os.Environ":   {"cmd/espalier", "experiment"},
}

// TestImports parses files itself instead of running "go list": go test caches by the files that a test opens, not by
// what its subprocesses read.
func TestImports(t *testing.T) {
	seen := make(map[string]bool)
	each(t, func(pkg, file string, f *ast.File) {
		seen[pkg] = true
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if wrong := verdict(pkg, imp); wrong != "" {
				t.Errorf("%s: %s", file, wrong)
			}
		}
	})
	for pkg := range seen {
		if !slices.Contains(layers, pkg) {
			t.Errorf("%s is in the tree but not in the list of layers", pkg)
		}
	}
	for _, pkg := range layers {
		if !seen[pkg] {
			t.Errorf("%s is in the list of layers but not in the tree", pkg)
		}
	}
}

// verdict says why pkg may not import imp, or nothing.
func verdict(pkg, imp string) string {
	if dep, ours := strings.CutPrefix(imp, module+"/"); ours {
		if place := slices.Index(layers, pkg); place < 0 || !slices.Contains(layers[:place], dep) {
			return pkg + " may not import " + dep + ", which is not above it in the list of layers"
		}
		if few, ok := alone[pkg]; ok && !slices.Contains(few, dep) {
			return pkg + " may not import " + dep + "; of this module, only: " + strings.Join(few, ", ")
		}
	}
	for prefix, allowed := range only {
		if (imp == prefix || strings.HasPrefix(imp, prefix+"/")) && !slices.Contains(allowed, pkg) {
			if longer, ok := only[imp]; ok && slices.Contains(longer, pkg) {
				continue
			}
			return pkg + " may not import " + imp + "; allowed: " + strings.Join(allowed, ", ")
		}
	}
	return ""
}

// TestVerdict shows that the rule can fail.
func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		pkg, imp string
		ok       bool
	}{
		{"train", "espalier/nn", true},
		{"nn", "espalier/train", false},
		{"nn", "espalier/nn", false},
		{"bilevel", "espalier/train", true},
		{"bilevel", "espalier/nn", false},
		{"unheard/of", "espalier/nn", false},
		{"nn", "gorgonia.org/tensor", true},
		{"train", "gorgonia.org/tensor", false},
		{"internal/rng", "math/rand/v2", true},
		{"train", "math/rand/v2", false},
		{"internal/rng", "math/rand", false},
		{"train", "fmt", true},
		{"search/nb201", "espalier/search", true},
		{"search/nb201", "espalier/datasets", false},
		{"search/nb201", "espalier/nn", false},
		{"study", "espalier/search/nb201", true},
		{"oneshot", "espalier/search/nb201", false},
		{"baseline", "espalier/search/nb201", false},
	} {
		if wrong := verdict(c.pkg, c.imp); (wrong == "") != c.ok {
			t.Errorf("%s importing %s: %q", c.pkg, c.imp, wrong)
		}
	}
}

// TestOutside finds calls of the clock and the environment where a run's description should have come in.
func TestOutside(t *testing.T) {
	each(t, func(pkg, file string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok {
				name := x.Name + "." + sel.Sel.Name
				if allowed, found := outside[name]; found && !slices.Contains(allowed, pkg) {
					t.Errorf("%s: %s may not call %s; only %v may", file, pkg, name, allowed)
				}
			}
			return true
		})
	})
}

// TestExamples asks each package that others may use for an example whose output is tested.
func TestExamples(t *testing.T) {
	tests := make(map[string][]*ast.File)
	walk(t, func(pkg, file string, f *ast.File) {
		if strings.HasSuffix(file, "_test.go") {
			tests[pkg] = append(tests[pkg], f)
		}
	})
	for _, pkg := range layers {
		if strings.HasPrefix(pkg, "internal/") || strings.HasPrefix(pkg, "cmd/") {
			continue
		}
		if !slices.ContainsFunc(doc.Examples(tests[pkg]...), func(e *doc.Example) bool { return e.Output != "" }) {
			t.Errorf("%s has no example with an output", pkg)
		}
	}
}

// each calls f for every non-test Go file of the module.
func each(t *testing.T, f func(pkg, file string, parsed *ast.File)) {
	t.Helper()
	walk(t, func(pkg, file string, parsed *ast.File) {
		if !strings.HasSuffix(file, "_test.go") {
			f(pkg, file, parsed)
		}
	})
}

// walk calls f for every Go file of the module.
func walk(t *testing.T, f func(pkg, file string, parsed *ast.File)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && d.Name() != ".."
		if d.IsDir() && (hidden || d.Name() == "testdata" || d.Name() == "runs") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		f(path.Dir(rel), rel, parsed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
