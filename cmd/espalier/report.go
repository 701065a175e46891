package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"espalier/experiment"
	"espalier/internal/atomicfile"
	"espalier/results"
	"espalier/train"
)

// recipeFile is the name of the settings in a report: not that in a run's directory, so that a report is no run.
const recipeFile = "recipe.yaml"

// report writes what belongs beside a published number into a directory: the settings, a row for each run, the training
// curves, and a page that says how the number came about. The runs are all that were finished with these settings,
// whichever seeds were asked for, so that none is left out for its result.
func (a *app) report(cfg experiment.Config, dir, note string) ([]string, error) {
	runs, err := finished(filepath.Dir(cfg.Dir(a.runs)))
	if err != nil {
		return nil, err
	}
	cfg.Seed = experiment.Default().Seed
	if cfg.Data.Name != "folder" {
		cfg.Data.Dir = "" // where the data are on this machine
	}
	page, err := reportPage(cfg, runs, dir, note)
	if err != nil {
		return nil, err
	}
	var summary bytes.Buffer
	if err := summaryTable(runs).Write(&summary, results.CSV); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	var files []string
	for _, f := range []struct {
		name    string
		content []byte
	}{{"README.md", page}, {recipeFile, cfg.YAML()}, {"summary.csv", summary.Bytes()}} {
		path := filepath.Join(dir, f.name)
		if err := atomicfile.WriteBytes(path, f.content); err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		files = append(files, path)
	}
	figures, err := drawRuns(runs, dir, "")
	return append(files, figures...), err
}

// finished are the finished runs below a directory, in the order of their seeds.
func finished(dir string) ([]experiment.Run, error) {
	runs, err := experiment.Find(dir)
	runs = slices.DeleteFunc(runs, func(r experiment.Run) bool { return r.Status != train.Finished })
	slices.SortFunc(runs, func(a, b experiment.Run) int { return cmp.Compare(a.Config.Seed, b.Config.Seed) })
	return runs, err
}

// summaryTable has a row for each run: accuracies in percent, nothing where one was not measured.
func summaryTable(runs []experiment.Run) *results.Table {
	t := results.NewTable("seed", "epochs", "val_acc", "test_acc", "seconds")
	for _, r := range runs {
		o := r.Outcome
		t.Add(strconv.FormatUint(o.Seed, 10), strconv.Itoa(o.Epochs), o.ValAcc.Number(), o.TestAcc.Number(), fmt.Sprintf("%.0f", o.Seconds))
	}
	return t
}

// pageText is the page of a report.
var pageText = template.Must(template.New("page").Parse(`# {{.Model}} on {{.Data}}
{{with .Note}}
{{.}}
{{end}}
{{.Accuracy}}.

{{.Table}}
![training curves](training.svg)

{{.First.Params}} parameters, {{.First.MACs}} multiply-adds an image.
{{- if .Config.Data.Validation}} Of the training images, {{.Config.Data.Validation}} were held out, and the epoch that was
best on them counts.
{{- else}} No training images were held out: the last epoch counts.
{{- end}}
{{- if .Config.Data.Test}} The {{.First.TestCount}} test images were read once in each
run, at its end, and chose nothing.
{{- else}} The test images were not read.
{{- end}} Every finished run of these settings is listed.

The settings ([{{.File}}]({{.File}})); ` + "`espalier help settings`" + ` says what they mean, and how all others stand by default:

` + "```yaml\n{{.Settings}}```" + `

Made by

    espalier train --config {{.Dir}}/{{.File}} --seeds {{.Seeds}} --report {{.Dir}}

on
{{range .Machines}}
- {{.}}{{end}}
`))

// reportPage fills in the page. dir is where it will be, note what a person has to say about it.
func reportPage(cfg experiment.Config, runs []experiment.Run, dir, note string) ([]byte, error) {
	table := results.NewTable("seed", "epochs", "validation", "test", "time of training")
	var seeds, machines []string
	for _, r := range runs {
		o := r.Outcome
		seed := strconv.FormatUint(o.Seed, 10)
		table.Add(seed, strconv.Itoa(o.Epochs), o.ValAcc.String(), o.TestAcc.String(), results.Duration(o.Seconds))
		seeds = append(seeds, seed)
		env, err := experiment.ReadEnv(r.Path)
		if err != nil {
			return nil, err
		}
		if m := env.String(); !slices.Contains(machines, m) {
			machines = append(machines, m)
		}
	}
	var rows, page bytes.Buffer
	if err := table.Write(&rows, results.Markdown); err != nil {
		return nil, err
	}
	err := pageText.Execute(&page, map[string]any{
		"Model": cfg.Network(), "Data": titleOf(cfg.Data.Name), "Note": note, "Accuracy": accuracyOf(runs), "Table": rows.String(), "First": runs[0].Outcome, "Config": cfg,
		"File": recipeFile, "Settings": string(cfg.YAML()), "Dir": filepath.ToSlash(dir), "Seeds": strings.Join(seeds, ","),
		"Machines": machines,
	})
	return page.Bytes(), err
}

// accuracyOf says in a sentence what accuracy several runs reached, on the test images if those were used.
func accuracyOf(runs []experiment.Run) string {
	var test, val []float64
	for _, r := range runs {
		if r.Outcome.TestAcc.Measured() {
			test = append(test, float64(r.Outcome.TestAcc))
		}
		if r.Outcome.ValAcc.Measured() {
			val = append(val, float64(r.Outcome.ValAcc))
		}
	}
	if len(test) == 0 {
		return "Validation accuracy in percent: " + results.Summarize(val...).Text(2)
	}
	return "Test accuracy in percent: " + results.Summarize(test...).Text(2)
}
