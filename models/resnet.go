package models

import (
	"fmt"

	"espalier/nn"
)

// resnet is the plan of a residual network of basic blocks: a 3×3 stem without pooling, stages of blocks, the first block
// of every stage but the first with stride 2, global average pooling and a linear classifier.
type resnet struct {
	channels []int // of each stage; the stem has those of the first
	blocks   []int // in each stage
}

// cifar is the network of depth 6n+2 for 32×32 images (He et al., 2015, section 4.2).
func cifar(depth int) resnet {
	n := (depth - 2) / 6
	return resnet{channels: []int{16, 32, 64}, blocks: []int{n, n, n}}
}

// resnet18 is torchvision's ResNet-18 with the usual stem for 32×32 images: 3×3 with stride 1, no max pooling.
func resnet18() resnet {
	return resnet{channels: []int{64, 128, 256, 512}, blocks: []int{2, 2, 2, 2}}
}

func (r resnet) spec(o Options) (nn.Sequential, error) {
	o, err := o.fill()
	if err != nil {
		return nil, err
	}
	c := o.channels(r.channels[0])
	net := nn.Sequential{
		{Name: "conv1", Spec: conv3(c, 1)},
		{Name: "bn1", Spec: nn.BatchNorm{}},
		{Name: "relu", Spec: nn.ReLU{}},
	}
	for i, n := range r.blocks {
		var stage nn.Sequential
		out, stride := o.channels(r.channels[i]), min(i+1, 2)
		for b := range n {
			stage = append(stage, nn.Named{Name: fmt.Sprint(b), Spec: o.block(c, out, stride)})
			c, stride = out, 1
		}
		net = append(net, nn.Named{Name: fmt.Sprintf("layer%d", i+1), Spec: stage})
	}
	return append(net,
		nn.Named{Name: "avgpool", Spec: nn.GlobalAvgPool{}},
		nn.Named{Name: "fc", Spec: nn.Linear{Channels: o.Classes}},
	), nil
}

// block is the basic block from in to out channels.
func (o Options) block(in, out, stride int) nn.Residual {
	b := nn.Residual{Body: nn.Sequential{
		{Name: "conv1", Spec: conv3(out, stride)}, {Name: "bn1", Spec: nn.BatchNorm{}}, {Name: "relu", Spec: nn.ReLU{}},
		{Name: "conv2", Spec: conv3(out, 1)}, {Name: "bn2", Spec: nn.BatchNorm{}},
	}}
	switch {
	case stride == 1 && in == out:
	case o.Shortcut == PadShortcut:
		b.Shortcut = nn.Sequential{{Name: "downsample", Spec: nn.Subsample{Channels: out, Stride: stride}}}
	default:
		b.Shortcut = nn.Sequential{
			{Name: "downsample.0", Spec: nn.Conv{Channels: out, Kernel: 1, Stride: stride}},
			{Name: "downsample.1", Spec: nn.BatchNorm{}},
		}
	}
	return b
}

func conv3(channels, stride int) nn.Conv {
	return nn.Conv{Channels: channels, Kernel: 3, Stride: stride, Pad: 1}
}
