package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"espalier/experiment"
	"espalier/internal/atomicfile"
	"espalier/results"
	"espalier/search"
)

// quickSearch searches a cell, trains a network of it as cellConfig says, and reports.
func (a *app) quickSearch(ctx context.Context, cfg experiment.Config, cellConfig func(genotype string) (experiment.Config, error)) error {
	began := time.Now()
	lab := a.lab()
	a.say("\nSearching a cell of %s by %s for %d epochs.", cfg.SpaceName(), cfg.Search.Method, cfg.Search.Epochs)
	found, err := lab.Search(ctx, cfg)
	if err != nil {
		return err
	}
	a.say("It found %v", *found.Genotype)
	cell, err := cellConfig(found.Genotype.String())
	if err != nil {
		return err
	}
	a.say("\nTraining a network of three such cells for %d epochs.", cell.Train.Epochs)
	trained, err := lab.Train(ctx, cell)
	if err != nil {
		return err
	}
	dir := filepath.Join(a.runs, cfg.Name, "search")
	files, err := drawRuns([]experiment.Run{found, trained}, dir, "")
	if err != nil {
		return err
	}
	o := trained.Outcome
	t := results.NewTable("cell", "parameters", "multiply-adds", "test accuracy")
	t.Add(found.Genotype.String(), strconv.Itoa(o.Params), strconv.Itoa(o.MACs), o.TestAcc.String())
	file := filepath.Join(dir, "table.txt")
	if err := atomicfile.WriteBytes(file, []byte(t.String())); err != nil {
		return fmt.Errorf("quickstart: %w", err)
	}
	if a.json {
		if err := a.list([]experiment.Run{found, trained}); err != nil {
			return err
		}
		return a.printFiles(append(files, file))
	}
	a.say("")
	fmt.Fprintf(a.stdout, "%s\nTest accuracy on %d images, one run: it says that the cell works, not that it is the best.\n", t, o.TestCount)
	a.say("Done in %v.", time.Since(began).Round(time.Second))
	a.hints("Look at", [][2]string{
		{filepath.Join(dir, "genotype.png"), "the cell that was found"},
		{filepath.Join(dir, "alphas-cell.png"), "how the weights of the candidates went, edge by edge"},
		{filepath.Join(found.Path, search.AlphasFile), "the same in numbers"},
		{filepath.Join(dir, "training.png"), "loss and accuracy of the network that was trained; all figures are there as .svg too"},
	})
	a.hints("Go on with", [][2]string{
		{program() + " derive " + found.Path + " --all", "the cell after each epoch"},
		{program() + " query " + found.Path, "its true accuracy, if you have the table of NAS-Bench-201"},
		{program() + " search --help", "search what you like"},
	})
	return nil
}
