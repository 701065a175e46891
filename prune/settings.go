package prune

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

// Settings are the options of the method.
func (e Entry) Settings() []Setting {
	var all []Setting
	fields(e.New(), func(f reflect.StructField, v reflect.Value) {
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

// fields calls f for every option of a method.
func fields(p Pruner, f func(reflect.StructField, reflect.Value)) {
	v := reflect.ValueOf(p).Elem()
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

// set changes the options of p, which e.New made.
func (e Entry) set(p Pruner, settings map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		err := fmt.Errorf("there is none of that name; there are %s", strings.Join(e.names(), ", "))
		fields(p, func(f reflect.StructField, v reflect.Value) {
			if f.Tag.Get("yaml") == name {
				err = assign(v, settings[name])
			}
		})
		if err != nil {
			return fmt.Errorf("prune: setting %s.%s: %w", e.Name, name, err)
		}
	}
	return nil
}

func (e Entry) names() []string {
	var names []string
	for _, s := range e.Settings() {
		names = append(names, s.Name)
	}
	return names
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
