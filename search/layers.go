package search

import (
	"strconv"

	"espalier/nn"
)

// ReLUConvNorm is a ReLU, a convolution without bias that keeps the image's size at stride 1, and a batch norm, named op.0
// to op.2. Plain leaves gamma and beta out.
func ReLUConvNorm(channels, kernel, stride int, plain bool) nn.Sequential {
	return op(
		nn.ReLU{},
		nn.Conv{Channels: channels, Kernel: kernel, Stride: stride, Pad: kernel / 2},
		nn.BatchNorm{Plain: plain},
	)
}

// FactorizedReduce halves height and width, which must be even: after a ReLU, two 1×1 convolutions of stride 2, the second
// moved by one pixel in both directions, give half of the channels each; a batch norm follows. Channels must be even.
func FactorizedReduce(channels int, plain bool) nn.Sequential {
	half := channels / 2
	return nn.Sequential{{Spec: nn.DAG{Vertices: []nn.Vertex{
		{From: []int{0}, Layers: nn.Sequential{
			{Name: "relu", Spec: nn.ReLU{}},
			{Name: "conv_1", Spec: nn.Conv{Channels: half, Kernel: 1, Stride: 2}},
		}},
		{From: []int{0}, Layers: nn.Sequential{
			{Name: "shift", Spec: nn.Decimate{Stride: 2, Offset: 1}},
			{Name: "relu", Spec: nn.ReLU{}},
			{Name: "conv_2", Spec: nn.Conv{Channels: channels - half, Kernel: 1}},
		}},
		{From: []int{1, 2}, Join: nn.Concat, Layers: nn.Sequential{{Name: "bn", Spec: nn.BatchNorm{Plain: plain}}}},
	}}}}
}

// op names specs as the members of a list called op.
func op(specs ...nn.Spec) nn.Sequential { return nn.Sequential{{Name: "op", Spec: list(specs...)}} }

// list names specs by their numbers.
func list(specs ...nn.Spec) nn.Sequential {
	var s nn.Sequential
	for i, spec := range specs {
		s = append(s, nn.Named{Name: strconv.Itoa(i), Spec: spec})
	}
	return s
}

func none(p Place) nn.Sequential { return list(nn.Zero{Stride: p.Stride}) }

func noise(p Place) nn.Sequential { return list(nn.Noise{Stride: p.Stride}) }

// skip is the identity, and a factorized reduction at stride 2.
func skip(p Place) nn.Sequential {
	if p.Stride == 1 {
		return nil
	}
	return FactorizedReduce(p.Channels, p.Plain)
}

func pool(one, two nn.Spec) func(Place) nn.Sequential {
	return func(p Place) nn.Sequential {
		s := list(one)
		if p.Stride == 2 {
			s = list(two)
		}
		if p.PoolNorm {
			s = append(s, nn.Named{Name: "1", Spec: nn.BatchNorm{Plain: p.Plain}})
		}
		return s
	}
}

func dense(kernel int) func(Place) nn.Sequential {
	return func(p Place) nn.Sequential { return ReLUConvNorm(p.Channels, kernel, p.Stride, p.Plain) }
}

// separable is a depthwise and a pointwise convolution, twice; the first depthwise one has the stride.
func separable(kernel int) func(Place) nn.Sequential {
	return func(p Place) nn.Sequential {
		point, norm := nn.Conv{Channels: p.Channels, Kernel: 1}, nn.BatchNorm{Plain: p.Plain}
		return op(
			nn.ReLU{}, nn.Depthwise{Kernel: kernel, Stride: p.Stride, Pad: kernel / 2}, point, norm,
			nn.ReLU{}, nn.Depthwise{Kernel: kernel, Stride: 1, Pad: kernel / 2}, point, norm,
		)
	}
}

// dilated is a depthwise convolution with dilation 2, and a pointwise one.
func dilated(kernel int) func(Place) nn.Sequential {
	return func(p Place) nn.Sequential {
		return op(
			nn.ReLU{}, nn.Depthwise{Kernel: kernel, Stride: p.Stride, Pad: kernel - 1, Dilation: 2},
			nn.Conv{Channels: p.Channels, Kernel: 1}, nn.BatchNorm{Plain: p.Plain},
		)
	}
}
