package experiment

// Config describes one run. Its YAML form is canonical: keys are those of the tags, in this order, and whatever equals
// its default is left out. The doc tags are the one source of the help text; a field tagged hash:"-" does not change what
// a run computes and stays out of its identity.
type Config struct {
	Name   string `yaml:"name" hash:"-" doc:"directory of the run under the run directory; a label for people"`
	Seed   uint64 `yaml:"seed" hash:"-" doc:"number from which every random stream is derived"`
	Model  Model  `yaml:"model"`
	Data   Data   `yaml:"data"`
	Train  Train  `yaml:"train"`
	Prune  Prune  `yaml:"prune"`
	Search Search `yaml:"search"`
	// Options are the settings of methods, as in bip.gamma and darts.xi.
	Options Options
}

// Model is the network. Its input size, channels and classes are those of the data.
type Model struct {
	Name     string  `yaml:"name" one:"resnet8 resnet20 resnet32 resnet56 resnet110 resnet18 derived" doc:"architecture; derived is the network of model.genotype"`
	Width    float64 `yaml:"width" doc:"factor on the number of channels of every stage"`
	Shortcut string  `yaml:"shortcut" one:"conv pad" doc:"where a block changes shape: conv, a 1x1 convolution with batch norm; pad, every second pixel and zero channels (no parameters)"`
	// Genotype is canonical: the text of a genotype, whatever way it was given in.
	Genotype  string  `yaml:"genotype" doc:"derived: the cells, by a published name or as text; it is kept as text"`
	From      string  `yaml:"from" one:"genotype search random" doc:"derived: where the cells come from: model.genotype, what the search of the settings below search finds, which is made first, or a draw from search.space"`
	Draw      int     `yaml:"draw" doc:"random: the how-manieth cell that fits model.params, from 1"`
	Params    int     `yaml:"params" doc:"random: parameters that the network has, to within 10 %"`
	Like      string  `yaml:"like" doc:"random: cells of a study whose mean stands for model.params; a study writes it"`
	Channels  int     `yaml:"channels" doc:"derived: channels of the first cells; 0: 36, of NAS-Bench-201 16"`
	Cells     int     `yaml:"cells" doc:"derived: number of cells, of NAS-Bench-201 in each of three stages; 0: 20, of NAS-Bench-201 5"`
	Auxiliary float64 `yaml:"auxiliary" doc:"derived: weight of the loss of a second classifier after two thirds of the cells, in training; 0: none"`
}

// Data is where images come from and what is done to them.
type Data struct {
	Name       string `yaml:"name" one:"cifar10 cifar100 fashion-mnist folder synthetic" doc:"data set"`
	Dir        string `yaml:"dir" hash:"-" doc:"directory that holds the data set; empty: $ESPALIER_DATA, ./data, the user's cache directory and /usr/share/datasets are looked into"`
	Size       int    `yaml:"size" unit:"pixels" doc:"folder: height and width to which images are resized"`
	PadTo      int    `yaml:"pad_to" unit:"pixels" doc:"put a border of the mean colour round all images, up to sides that are multiples of this; networks of cells need 4; 0: none"`
	Train      int    `yaml:"train" unit:"images" doc:"use this many training images, drawn at random; 0: all"`
	Validation int    `yaml:"validation" unit:"images" doc:"training images held out, by which the best epoch is chosen; 0: none, the last epoch counts"`
	Crop       int    `yaml:"crop" unit:"pixels" doc:"border of zeros from which a training image is cut at random; 0: none"`
	Flip       bool   `yaml:"flip" doc:"mirror training images left to right with probability 1/2"`
	Cutout     int    `yaml:"cutout" unit:"pixels" doc:"side of a square set to the mean at a random place of a training image; 0: none"`
	Test       bool   `yaml:"test" hash:"-" doc:"evaluate what was trained on the test images, once; false while settings are being chosen"`
}

