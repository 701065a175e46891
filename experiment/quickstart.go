package experiment

// Quickstart is the configuration of the first run of someone who tries the program: a ResNet-8 that is trained and pruned
// by the given method in about a minute on two cores. Data is "synthetic" or "cifar10"; without vector kernels (slow) the
// network is half as wide, and there are fewer images in smaller batches. A method that trains its masks does so in the first
// of the epochs that others fine-tune.
func Quickstart(data, method string, slow bool) Config {
	c := Default()
	c.Name = "quickstart"
	c.Model.Name = "resnet8"
	c.Data.Name = data
	c.Data.Validation = 500
	c.Train.Epochs, c.Train.Schedule, c.Train.LR, c.Train.Warmup = 8, "onecycle", 0.2, 2
	c.Train.Batch = 64
	c.Prune.Method = method
	c.Prune.Sparsity = []float64{0.5, 0.8, 0.9, 0.95, 0.98}
	c.Prune.Epochs, c.Prune.LR = 2, 0.05
	if data == "cifar10" {
		c.Data.Train, c.Train.Epochs = 8000, 6
	}
	if slow {
		c.Model.Width = 0.5
		c.Data.Train, c.Data.Validation = 1500, 250
		c.Train.Batch, c.Train.LR, c.Train.Epochs = 32, 0.1, 8
		c.Prune.Epochs, c.Prune.LR = 1, 0.03
	}
	if method == "bip" {
		c.Prune.Masking = 1
		c.Prune.Epochs--
		// The paper's rates and its ridge of 1 are for a hundred epochs: these move the weights as the fine-tuning does.
		for _, s := range []string{"bip.ridge=0.0005", "bip.lr=0.05", "bip.momentum=0.9"} {
			if err := c.Set(s); err != nil {
				panic(err)
			}
		}
	}
	return c
}

// QuickSearch is the configuration of a first search: a cell of NAS-Bench-201's space by RARTS, in about a minute on two cores.
// α moves faster than published searches let it, since there are few steps.
func QuickSearch(data string, slow bool) Config {
	c := Default()
	c.Name = "quickstart"
	c.Data.Name = data
	c.Data.Train = 4000
	s := &c.Search
	s.Method, s.Space, s.Cells, s.Channels = "rarts", "nas-bench-201", 1, 8
	s.Epochs, s.Batch, s.LR, s.AlphaLR = 10, 64, 0.05, 0.02
	if slow {
		c.Data.Train, s.Channels, s.Batch, s.Epochs = 1000, 4, 32, 8
	}
	return c
}

// QuickCell is the training of what QuickSearch found, given as text: a network of three such cells, as Quickstart trains.
func QuickCell(data, genotype string, slow bool) Config {
	c := Quickstart(data, NoPruning, slow).Dense()
	c.Model = Default().Model
	c.Model.Name, c.Model.Genotype, c.Model.Cells, c.Model.Channels = Derived, genotype, 1, 16
	c.Train.LR = 0.1
	if slow {
		c.Model.Channels = 8
	}
	return c
}
