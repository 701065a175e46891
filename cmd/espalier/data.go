package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"espalier/datasets"
)

func newData(a *app) *cobra.Command {
	return group(&cobra.Command{
		Use:   "data",
		Short: "Fetch, check and list data sets",
		Long: `Data sets are read where they are, never renamed or moved. They are looked for in $ESPALIER_DATA, ./data, the user's cache
directory (where fetch puts them) and /usr/share/datasets, each in a directory of its usual name such as
cifar-10-batches-bin. The setting data.dir names another place for one run.

The set "synthetic" is made by code and needs no files; "folder" is your own images in train/CLASS/ and test/CLASS/.`,
		GroupID: "machine",
	}, newDataList(a), newDataFetch(a), newDataCheck(a))
}

func newDataList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Say which data sets are there, where they were looked for, and their terms",
		Long: `Lists the data sets that can be read by name: whether each is there, where it was looked for, what it holds and under
which terms it may be used.`,
		Example: `  espalier data list
  espalier data list --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			for _, l := range datasets.List(places().Roots()) {
				if a.json {
					err := a.printJSON(map[string]any{
						"name": l.Name, "title": l.Title, "about": l.About, "terms": l.Terms, "citation": l.Citation,
						"found": l.Found, "looked": l.Looked, "fetchable": l.Fetchable(),
					})
					if err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(a.stdout, "%s  (%s)\n", l.Name, l.About)
				switch {
				case l.Found != "":
					fmt.Fprintf(a.stdout, "    found in %s\n", l.Found)
				case len(l.Looked) > 0:
					fmt.Fprintf(a.stdout, "    not found; looked in %s\n", strings.Join(l.Looked, ", "))
				}
				fmt.Fprintf(a.stdout, "    terms: %s\n", l.Terms)
				if l.Citation != "" {
					fmt.Fprintf(a.stdout, "    cite: %s\n", l.Citation)
				}
			}
			return nil
		},
	}
}

func newDataFetch(a *app) *cobra.Command {
	var dir, mirror string
	c := &cobra.Command{
		Use:   "fetch NAME",
		Short: "Download a data set from its official address",
		Long: `Downloads a data set, verifies its SHA-256 and unpacks it. A download that was interrupted goes on where it stopped. With
--mirror the files come from another address, which must hold them under their official names; the sums are the same.`,
		Example: `  espalier data fetch cifar10
  espalier data fetch fashion-mnist --dir /data
  espalier data fetch cifar100 --mirror http://localhost:8000/`,
		Args:      exactly(1, "one name, as 'espalier data list' shows them"),
		ValidArgs: fetchable(),
		RunE: func(c *cobra.Command, args []string) error {
			to := cmp.Or(dir, places().Data)
			if cache := places().Cache; to == "" && cache != "" {
				to = filepath.Join(cache, "espalier")
			}
			if to == "" {
				return usageError{fmt.Errorf("this system names no cache directory: --dir says where the files go")}
			}
			found, err := datasets.Fetch(c.Context(), args[0], to, datasets.FetchOptions{Mirror: mirror, Progress: a.downloads()})
			if err != nil {
				return err
			}
			a.clear()
			if a.json {
				return a.printJSON(map[string]string{"name": args[0], "dir": found})
			}
			_, err = fmt.Fprintln(a.stdout, found)
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "directory to put it in (default: $ESPALIER_DATA, else espalier in the user's cache directory)")
	c.Flags().StringVar(&mirror, "mirror", "", "address to take the files from instead of the official one")
	return c
}

// downloads shows downloads, one after the other.
func (a *app) downloads() func(file string, done, total int64) {
	var p *progress
	return func(file string, done, total int64) {
		if title := "fetching " + file; p == nil || p.title != title {
			p = a.newProgress(title, int(total), int(done))
		}
		p.set(int(done), 0, fmt.Sprintf("%d MB", done/1e6))
		if done == total {
			p.end()
			p = nil
		}
	}
}

// fetchable are the names of the sets that can be downloaded.
func fetchable() []string {
	var names []string
	for _, k := range datasets.Sets() {
		if k.Fetchable() {
			names = append(names, k.Name)
		}
	}
	return names
}

func newDataCheck(a *app) *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Read a data set and verify sizes, labels and class counts",
		Long: `Reads a data set as training would and verifies the sizes of its files, the range of its labels and the number of images
of each class. Without NAME it is the one that the settings describe.`,
		Example: `  espalier data check cifar10
  espalier data check folder --set data.dir=my-images --set data.size=64`,
		Args: atMost(1, "one name at most"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				s.set = append([]string{"data.name=" + args[0]}, s.set...)
			}
			cfg, err := s.load()
			if err != nil {
				return err
			}
			if s.dryRun {
				return a.dryRun(cfg)
			}
			set, err := a.lab().OpenData(cfg)
			if err != nil {
				return err
			}
			report := datasets.Check(set)
			if a.json {
				err = a.printJSON(map[string]any{"name": set.Name, "source": set.Source, "problems": report.Problems})
			} else {
				_, err = fmt.Fprintln(a.stdout, strings.TrimSpace(report.String()))
			}
			if err != nil {
				return err
			}
			return report.Err()
		},
	}
	s.addTo(c)
	return c
}
