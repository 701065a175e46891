package main

// vector writes the vectorKernels of one instruction set.
func vector(reg, suffix string) *asm {
	v := &simd{asm: newAsm("zvector" + suffix), suffix: suffix}
	v.reg = reg
	v.golang("var vector%s = vectorKernels{\n", suffix)
	for _, name := range []string{"affine", "addAffine", "addAffines", "accumulate", "moments", "gradientSums", "gradient", "addReLU", "relu",
		"reluGradient", "add", "mul", "axpy", "scale", "lerp", "dot", "finite", "descend", "sgd", "nesterov", "adam", "maxPool",
		"averagePool", "maxGradient", "averageGradient"} {
		v.golang("%s: %s%s,\n", name, name, suffix)
	}
	v.golang("sum: sumPixels%s,\nfiniteAlone: true,\n}\n\n", suffix)
	v.pixelKernels()
	v.reductions()
	v.flatKernels()
	v.poolKernels()
	return v.asm
}
