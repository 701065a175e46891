# What CI runs, and the two things that one repeats by hand.
.PHONY: check bench generate

# Every check that a change must pass (about a quarter of an hour on two cores).
check:
	bash .ci/run

# The engine's speed beside this machine's peak, and a whole training step.
bench:
	go build -o espalier ./cmd/espalier
	./espalier bench kernels
	./espalier bench train --model resnet20 --batch 128

# Writes the generated files anew.
generate:
	go generate ./...
	gofmt -l -w $$(git ls-files '*/z*.go')
