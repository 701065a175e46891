package prune

import (
	"fmt"

	"espalier/internal/settings"
)

// Setting is an option of a method, for help and files.
type Setting = settings.Setting

// Settings are the options of the method.
func (e Entry) Settings() []Setting { return settings.Of(e.New()) }

// Text is the value of a setting of p as it would be given, each value in one way.
func Text(p Pruner, name string) string { return settings.Text(p, name) }

// set changes the options of p, which e.New made.
func (e Entry) set(p Pruner, values map[string]string) error {
	if err := settings.Set(p, values); err != nil {
		return fmt.Errorf("prune: setting %s.%w", e.Name, err)
	}
	return nil
}
