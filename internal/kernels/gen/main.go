package main

// files generates everything, in the order of the table.
func files() []*asm {
	return []*asm{
		gemm512(),
		depthwise512(),
		gemm2(),
		depthwise2(),
		vector("Z", "512"),
		vector("Y", "2"),
	}
}
