package experiment

import (
	"fmt"
	"reflect"
	"strings"
)

// A Field is one setting, for help texts.
type Field struct {
	Path    string // dotted, as in train.lr
	Type    string // text, number, integer, true/false or list of numbers
	Default string // as it is written in YAML
	Unit    string // or ""
	Doc     string
	OneOf   []string // the values that a text may have, or nil
}

// Fields lists every setting in the order of the structs.
func Fields() []Field {
	d := Default()
	var fields []Field
	for _, k := range knobs(&d) {
		fields = append(fields, Field{
			Path: k.path, Type: typeName(k.value), Default: k.text(), Unit: k.tag.Get("unit"), Doc: k.doc(),
			OneOf: k.oneOf(),
		})
	}
	return fields
}

// Help is the table of every setting: path, default, meaning with unit, and what a text may be. Long meanings go on in
// the lines below.
func Help() string {
	const page = 120
	fields := Fields()
	width, long := 0, 0
	for _, f := range fields {
		width, long = max(width, len(f.Path)), max(long, len(f.Default))
	}
	var b strings.Builder
	for _, f := range fields {
		doc := f.Doc
		if f.Unit != "" {
			doc += " (" + f.Unit + ")"
		}
		if f.OneOf != nil {
			doc += "; one of " + strings.Join(f.OneOf, ", ")
		}
		head := fmt.Sprintf("  %-*s  %-*s  ", width, f.Path, long, f.Default)
		for _, line := range wrap(doc, page-len(head)) {
			b.WriteString(head + line + "\n")
			head = strings.Repeat(" ", len(head))
		}
	}
	return b.String()
}

// wrap breaks a text at spaces into lines of at most width characters, longer words apart.
func wrap(text string, width int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		if n := len(lines); n > 0 && len(lines[n-1])+1+len(word) <= width {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// knob is a leaf of a Config: a settable value, its dotted path and its tags.
type knob struct {
	path  string
	value reflect.Value
	tag   reflect.StructTag
	// option is what a method's setting is, whose value is a text; nil for all others.
	option *option
}

func (k knob) doc() string {
	if k.option != nil {
		return k.option.setting.Help
	}
	return k.tag.Get("doc")
}

func (k knob) oneOf() []string {
	if k.option != nil {
		return k.option.setting.OneOf
	}
	if s := k.tag.Get("one"); s != "" {
		return strings.Fields(s)
	}
	return nil
}

// knobs are the leaves of c, in the order of the structs; setting one changes c.
func knobs(c *Config) []knob { return appendKnobs(nil, "", reflect.ValueOf(c).Elem()) }

func appendKnobs(ks []knob, prefix string, v reflect.Value) []knob {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type == reflect.TypeFor[Options]() {
			ks = append(ks, optionKnobs(v.Field(i))...)
			continue
		}
		path := prefix + f.Tag.Get("yaml")
		if f.Type.Kind() == reflect.Struct {
			ks = appendKnobs(ks, path+".", v.Field(i))
			continue
		}
		ks = append(ks, knob{path: path, value: v.Field(i), tag: f.Tag})
	}
	return ks
}

func typeName(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Uint64:
		return "an integer"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list of numbers"
	}
	return "a text"
}
