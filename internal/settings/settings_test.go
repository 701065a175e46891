package settings

import (
	"reflect"
	"strings"
	"testing"
)

type options struct {
	Rate  *float64 `yaml:"rate" help:"a number" default:"lr"`
	Steps int      `yaml:"steps" help:"a count"`
	Share float64  `yaml:"share"`
	Plain bool     `yaml:"plain"`
	Kind  string   `yaml:"kind" one:"cosine step"`
	List  []int    `yaml:"list"`
}

func TestSettings(t *testing.T) {
	all := Of(&options{Steps: 3, Share: 0.5})
	want := []Setting{
		{Name: "rate", Default: "lr", Help: "a number"}, {Name: "steps", Default: "3", Help: "a count"}, {Name: "share", Default: "0.5"},
		{Name: "plain", Default: "false"}, {Name: "kind", Default: "cosine", OneOf: []string{"cosine", "step"}}, {Name: "list", Default: "[]"},
	}
	if !reflect.DeepEqual(all, want) {
		t.Errorf("got %+v", all)
	}
	var o options
	values := map[string]string{"rate": "1e-3", "steps": "7", "share": "0.25", "plain": "true", "kind": "step"}
	if err := Set(&o, values); err != nil {
		t.Fatal(err)
	}
	if *o.Rate != 1e-3 || o.Steps != 7 || o.Share != 0.25 || !o.Plain || o.Kind != "step" {
		t.Errorf("got %+v", o)
	}
	values["rate"] = "0.001"
	for name, v := range values {
		if got := Text(&o, name); got != v {
			t.Errorf("%s is written %q, want %q", name, got, v)
		}
	}
	for name, c := range map[string][2]string{
		"none":  {"1", "none: there is none of that name; there are rate, steps"},
		"rate":  {"fast", `rate: "fast" is not a number`},
		"steps": {"1.5", `steps: "1.5" is not a whole number`},
		"plain": {"yes", `plain: "yes" is neither`},
		"list":  {"1", "list: an option of type []int"},
	} {
		if err := Set(&o, map[string]string{name: c[0]}); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v, want %q", name, err, c[1])
		}
	}
}
