package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/api/v1alpha1"
)

const (
	checkout = "../.."
	whole    = "testdata/whole.yaml"
)

// TestDrift holds that the schema is that of the types as they stand.
func TestDrift(t *testing.T) {
	want, err := schema(checkout)
	if err != nil {
		t.Fatal(err)
	}
	if got := v1alpha1.ProfileSchema(); got != string(want) {
		t.Errorf("%s is not what the types of the Profile and their comments give; write it anew with: go generate ./api/...", file)
	}
}

// TestEveryFieldIsDescribed holds that whoever looks at a field in an editor reads what it is for.
func TestEveryFieldIsDescribed(t *testing.T) {
	spec, ok := parsed(t, []byte(v1alpha1.ProfileSchema()))["properties"].(map[string]any)["spec"].(map[string]any)
	if !ok {
		t.Fatal("the schema has no spec")
	}
	fields := 0
	var look func(at string, s map[string]any)
	look = func(at string, s map[string]any) {
		members, _ := s["properties"].(map[string]any)
		for name, below := range members {
			fields++
			below := below.(map[string]any)
			if below["description"] == nil && !slices.Contains(plainEnough, name) {
				t.Errorf("%s.%s has no description: give the field or its type a comment", at, name)
			}
			look(at+"."+name, below)
		}
		for _, deeper := range []string{"items", "additionalProperties"} {
			if below, ok := s[deeper].(map[string]any); ok {
				look(at+"[]", below)
			}
		}
	}
	look("spec", spec)
	if fields < 60 {
		t.Errorf("%d fields below spec, want at least 60: is the schema whole?", fields)
	}
}

// plainEnough are fields whose names say all.
var plainEnough = []string{"partition", "names", "component", "part-of", "managed-by"}

// TestProfiles holds that the schema and DecodeProfile say the same of the examples and of every document in the tests of DecodeProfile.
func TestProfiles(t *testing.T) {
	s := compile(t)
	examples, err := filepath.Glob(checkout + "/examples/profile*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) == 0 {
		t.Error("no example: was it moved?")
	}
	for _, name := range append(examples, whole) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if v := agree(t, s, text); !v.taken {
			t.Errorf("%s: %v", name, v.err)
		}
	}
	raw, err := json.Marshal(v1alpha1.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	if v := agree(t, s, raw); !v.taken {
		t.Errorf("the built-in Profile: %v", v.err)
	}
	taken, shape := 0, 0
	for _, text := range literals(t, filepath.Join(checkout, source, "decode_test.go")) {
		head := "apiVersion: gesso.dev/v1alpha1\nkind: Profile\n"
		for _, doc := range []string{text, head + text, head + "spec: " + text} {
			if _, err := yaml.YAMLToJSONStrict([]byte(doc)); err != nil {
				continue // no document
			}
			switch v := agree(t, s, []byte(doc)); {
			case v.taken:
				taken++
			case v.shape:
				shape++
			}
		}
	}
	t.Logf("%d documents are taken, %d refused for their shape", taken, shape)
	if taken < 30 || shape < 100 {
		t.Errorf("%d documents of the tests of DecodeProfile are taken and %d refused for their shape, want 30 and 100: was the file moved?", taken, shape)
	}
}