// Train is the recipe of the dense training.
type Train struct {
	Epochs         int     `yaml:"epochs" unit:"epochs" doc:"passes over the training images"`
	Stop           int     `yaml:"stop" unit:"epochs" doc:"end after so many of them, with the learning rates of all: weights of early in a training; 0: do not"`
	Batch          int     `yaml:"batch" unit:"images" doc:"images a step"`
	Optimizer      string  `yaml:"optimizer" one:"sgd adam adamw" doc:"update rule"`
	LR             float64 `yaml:"lr" doc:"largest learning rate"`
	Momentum       float64 `yaml:"momentum" doc:"sgd: share of the last update that is kept"`
	Nesterov       bool    `yaml:"nesterov" doc:"sgd: look ahead along the momentum"`
	WeightDecay    float64 `yaml:"weight_decay" doc:"added to the gradient times the weight (adamw: taken off the weight times the learning rate)"`
	DecayAll       bool    `yaml:"decay_all" doc:"decay batch norm's parameters and biases too"`
	Schedule       string  `yaml:"schedule" one:"constant cosine step onecycle" doc:"course of the learning rate; step divides it by ten at 1/2 and 3/4 of the epochs"`
	Warmup         float64 `yaml:"warmup" unit:"epochs" doc:"linear rise of the learning rate at the start (onecycle: its rising part)"`
	LabelSmoothing float64 `yaml:"label_smoothing" doc:"share of a label spread evenly over all classes"`
	Clip           float64 `yaml:"clip" doc:"largest norm of the gradient; 0: any"`
	DropPath       float64 `yaml:"drop_path" doc:"derived: probability with which an operation is dropped for an image; rises from 0 in the first epoch, epoch by epoch, towards this"`
	EMA            float64 `yaml:"ema" doc:"decay of a running average of the weights, which is what is evaluated; 0: none"`
}

// Prune is what is removed from the network, and the training that follows. Each sparsity starts anew.
type Prune struct {
	Method   string    `yaml:"method" one:"none bip magnitude omp imp gmp hydra snip grasp synflow random" doc:"how weights are chosen; each method's own settings follow below"`
	Sparsity []float64 `yaml:"sparsity" doc:"shares of the convolution and linear weights that are removed, one pruned network each"`
	Budget   string    `yaml:"budget" one:"global uniform erk" doc:"where they are removed: by one threshold, the same share of every layer, or more of wide layers (Erdos-Renyi-kernel)"`
	Weights  string    `yaml:"weights" one:"method trained initial" doc:"which weights are pruned: those that the method asks for, those of the dense training, or those at initialisation, which are then trained for the dense training's epochs and prune.epochs more"`
	First    bool      `yaml:"first" doc:"prune the first layer too"`
	Last     bool      `yaml:"last" doc:"prune the last layer too; sparsity counts all layers either way"`
	Masking  int       `yaml:"masking" unit:"epochs" doc:"training of the mask, of methods that learn one: bip, gmp, hydra"`
	Upper    float64   `yaml:"upper" doc:"share of the training images on which bip trains the mask, the rest being for its weights; 0: all for both; all other training uses all"`
	Epochs   int       `yaml:"epochs" unit:"epochs" doc:"fine-tuning after pruning; 0: none"`
	LR       float64   `yaml:"lr" doc:"largest learning rate of the fine-tuning"`
	Schedule string    `yaml:"schedule" one:"constant cosine step onecycle" doc:"its course"`
	Warmup   float64   `yaml:"warmup" unit:"epochs" doc:"its linear rise"`
}

