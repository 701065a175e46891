package search

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	if err := Genotype(p).check(); err != nil {
		return err
	}
	*g = Genotype(p)
	return nil
}
