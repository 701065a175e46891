package prune

import "reflect"

// Text is the value of a setting of p as it would be given, each value in one way.
func Text(p Pruner, name string) (s string) {
	fields(p, func(f reflect.StructField, v reflect.Value) {
		if f.Tag.Get("yaml") == name {
			s = text(f, v)
		}
	})
	return s
}
