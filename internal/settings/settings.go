// Package settings gives the options of a method names and texts: for files, for a command line and for help. Options are a
// pointer to a struct whose fields carry tags: yaml, the name; help, the meaning; one, the words that a text may be, the
// first being what an empty text means; default, what a nil pointer means.
package settings

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Setting is an option of a method, for help and files.
type Setting struct {
	Name    string
	Default string   // as it would be given
	Help    string   // with the unit and where the default comes from, if that is not plain
	OneOf   []string // the values of a word; nil: any
}

// Of lists the options of p; the values that they have count as defaults.
func Of(p any) []Setting {
	var all []Setting
	fields(p, func(f reflect.StructField, v reflect.Value) {
		s := Setting{Name: f.Tag.Get("yaml"), Default: text(f, v), Help: f.Tag.Get("help")}
		if words, ok := f.Tag.Lookup("one"); ok {
			s.OneOf = strings.Split(words, " ")
			if v.Kind() == reflect.String && v.String() == "" {
				s.Default = s.OneOf[0]
			}
		}
		all = append(all, s)
	})
	return all
}

// Text is the value of an option as it would be given, each value in one way; "" if there is none of that name.
func Text(p any, name string) (s string) {
	fields(p, func(f reflect.StructField, v reflect.Value) {
		if f.Tag.Get("yaml") == name {
			s = text(f, v)
		}
	})
	return s
}

// Set changes options by name. The error names the option, and those that there are if there is none of that name.
func Set(p any, values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		var names []string
		found := false
		var err error
		fields(p, func(f reflect.StructField, v reflect.Value) {
			names = append(names, f.Tag.Get("yaml"))
			if f.Tag.Get("yaml") == name {
				found, err = true, assign(v, values[name])
			}
		})
		if !found {
			err = fmt.Errorf("there is none of that name; there are %s", strings.Join(names, ", "))
		}
		if err != nil {
			return &Error{Name: name, err: err}
		}
	}
	return nil
}

// Error says why an option could not be set.
type Error struct {
	Name string
	err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Name, e.err) }

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.err }

// fields calls f for every option. Those of a pointer can be set.
func fields(p any, f func(reflect.StructField, reflect.Value)) {
	v := reflect.Indirect(reflect.ValueOf(p))
	for i := range v.NumField() {
		f(v.Type().Field(i), v.Field(i))
	}
}

// text is a value as it would be given; an option that is left open has its default in its tag.
func text(f reflect.StructField, v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return f.Tag.Get("default")
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Float64 {
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

// assign reads a value.
func assign(v reflect.Value, s string) error {
	switch v.Kind() {
	case reflect.Pointer:
		to := reflect.New(v.Type().Elem())
		if err := assign(to.Elem(), s); err != nil {
			return err
		}
		v.Set(to)
	case reflect.Float64:
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", s)
		}
		v.SetFloat(x)
	case reflect.Int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", s)
		}
		v.SetInt(int64(n))
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		v.SetBool(b)
	case reflect.String:
		v.SetString(s)
	default:
		return fmt.Errorf("an option of type %v cannot be set", v.Type())
	}
	return nil
}