// Search is the search of an architecture. The training images of data.train, varied as data says, are divided between
// weights and architecture.
type Search struct {
	Method      string  `yaml:"method" one:"none darts rarts gdas pc-darts random-ws" doc:"how an architecture is searched; each method's own settings follow below"`
	Space       string  `yaml:"space" doc:"what is searched: darts, nas-bench-201, robustdarts-s1 to robustdarts-s4, or a space of your own as a mapping (espalier search --space FILE.yaml)"`
	Images      int     `yaml:"images" unit:"images" doc:"use this many training images, drawn at random, in place of data.train; 0: those of data.train"`
	Channels    int     `yaml:"channels" doc:"of the first cells"`
	Cells       int     `yaml:"cells" doc:"in nas-bench-201 of each of the three stages, else in all; 0: 5 and 8"`
	Val         float64 `yaml:"val" doc:"share of the images that the architecture is trained on, the rest being for the weights"`
	Epochs      int     `yaml:"epochs" unit:"epochs" doc:"passes over the images of the weights"`
	Warmup      int     `yaml:"warmup" unit:"epochs" doc:"at first, in which weights move alone"`
	Batch       int     `yaml:"batch" unit:"images" doc:"images of a pass"`
	LR          float64 `yaml:"lr" doc:"first learning rate of the weights, which falls along half a cosine"`
	FinalLR     float64 `yaml:"final_lr" doc:"last learning rate of the weights"`
	Momentum    float64 `yaml:"momentum" doc:"of the weights"`
	WeightDecay float64 `yaml:"weight_decay" doc:"of the weights, added to the gradient"`
	Clip        float64 `yaml:"clip" doc:"largest norm of the gradient of the weights; 0: any"`
	AlphaLR     float64 `yaml:"alpha_lr" doc:"learning rate of the architecture (Adam)"`
	AlphaBeta1  float64 `yaml:"alpha_beta1" doc:"of the architecture's Adam"`
	AlphaBeta2  float64 `yaml:"alpha_beta2" doc:"of the architecture's Adam"`
	AlphaDecay  float64 `yaml:"alpha_decay" doc:"weight decay of the architecture, added to the gradient"`
	Auxiliary   string  `yaml:"auxiliary" one:"none linear cosine" doc:"a skip connection beside the candidates of every edge, which fades along a line or half a cosine and is no part of the architecture"`
	AuxWeight   float64 `yaml:"auxiliary_weight" doc:"of that skip connection in the first epoch; in the last it is 0"`
	Memory      string  `yaml:"memory" hash:"-" one:"auto keep recompute" doc:"keep what batch norms read, or recompute it backward: a quarter of the memory, the same bits; auto: recompute for methods that compute one operation an edge"`
	Curvature   bool    `yaml:"curvature" doc:"measure every second epoch the largest eigenvalue of the validation loss in the architecture (24 passes of 256 images)"`
	Stop        bool    `yaml:"stop" doc:"end as RobustDARTS does when that eigenvalue grows, and take the architecture of four epochs before"`
	Running     bool    `yaml:"running" doc:"evaluate the mixture by running statistics as the released code of DARTS does, not by those of each batch"`
}

// Default is the configuration that an empty file means: ResNet-20 on CIFAR-10, pruned by global magnitude when asked.
func Default() Config {
	return Config{
		Name:  "run",
		Seed:  1,
		Model: Model{Name: "resnet20", Width: 1, Shortcut: "conv", From: FromGenotype},
		Data:  Data{Name: "cifar10", Size: 32, Crop: 4, Flip: true, Test: true},
		Train: Train{
			Epochs: 30, Batch: 128, Optimizer: "sgd", LR: 0.1, Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4,
			DecayAll: true, Schedule: "cosine", Warmup: 1,
		},
		Prune: Prune{
			Method: NoPruning, Sparsity: []float64{0.5, 0.8, 0.9, 0.95, 0.98}, Budget: "global", Weights: "method",
			First: true, Last: true, Masking: 5, Upper: 0.2, Epochs: 5, LR: 0.01, Schedule: "cosine",
		},
		Search: Search{
			Method: NoSearch, Space: "darts", Channels: 16, Val: 0.5, Epochs: 50, Batch: 64, LR: 0.025, FinalLR: 0.001, Momentum: 0.9,
			WeightDecay: 3e-4, Clip: 5, AlphaLR: 3e-4, AlphaBeta1: 0.5, AlphaBeta2: 0.999, AlphaDecay: 1e-3,
			Auxiliary: "none", AuxWeight: 1, Memory: "auto",
		},
	}
}
