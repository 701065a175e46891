package experiment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAML is the canonical form: the settings that differ from Default in the order of the structs, or "{}" if none does.
func (c Config) YAML() []byte {
	var b strings.Builder
	d := Default()
	defaults := knobs(&d)
	section := ""
	for i, k := range knobs(&c) {
		if same(k.value, defaults[i].value) {
			continue
		}
		head, leaf, nested := strings.Cut(k.path, ".")
		if !nested {
			fmt.Fprintf(&b, "%s: %s\n", k.path, k.text())
			continue
		}
		if head != section {
			fmt.Fprintf(&b, "%s:\n", head)
			section = head
		}
		fmt.Fprintf(&b, "  %s: %s\n", leaf, k.text())
	}
	if b.Len() == 0 {
		return []byte("{}\n")
	}
	return []byte(b.String())
}

// MarshalJSON writes every setting, those at their default too, in objects as YAML has sections.
func (c Config) MarshalJSON() ([]byte, error) {
	all := map[string]any{}
	for _, k := range knobs(&c) {
		section := all
		head, leaf, nested := strings.Cut(k.path, ".")
		if nested {
			if all[head] == nil {
				all[head] = map[string]any{}
			}
			section, head = all[head].(map[string]any), leaf
		}
		section[head] = k.value.Interface()
		if k.option != nil {
			section[head] = k.text()
		}
	}
	return json.Marshal(all)
}

func same(a, b reflect.Value) bool { return reflect.DeepEqual(a.Interface(), b.Interface()) }

// Read changes c by a YAML file's settings; what the file does not name stays. name stands in errors, before the line.
func (c *Config) Read(r io.Reader, name string) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("experiment: %s: %w", name, err)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil // an empty file changes nothing
	} else if err != nil {
		return fmt.Errorf("experiment: %s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("experiment: %s: more than one YAML document", name)
	}
	set := make(map[string]bool)
	return c.read(doc.Content[0], "", name, set)
}

func (c *Config) read(n *yaml.Node, prefix, file string, seen map[string]bool) error {
	at := func(n *yaml.Node, format string, args ...any) error {
		return fmt.Errorf("experiment: %s:%d: %s", file, n.Line, fmt.Sprintf(format, args...))
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil // a section without settings
	}
	if n.Kind != yaml.MappingNode {
		return at(n, "want settings as key: value")
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := prefix + key.Value
		if seen[path] {
			return at(key, "%q is set twice", path)
		}
		seen[path] = true
		if prefix == "" && isSection(path) {
			if err := c.read(value, path+".", file, seen); err != nil {
				return err
			}
			continue
		}
		text, err := scalar(value)
		if path == spacePath && value.Kind == yaml.MappingNode {
			text, err = mapping(value)
		}
		if err != nil {
			return at(value, "%s: %v", path, err)
		}
		if err := c.Set(path + "=" + text); err != nil {
			return at(key, "%s", strings.TrimPrefix(err.Error(), "experiment: "))
		}
	}
	return nil
}

func isSection(name string) bool {
	c := Default()
	return slices.ContainsFunc(knobs(&c), func(k knob) bool { return strings.HasPrefix(k.path, name+".") })
}

// mapping is a node as text.
func mapping(n *yaml.Node) (string, error) {
	b, err := yaml.Marshal(n)
	return string(b), err
}

// scalar is a node as Set reads it.
func scalar(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.SequenceNode:
		parts := make([]string, len(n.Content))
		for i, e := range n.Content {
			if e.Kind != yaml.ScalarNode {
				return "", errors.New("want a list of numbers")
			}
			parts[i] = e.Value
		}
		return "[" + strings.Join(parts, ",") + "]", nil
	}
	return "", errors.New("want a value")
}

// ReadNode changes c by a mapping within another YAML document, whose name stands in errors before the line. The zero node
// changes nothing.
func (c *Config) ReadNode(n *yaml.Node, name string) error {
	if n.IsZero() {
		return nil
	}
	return c.read(n, "", name, make(map[string]bool))
}

// Load is Default changed by the file at path, if path is not empty, and then by the assignments in order.
func Load(path string, assignments []string) (Config, error) {
	c := Default()
	err := c.Load(path, assignments)
	return c, err
}

// Load changes c by the file at path, if path is not empty, and then by the assignments in order.
func (c *Config) Load(path string, assignments []string) error {
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("experiment: configuration: %w", err)
		}
		defer f.Close()
		if err := c.Read(f, path); err != nil {
			return err
		}
	}
	for _, a := range assignments {
		if err := c.Set(a); err != nil {
			return err
		}
	}
	return nil
}
