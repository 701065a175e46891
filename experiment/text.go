package experiment

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// text is the value as YAML writes it, each value in one way.
func (k knob) text() string {
	if k.option != nil {
		return k.option.text(k.value)
	}
	switch v := k.value; v.Kind() {
	case reflect.String:
		b, err := yaml.Marshal(v.String())
		if err != nil {
			panic(err) // a string always has a YAML form
		}
		return strings.TrimSuffix(string(b), "\n")
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = number(v.Index(i).Float())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Float64:
		return number(v.Float())
	default:
		return fmt.Sprint(v.Interface())
	}
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// canonical are the texts that are kept in one form, however they were given.
var canonical = map[string]func(given string) (string, error){genotypePath: canonicalGenotype, spacePath: canonicalSpace}

// errMany is returned for a text value that spans lines.
var errMany = errors.New("a text may not span lines")

// set parses a scalar, or for a list a comma-separated text with or without brackets, into the value. A wrong type is
// refused, never converted: an integer takes no 1.5, and true is no number.
func (k knob) set(s string) error {
	if k.option != nil {
		return k.option.set(k.value, s)
	}
	switch v := k.value; v.Kind() {
	case reflect.String:
		if canonical, ok := canonical[k.path]; ok {
			text, err := canonical(s)
			if err != nil {
				return err
			}
			v.SetString(text)
			return nil
		}
		if strings.ContainsAny(s, "\r\n") {
			return errMany
		}
		v.SetString(s)
		return nil
	case reflect.Bool:
		if s != "true" && s != "false" {
			return k.wrong(s)
		}
		v.SetBool(s == "true")
	case reflect.Int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return k.wrong(s)
		}
		v.SetInt(int64(n))
	case reflect.Uint64:
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return k.wrong(s)
		}
		v.SetUint(n)
	case reflect.Float64:
		x, err := finite(s)
		if err != nil {
			return k.wrong(s)
		}
		v.SetFloat(x)
	case reflect.Slice:
		list := []float64{}
		s = strings.TrimSpace(s)
		if inner, ok := strings.CutPrefix(s, "["); ok {
			if s, ok = strings.CutSuffix(inner, "]"); !ok {
				return k.wrong(s)
			}
		}
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part == "" && strings.TrimSpace(s) == "" {
				break
			}
			x, err := finite(part)
			if err != nil {
				return k.wrong(s)
			}
			list = append(list, x)
		}
		v.Set(reflect.ValueOf(list))
	default:
		panic("experiment: " + k.path + " has type " + v.Type().String() + ", which settings cannot have")
	}
	return nil
}

func finite(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err == nil && (math.IsNaN(x) || math.IsInf(x, 0)) {
		err = errors.New("not finite")
	}
	return x, err
}

func (k knob) wrong(s string) error {
	return fmt.Errorf("%q is not %s", s, typeName(k.value))
}
