package nn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// kinds are the specs that JSON knows, by the word that Kind returns.
var kinds = map[string]func([]byte) (Spec, error){
	"sequential":      decodeAs[Sequential],
	"residual":        decodeAs[Residual],
	"conv":            decodeAs[Conv],
	"depthwise":       decodeAs[Depthwise],
	"batch_norm":      decodeAs[BatchNorm],
	"relu":            decodeAs[ReLU],
	"max_pool":        decodeAs[MaxPool],
	"avg_pool":        decodeAs[AvgPool],
	"global_avg_pool": decodeAs[GlobalAvgPool],
	"linear":          decodeAs[Linear],
	"subsample":       decodeAs[Subsample],
	"dag":             decodeAs[DAG],
	"auxiliary":       decodeAs[Auxiliary],
	"zero":            decodeAs[Zero],
	"decimate":        decodeAs[Decimate],
	"slice":           decodeAs[Slice],
	"shuffle":         decodeAs[Shuffle],
	"noise":           decodeAs[Noise],
	"drop_path":       decodeAs[DropPath],
	"sigmoid":         decodeAs[Sigmoid],
}

func decodeAs[T Spec](data []byte) (Spec, error) {
	var s T
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&s)
	return s, err
}

// MarshalJSON writes {"name": …, "<kind>": {…}}; an empty name is left out.
func (n Named) MarshalJSON() ([]byte, error) {
	if n.Spec == nil {
		return nil, fmt.Errorf("nn: layer %q has no spec", n.Name)
	}
	kind := n.Spec.Kind()
	if _, ok := kinds[kind]; !ok {
		return nil, fmt.Errorf("nn: layer %q: a %s has no form in JSON", n.Name, kind)
	}
	spec, err := json.Marshal(n.Spec)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteByte('{')
	if n.Name != "" {
		name, err := json.Marshal(n.Name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, `"name":%s,`, name)
	}
	fmt.Fprintf(&b, `%q:%s}`, kind, spec)
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes. Unknown kinds and fields are errors.
func (n *Named) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	*n = Named{}
	if name, ok := fields["name"]; ok {
		if err := json.Unmarshal(name, &n.Name); err != nil {
			return fmt.Errorf("nn: name of a layer: %w", err)
		}
		delete(fields, "name")
	}
	names := slices.Sorted(maps.Keys(fields))
	if len(names) != 1 {
		return fmt.Errorf("nn: layer %q must have one kind beside its name, has %d: %s", n.Name, len(names), strings.Join(names, ", "))
	}
	decode, ok := kinds[names[0]]
	if !ok {
		return fmt.Errorf("nn: layer %q: unknown kind %q; known are %s", n.Name, names[0], strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	spec, err := decode(fields[names[0]])
	if err != nil {
		return fmt.Errorf("nn: layer %q: %s: %w", n.Name, names[0], err)
	}
	n.Spec = spec
	return nil
}
