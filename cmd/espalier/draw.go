package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"espalier/results/plot"
	"espalier/search"
)

func newDraw(a *app) *cobra.Command {
	var out []string
	var title string
	c := &cobra.Command{
		Use:   "draw GENOTYPE",
		Short: "Draw a cell as SVG, PNG or DOT",
		Long: `Draws the cells of a genotype: nodes with the numbers that they have in its text, operations in boxes, from left to
right. GENOTYPE is

` + aboutGenotypes + `.

Each --out is a file whose extension says how it is drawn: .svg, .png (192 dots an inch) or .dot (for Graphviz). The
names of the files that were written are printed.

Published cells: ` + strings.Join(search.PublishedNames(), ", ") + `.`,
		Example: `  espalier draw DARTS_V2
  espalier draw runs/darts/0123456789ab/seed-1 --out cell.svg --out cell.png --title 'DARTS, seed 1'
  espalier draw '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|' -o cell.dot`,
		GroupID:   "search",
		Args:      exactly(1, "one genotype: a name, a text or a file"),
		ValidArgs: search.PublishedNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			g, name, err := genotypeOf(args[0])
			if err != nil {
				return err
			}
			d, err := plot.NewDrawing(cmp.Or(title, strings.ReplaceAll(name, "_", " ")), g)
			if err != nil {
				return err
			}
			if len(out) == 0 {
				out = []string{cmp.Or(name, "genotype") + ".svg", cmp.Or(name, "genotype") + ".png"}
			}
			for _, file := range out {
				if err := d.Save(file); err != nil {
					return err
				}
			}
			return a.printFiles(out)
		},
	}
	c.Flags().StringArrayVarP(&out, "out", "o", nil, "file to write; may be repeated (default: NAME.svg and NAME.png, or genotype.…)")
	c.Flags().StringVar(&title, "title", "", "title of the drawing (default: the name of the cell or of the file)")
	return c
}
