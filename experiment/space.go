package experiment

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"espalier/search"
)

// spacePath is the setting that is kept as a built-in name or as canonical text, so that a run needs no other file.
const spacePath = "search.space"

// canonicalSpace is what search.space holds: the name of a built-in space, or of a space of one's own, given in YAML, its text.
func canonicalSpace(given string) (string, error) {
	if _, ok := search.BuiltinSpace(given); ok {
		return given, nil
	}
	if !strings.Contains(given, ":") {
		return "", fmt.Errorf("no space is named %q; the nearest is %q; one of your own is given by espalier search --space FILE.yaml, or as a mapping",
			given, Nearest(given, search.SpaceNames()))
	}
	s, err := search.ParseSpace([]byte(given), search.Registry{})
	if err != nil {
		return "", err
	}
	return SpaceText(s)
}

// SpaceText is a space as search.space holds it: the name of a built-in one, else all of it on a line that YAML and JSON read.
func SpaceText(s *search.Space) (string, error) {
	if b, ok := search.BuiltinSpace(s.Name); ok {
		if same, err := yaml.Marshal(b); err == nil {
			if own, err := yaml.Marshal(s); err == nil && string(own) == string(same) {
				return s.Name, nil
			}
		}
		return "", fmt.Errorf("a space of one's own is named %q, as a built-in one that differs", s.Name)
	}
	text, err := yaml.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("experiment: %s: %w", spacePath, err)
	}
	var plain any
	if err := yaml.Unmarshal(text, &plain); err != nil {
		return "", fmt.Errorf("experiment: %s: %w", spacePath, err)
	}
	line, err := json.Marshal(plain)
	return string(line), err
}

// SearchSpace is the space of search.space.
func (c Config) SearchSpace() (*search.Space, error) {
	if s, ok := search.BuiltinSpace(c.Search.Space); ok {
		return s, nil
	}
	s, err := search.ParseSpace([]byte(c.Search.Space), search.Registry{})
	if err != nil {
		return nil, fmt.Errorf("experiment: %s: %w", spacePath, err)
	}
	return s, nil
}

// SpaceName is the name of that space.
func (c Config) SpaceName() string {
	s, err := c.SearchSpace()
	if err != nil {
		return "unknown"
	}
	return s.Name
}