// literals returns the strings in a Go file: among those of a test of documents are the documents.
func literals(t *testing.T, name string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(f, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

// agree holds that the schema and DecodeProfile say the same of a document, as far as the schema can know, and returns what
// DecodeProfile says.
func agree(t *testing.T, s *validator.Schema, doc []byte) verdict {
	t.Helper()
	v := verdictOf(t, doc)
	switch err := s.Validate(value(t, doc)); {
	case v.taken && err != nil:
		t.Errorf("DecodeProfile takes what the schema refuses: %v\n%s", err, doc)
	case v.shape && err == nil:
		t.Errorf("the schema takes what DecodeProfile refuses: %v\n%s", v.err, doc)
	}
	return v
}

// TestSchemaAndDecoderAgree changes a whole Profile at random, a thousand times and more, and holds that both say the same of what the
// schema can know.
func TestSchemaAndDecoderAgree(t *testing.T) {
	s := compile(t)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(1, 2))
	taken, shape := 0, 0
	for range 1500 {
		doc := value(t, text)
		for range 1 + dice.IntN(2) {
			mutate(dice, doc)
		}
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		switch v := agree(t, s, raw); {
		case v.taken:
			taken++
		case v.shape:
			shape++
		}
		if t.Failed() {
			return
		}
	}
	if taken < 300 || shape < 300 {
		t.Errorf("%d changed Profiles were taken and %d refused for their shape, want 300 of each: the changes test too little", taken, shape)
	}
}

// kept are the fields that DecodeProfile keeps as they are written, for others to check: it takes there what is no object, too.
var kept = []string{"container", "volumes", "parameters"}

// mutate changes one place of a document.
func mutate(dice *rand.Rand, doc any) {
	var places []func()
	var walk func(v any, set func(any))
	walk = func(v any, set func(any)) {
		places = append(places, func() { set(another(dice, v)) })
		switch v := v.(type) {
		case map[string]any:
			names := make([]string, 0, len(v))
			for name := range v {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				if slices.Contains(kept, name) {
					continue
				}
				walk(v[name], func(n any) { v[name] = n })
				places = append(places, func() { delete(v, name) }, func() { v[name+"x"] = v[name]; delete(v, name) })
			}
		case []any:
			for i := range v {
				walk(v[i], func(n any) { v[i] = n })
			}
		}
	}
	root := doc.(map[string]any)
	for _, name := range []string{"metadata", "spec"} {
		if v, ok := root[name]; ok {
			walk(v, func(n any) { root[name] = n })
		}
	}
	places[dice.IntN(len(places))]()
}

// another is a value that may or may not do in the place of v.
func another(dice *rand.Rand, v any) any {
	words := []any{"enforce", "preview", "off", "allowed", "forbidden", "deny", "irsa", "none", "", "1", "a"}
	others := []any{nil, nil, true, json.Number("7"), []any{}, map[string]any{}, []any{nil}, []any{"a"}, map[string]any{"a": "b"}, []any{map[string]any{"mode": "off", "names": []any{"a"}}}}
	if _, text := v.(string); text && dice.IntN(2) == 0 {
		return words[dice.IntN(len(words))]
	}
	return others[dice.IntN(len(others))]
}

// verdict is what DecodeProfile says of a document.
type verdict struct {
	taken bool
	shape bool // it is refused, and for something that a schema can know
	err   error
}

func verdictOf(t *testing.T, raw []byte) verdict {
	t.Helper()
	_, err := v1alpha1.DecodeProfile(raw)
	if err == nil {
		return verdict{taken: true}
	}
	v := verdict{err: err}
	all, many := errors.AsType[utilerrors.Aggregate](err)
	if !many {
		v.shape = strings.HasPrefix(err.Error(), "not a Profile")
		return v
	}
	for _, e := range all.Errors() {
		f, ok := errors.AsType[*field.Error](e)
		if !ok {
			t.Fatalf("%T is no field error", e)
		}
		null := f.Type == field.ErrorTypeRequired && strings.Contains(f.Detail, "null")
		if f.Type == field.ErrorTypeNotSupported && strings.HasSuffix(f.Field, ".values.name") {
			continue // what its comment says: no type of its own
		}
		v.shape = v.shape || null || f.Type == field.ErrorTypeForbidden && strings.Contains(f.Detail, "unknown field") ||
			f.Type == field.ErrorTypeTypeInvalid || f.Type == field.ErrorTypeNotSupported
	}
	return v
}

func compile(t *testing.T) *validator.Schema {
	t.Helper()
	c := validator.NewCompiler()
	c.DefaultDraft(validator.Draft2020)
	if err := c.AddResource("profile.schema.json", value(t, []byte(v1alpha1.ProfileSchema()))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("profile.schema.json") // against the meta-schema of the draft, too
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value is a YAML or JSON document as a validator wants it.
func value(t *testing.T, text []byte) any {
	t.Helper()
	raw, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	v, err := validator.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func parsed(t *testing.T, text []byte) map[string]any {
	t.Helper()
	m, ok := value(t, text).(map[string]any)
	if !ok {
		t.Fatal("no object")
	}
	return m
}
