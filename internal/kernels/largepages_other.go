//go:build !linux

package kernels

func adviseLargePages([]Float) {}
