package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"

	"github.com/invopop/jsonschema"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/gesso-dev/gesso/api/v1alpha1"
)

// schema returns the JSON schema of the Profile. It says what DecodeProfile finds without knowing what a value means: unknown fields,
// wrong types, words that are none of those that a field may hold.
func schema(root string) ([]byte, error) {
	words, err := constants(filepath.Join(root, source))
	if err != nil {
		return nil, err
	}
	r := &jsonschema.Reflector{
		Anonymous:      true, // an address that nobody can fetch is no help
		ExpandedStruct: true,
		DoNotReference: true, // editors show more of a schema that is written out
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch known, ok := words[t.Name()]; {
			case t == reflect.TypeFor[metav1.Time]():
				return &jsonschema.Schema{Type: "string", Format: "date-time"}
			case t == reflect.TypeFor[runtime.RawExtension](), t == reflect.TypeFor[metav1.FieldsV1]():
				return &jsonschema.Schema{Type: "object", AdditionalProperties: jsonschema.TrueSchema} // kept as it was written
			case t == reflect.TypeFor[v1alpha1.Quantity]():
				return &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "number"}}}
			case ok && t.PkgPath() == pkg:
				return known.schema()
			}
			return nil
		},
	}
	if r.LookupComment, err = comments(root, words); err != nil {
		return nil, err
	}
	s := r.Reflect(&v1alpha1.Profile{})
	if err := finish(s); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	// A description is no HTML, which the encoding of the library escapes.
	for escaped, plain := range map[string]string{`\u003c`: "<", `\u003e`: ">", `\u0026`: "&"} {
		raw = bytes.ReplaceAll(raw, []byte(escaped), []byte(plain))
	}
	var text bytes.Buffer
	if err := json.Indent(&text, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("indent schema: %w", err)
	}
	text.WriteByte('\n')
	types := regexp.MustCompile(`\[\s+("[a-z]+"),\s+(?:("[a-z]+"),\s+)?"null"\s+\]`)
	return types.ReplaceAllFunc(text.Bytes(), func(list []byte) []byte {
		inside := bytes.Join(bytes.Fields(list[1:len(list)-1]), []byte(" "))
		return slices.Concat([]byte("["), inside, []byte("]"))
	}), nil
}

// finish says what the types do not: which document this is, which values stand where nothing is written, and where null may.
func finish(s *jsonschema.Schema) error {
	for name, value := range map[string]string{"apiVersion": v1alpha1.APIVersion, "kind": "Profile"} {
		p, found := s.Properties.Get(name)
		if !found {
			return fmt.Errorf("finish schema: a Profile has no %s", name)
		}
		*p = jsonschema.Schema{Const: value}
	}
	s.Title, s.Required = "Profile", []string{"apiVersion", "kind"}
	metadata, hasMetadata := s.Properties.Get("metadata")
	spec, hasSpec := s.Properties.Get("spec")
	if !hasMetadata || !hasSpec {
		return errors.New("finish schema: a Profile has no metadata or no spec")
	}
	raw, err := json.Marshal(v1alpha1.Builtin().Spec)
	if err != nil {
		return fmt.Errorf("encode built-in Profile: %w", err)
	}
	var builtin any
	if err := json.Unmarshal(raw, &builtin); err != nil {
		return fmt.Errorf("decode built-in Profile: %w", err)
	}
	defaults(spec, builtin)
	for _, p := range []*jsonschema.Schema{metadata, spec} {
		optional(p, p == metadata)
		orNull(p)
	}
	return nil
}

// defaults notes the built-in values.
func defaults(s *jsonschema.Schema, value any) {
	object, composite := value.(map[string]any)
	if !composite || s.Properties == nil {
		s.Default = value
		return
	}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		if v, has := object[p.Key]; has {
			defaults(p.Value, v)
		}
	}
}

// optional lets everything below s be left out, and null stand for what is not written, as DecodeProfile reads it. What an element of
// a list of ours must say stays required: no built-in value stands behind it. foreign: the types are not ours.
func optional(s *jsonschema.Schema, foreign bool) {
	always := s.Required
	s.Required = nil
	members(s, foreign, always)
}

func members(s *jsonschema.Schema, foreign bool, always []string) {
	if s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			optional(p.Value, foreign)
			if len(p.Value.Enum) > 0 && !slices.Contains(always, p.Key) {
				p.Value.Enum = append(p.Value.Enum, "") // the same as nothing
			}
			if !slices.Contains(s.Required, p.Key) {
				orNull(p.Value)
			}
		}
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Type != "" {
		optional(s.AdditionalProperties, foreign)
		orNull(s.AdditionalProperties)
	}
	switch {
	case s.Items == nil:
	case foreign:
		optional(s.Items, foreign)
	default:
		members(s.Items, foreign, s.Items.Required)
	}
}

func orNull(s *jsonschema.Schema) {
	if types, ok := s.Extras["type"].([]string); ok && !slices.Contains(types, "null") {
		s.Extras["type"] = append(types, "null")
		return
	}
	if s.Type == "" {
		return
	}
	s.Extras = map[string]any{"type": []string{s.Type, "null"}}
	s.Type = ""
	if len(s.Enum) > 0 {
		s.Enum = append(s.Enum, nil)
	}
}
