package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// UnmarshalJSON reads {"normal":{"edges":[{"op":"skip_connect","from":0,"to":2},…],"concat":[2,…]},"reduce":{…}}, which is
// what encoding/json writes for a Genotype. Unknown fields and impossible wirings are errors.
func (g *Genotype) UnmarshalJSON(data []byte) error {
	type plain Genotype
	var p plain
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return fmt.Errorf("search: genotype: %w", err)
	}
	if err := Genotype(p).Check(); err != nil {
		return err
	}
	*g = Genotype(p)
	return nil
}

// parseJSON is UnmarshalJSON with errors that say where.
func parseJSON(text string) (g Genotype, err error) {
	err = json.Unmarshal([]byte(text), &g)
	const want = "a genotype as JSON"
	if e := (*json.SyntaxError)(nil); errors.As(err, &e) {
		return Genotype{}, syntaxError(text, max(0, int(e.Offset)-1), want, e.Error())
	}
	if e := (*json.UnmarshalTypeError)(nil); errors.As(err, &e) {
		return Genotype{}, syntaxError(text, min(len(text), strings.IndexByte(text, '{')+int(e.Offset)), want, fmt.Sprintf("%s in the field %q", e.Value, e.Field))
	}
	if err != nil {
		return Genotype{}, syntaxError(text, 0, want, strings.TrimPrefix(err.Error(), "search: genotype: "))
	}
	return g, nil
}
