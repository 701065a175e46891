package main

import (
	"fmt"
	"strings"
)

// simd prints one kernel for AVX-512 (registers Z, the live elements of a tail in K1) or for AVX2 (registers Y, the tail in
// Y15).
type simd struct {
	*asm
	suffix string
	args   map[string]int // offset of each argument
}

func (v *simd) wide() bool     { return v.reg == "Z" }
func (v *simd) r(i int) string { return fmt.Sprintf("%s%d", v.reg, i) }
func (v *simd) width() int     { return map[bool]int{true: 64, false: 32}[v.wide()] }
func (v *simd) lanes() int     { return v.width() / 4 }
func (v *simd) ret()           { v.label("ret"); v.p("VZEROUPPER"); v.p("RET") }
func (v *simd) zero(regs ...int) {
	for _, i := range regs {
		v.p("VXORPS %s, %s, %s", v.r(i), v.r(i), v.r(i))
	}
}

// begin begins a function; params is its Go parameter list and result the type of its result ret, if any.
func (v *simd) begin(name, params, result string) {
	v.args = map[string]int{}
	at := 0
	place := func(name string, size int) {
		at = (at + size - 1) / size * size
		v.args[name] = at
		at += size
	}
	var names []string
	for _, field := range strings.Split(params, ", ") {
		name, kind, typed := strings.Cut(field, " ")
		if names = append(names, name); !typed {
			continue
		}
		for _, n := range names {
			switch {
			case strings.HasPrefix(kind, "[]"):
				place(n+"_base", 8)
				place(n+"_len", 8)
				place(n+"_cap", 8)
			case kind == "float32":
				place(n, 4)
			default:
				place(n, 8)
			}
		}
		names = nil
	}
	if result != "" {
		at = (at + 7) / 8 * 8
		v.args["ret"] = at
		at += map[string]int{"float64": 8, "bool": 1}[result]
	}
	name += v.suffix
	if result != "" {
		fmt.Fprintf(&v.text, "\n// func %s(%s) (ret %s)\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, params, result, name, at)
		fmt.Fprintf(&v.stub, "//go:noescape\nfunc %s(%s) (ret %s)\n\n", name, params, result)
		return
	}
	v.fn(name, params, at)
}

// arg is the operand of an argument.
func (v *simd) arg(name string) string { return fmt.Sprintf("%s+%d(FP)", name, v.args[name]) }

// get loads arguments into general registers: pairs of an argument and a register.
func (v *simd) get(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		v.p("MOVQ %s, %s", v.arg(pairs[i]), pairs[i+1])
	}
}

// broadcast fills register r with a float32 argument.
func (v *simd) broadcast(name string, r int) { v.p("VBROADCASTSS %s, %s", v.arg(name), v.r(r)) }

// op prints an operation on registers, in Go's order: the destination last.
func (v *simd) op(name string, regs ...int) {
	text := make([]string, len(regs))
	for i, r := range regs {
		text[i] = v.r(r)
	}
	v.p("%s %s", name, strings.Join(text, ", "))
}

func (v *simd) load(mem string, r int, masked bool) {
	switch {
	case !masked:
		v.p("VMOVUPS %s, %s", mem, v.r(r))
	case v.wide():
		v.p("VMOVUPS.Z %s, K1, %s", mem, v.r(r))
	default:
		v.p("VMASKMOVPS %s, Y15, %s", mem, v.r(r))
	}
}

func (v *simd) store(r int, mem string, masked bool) {
	switch {
	case !masked:
		v.p("VMOVUPS %s, %s", v.r(r), mem)
	case v.wide():
		v.p("VMOVUPS %s, K1, %s", v.r(r), mem)
	default:
		v.p("VMASKMOVPS %s, Y15, %s", v.r(r), mem)
	}
}

// with prints dst = name(mem, src), through register tmp in a tail.
func (v *simd) with(name, mem string, src, dst, tmp int, masked bool) {
	if !masked {
		v.p("%s %s, %s, %s", name, mem, v.r(src), v.r(dst))
		return
	}
	v.load(mem, tmp, true)
	v.op(name, tmp, src, dst)
}

// mask makes the mask of a tail of CX elements; it spoils AX.
func (v *simd) mask() {
	if v.wide() {
		v.p("MOVL $1, AX")
		v.p("SHLL CX, AX")
		v.p("DECL AX")
		v.p("KMOVW AX, K1")
		return
	}
	v.p("LEAQ ·tailMasks+32(SB), AX")
	v.p("NEGQ CX")
	v.p("VMOVUPS (AX)(CX*4), Y15")
	v.p("NEGQ CX")
}

// gated loads dst from mem where register y is greater than register low or unordered, and 0 elsewhere. The mask stays in
// K2 (AVX-512); register y is spoilt.
func (v *simd) gated(mem string, y, low, dst int, masked bool) {
	if v.wide() {
		if masked {
			v.p("VCMPPS $6, %s, %s, K1, K2", v.r(low), v.r(y))
		} else {
			v.p("VCMPPS $6, %s, %s, K2", v.r(low), v.r(y))
		}
		v.p("VMOVUPS.Z %s, K2, %s", mem, v.r(dst))
		return
	}
	v.p("VCMPPS $6, %s, %s, %s", v.r(low), v.r(y), v.r(y))
	v.with("VANDPS", mem, y, dst, dst, masked)
}

// addDoubles adds register r, converted, to the float64 at offset in base; it spoils registers 30 and 31 (AVX-512) or 12 to
// 14.
func (v *simd) addDoubles(r int, base string, offset int, masked bool) {
	low, high := fmt.Sprintf("%d(%s)", offset, base), fmt.Sprintf("%d(%s)", offset+v.width(), base)
	if v.wide() {
		v.p("VEXTRACTF64X4 $1, Z%d, Y31", r)
		v.p("VCVTPS2PD Y%d, Z30", r)
		v.p("VCVTPS2PD Y31, Z31")
		if masked {
			v.p("KSHIFTRW $8, K1, K3")
			v.p("VADDPD.Z %s, Z30, K1, Z30", low)
			v.p("VADDPD.Z %s, Z31, K3, Z31", high)
			v.p("VMOVUPD Z30, K1, %s", low)
			v.p("VMOVUPD Z31, K3, %s", high)
			return
		}
		v.p("VADDPD %s, Z30, Z30", low)
		v.p("VADDPD %s, Z31, Z31", high)
		v.p("VMOVUPD Z30, %s", low)
		v.p("VMOVUPD Z31, %s", high)
		return
	}
	for half, at := range []string{low, high} {
		v.p("VEXTRACTF128 $%d, Y%d, X14", half, r)
		v.p("VCVTPS2PD X14, Y14")
		if masked {
			v.p("VEXTRACTF128 $%d, Y15, X13", half)
			v.p("VPMOVSXDQ X13, Y13")
			v.p("VMASKMOVPD %s, Y13, Y12", at)
			v.p("VADDPD Y12, Y14, Y14")
			v.p("VMASKMOVPD Y14, Y13, %s", at)
			continue
		}
		v.p("VADDPD %s, Y14, Y14", at)
		v.p("VMOVUPD Y14, %s", at)
	}
}
