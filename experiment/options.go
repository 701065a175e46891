package experiment

import (
	"fmt"
	"reflect"

	"espalier/prune"
)

// Options are the settings of pruning methods: for each line of prune.Methods and each of its settings, in order, the text
// that was given, or nothing for the default. It is an array so that configurations stay values.
type Options [maxOptions]string

const maxOptions = 96

// option is a setting of a method.
type option struct {
	method  string
	setting prune.Setting
}

// options lists all settings of methods; that at i is the one of Options[i].
func options() (all []option) {
	for _, e := range prune.Methods() {
		for _, s := range e.Settings() {
			all = append(all, option{e.Name, s})
		}
	}
	if len(all) > maxOptions {
		panic(fmt.Sprintf("experiment: %d settings of methods, there is room for %d", len(all), maxOptions))
	}
	return all
}

// optionKnobs are the options as settings: bip.gamma and so on.
func optionKnobs(v reflect.Value) (ks []knob) {
	for i, o := range options() {
		ks = append(ks, knob{path: o.method + "." + o.setting.Name, value: v.Index(i), option: &o})
	}
	return ks
}

// set changes an option. What equals the default is kept as nothing, so that it changes no hash.
func (o *option) set(v reflect.Value, text string) error {
	p, err := prune.Configure(o.method, map[string]string{o.setting.Name: text})
	if err != nil {
		return err
	}
	if text = prune.Text(p, o.setting.Name); text == o.setting.Default {
		text = ""
	}
	v.SetString(text)
	return nil
}

// text is the option as it is written.
func (o *option) text(v reflect.Value) string {
	if s := v.String(); s != "" {
		return s
	}
	return o.setting.Default
}

// pruner is the method of the configuration with its settings.
func (c Config) pruner() (prune.Pruner, error) {
	set := make(map[string]string)
	for i, o := range options() {
		if o.method == c.Prune.Method && c.Options[i] != "" {
			set[o.setting.Name] = c.Options[i]
		}
	}
	return prune.Configure(c.Prune.Method, set)
}
