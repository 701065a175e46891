// Package experiment holds a run as a value: one struct that says everything about it, its YAML form, its hash and so its
// directory, and the stages that turn it into files.
//
// A configuration is made from the defaults, changed by a YAML file, changed by assignments such as train.lr=0.05; an
// unknown setting or a value of the wrong type is refused. The canonical YAML leaves out what equals its default, and
// the hash of what remains names the run's directory, so the same run is found again and resumed.
package experiment
