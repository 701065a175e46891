package experiment

// Needs are the runs that a run starts from: they are finished before it begins. A dense training needs none.
func (c Config) Needs() []Config {
	if c.Prune.Method == NoPruning {
		return nil
	}
	return []Config{c.Dense()}
}

// Epochs is how many epochs the run itself trains, over all its sparsities.
func (c Config) Epochs() int {
	if c.Prune.Method == NoPruning {
		return c.Train.Epochs
	}
	return len(c.Prune.Sparsity) * c.Prune.Epochs
}
