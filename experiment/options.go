package experiment

import (
	"fmt"
	"reflect"

	"espalier/internal/settings"
	"espalier/oneshot"
	"espalier/prune"
)

// Options are the settings of methods: for each line of prune.Methods, then of oneshot.Methods, and each of its settings, in
// order, the text that was given, or nothing for the default. It is an array so that configurations stay values.
type Options [maxOptions]string

const maxOptions = 128

// option is a setting of a method.
type option struct {
	method   string
	searches bool // the method searches; else it prunes
	setting  settings.Setting
}

// options lists all settings of methods; that at i is the one of Options[i].
func options() (all []option) {
	for _, e := range prune.Methods() {
		for _, s := range e.Settings() {
			all = append(all, option{e.Name, false, s})
		}
	}
	for _, e := range oneshot.Methods() {
		for _, s := range e.Settings() {
			all = append(all, option{e.Name, true, s})
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
	var m any
	var err error
	if own := map[string]string{o.setting.Name: text}; o.searches {
		m, err = oneshot.Configure(o.method, own)
	} else {
		m, err = prune.Configure(o.method, own)
	}
	if err != nil {
		return err
	}
	if text = settings.Text(m, o.setting.Name); text == o.setting.Default {
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
	return prune.Configure(c.Prune.Method, c.given(c.Prune.Method, false))
}

// searcher is the search method of the configuration with its settings.
func (c Config) searcher() (oneshot.Method, error) {
	return oneshot.Configure(c.Search.Method, c.given(c.Search.Method, true))
}

// given are the settings of a method that differ from their defaults.
func (c Config) given(method string, searches bool) map[string]string {
	set := make(map[string]string)
	for i, o := range options() {
		if o.method == method && o.searches == searches && c.Options[i] != "" {
			set[o.setting.Name] = c.Options[i]
		}
	}
	return set
}
