package policies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// schemaChecker checks parameters against the JSON schema of their policy, with the validator that OPA carries and offers to Rego only.
type schemaChecker struct {
	verify, match rego.PreparedEvalQuery
}

// newSchemaChecker prepares the two queries. They have OPA's own capabilities, not those of policies, and may reach no host.
func newSchemaChecker(ctx context.Context) (*schemaChecker, error) {
	capabilities := ast.CapabilitiesForThisVersion()
	capabilities.AllowNet = []string{}
	prepare := func(query string) (rego.PreparedEvalQuery, error) {
		prepared, err := rego.New(rego.Query(query), rego.Capabilities(capabilities), rego.StrictBuiltinErrors(true)).PrepareForEval(ctx)
		if err != nil {
			return prepared, fmt.Errorf("prepare schema check: %w", err)
		}
		return prepared, nil
	}
	verify, err := prepare("result := json.verify_schema(input.schema)")
	if err != nil {
		return nil, err
	}
	match, err := prepare("result := json.match_schema(input.document, input.schema)")
	return &schemaChecker{verify: verify, match: match}, err
}

// ask returns both elements of the pair with which either function answers: whether all is well, and else what is not.
func (c *schemaChecker) ask(ctx context.Context, query rego.PreparedEvalQuery, input map[string]any) (ok bool, detail any, err error) {
	results, err := query.Eval(ctx, rego.EvalInput(input))
	if err != nil {
		return false, nil, err
	}
	if len(results) == 1 {
		if pair, isList := results[0].Bindings["result"].([]any); isList && len(pair) == 2 {
			ok, _ := pair[0].(bool)
			return ok, pair[1], nil
		}
	}
	return false, nil, errors.New("the schema check gave no answer")
}

// schema makes the schema of a policy strict and complete: an object, no property but those listed, and each of them either with a default
// or required. A property with neither would be undefined in Rego, and what is undefined allows.
func (c *schemaChecker) schema(ctx context.Context, schema map[string]any) (map[string]any, error) {
	schema = maps.Clone(schema)
	if kind, given := schema["type"]; given && kind != "object" {
		return nil, errors.New(`the type of parameters must be "object"`)
	}
	schema["type"] = "object"
	if _, given := schema["additionalProperties"]; !given {
		schema["additionalProperties"] = false
	}
	if ref := foreignRef(schema); ref != "" {
		return nil, fmt.Errorf("parameters has the reference %q; a schema must stand in the policy itself", ref)
	}
	ok, detail, err := c.ask(ctx, c.verify, map[string]any{"schema": schema})
	if err != nil {
		return nil, fmt.Errorf("check parameters: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("parameters is no JSON schema: %s", oneLine(fmt.Sprint(detail)))
	}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property, isObject := properties[name].(map[string]any)
		if _, hasDefault := property["default"]; isObject && !hasDefault && !slices.Contains(required, any(name)) {
			return nil, fmt.Errorf("parameter %q has no default and is not required; one of the two it must be", name)
		}
	}
	return schema, nil
}

// foreignRef finds a $ref that leads out of the schema.
func foreignRef(value any) string {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if ref, isText := value[key].(string); key == "$ref" && isText && !strings.HasPrefix(ref, "#") {
				return ref
			}
			if ref := foreignRef(value[key]); ref != "" {
				return ref
			}
		}
	case []any:
		for _, item := range value {
			if ref := foreignRef(item); ref != "" {
				return ref
			}
		}
	}
	return ""
}

// fill returns the given parameters with the defaults of the schema beside them, or one error for each parameter that is wrong. With
// lenient set nothing may be missing but may be absent: a policy that is off needs no parameters.
func (c *schemaChecker) fill(ctx context.Context, schema map[string]any, given json.RawMessage, lenient bool) (map[string]any, []error) {
	filled := map[string]any{}
	if len(bytes.TrimSpace(given)) > 0 {
		var err error
		if filled, err = decodeObject(given); err != nil {
			return nil, []error{fmt.Errorf("parameters: %w", err)}
		}
	}
	if schema == nil {
		if len(filled) > 0 {
			return nil, []error{fmt.Errorf("parameter %q: the policy takes no parameters", slices.Sorted(maps.Keys(filled))[0])}
		}
		return filled, nil
	}
	addDefaults(filled, schema)
	if lenient {
		schema = maps.Clone(schema)
		delete(schema, "required")
	}
	ok, detail, err := c.ask(ctx, c.match, map[string]any{"document": filled, "schema": schema})
	if err != nil {
		return nil, []error{fmt.Errorf("check parameters: %w", err)}
	}
	if ok {
		return filled, nil
	}
	return nil, mismatches(detail)
}

// addDefaults adds the default of each property of the schema that is not given.
func addDefaults(filled, schema map[string]any) {
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		fields, _ := property.(map[string]any)
		if value, hasDefault := fields["default"]; hasDefault {
			if _, isGiven := filled[name]; !isGiven {
				filled[name] = value
			}
		}
	}
}

// mismatches makes one error of each finding of json.match_schema, sorted.
func mismatches(detail any) []error {
	var wrong []error
	list, _ := detail.([]any)
	for _, item := range list {
		fields, _ := item.(map[string]any)
		field, _ := fields["field"].(string)
		reason := oneLine(fmt.Sprint(fields["desc"]))
		if field == "(Root)" || field == "" { // an unknown or a missing parameter: the reason names it
			wrong = append(wrong, fmt.Errorf("parameters: %s", reason))
		} else {
			wrong = append(wrong, fmt.Errorf("parameter %q: %s", strings.TrimPrefix(field, "(Root)."), reason))
		}
	}
	if len(wrong) == 0 {
		wrong = []error{errors.New("parameters do not fit the policy's schema")}
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return wrong
}

// decodeObject reads one JSON object and nothing after it; numbers keep their digits.
func decodeObject(text []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, errors.New("not a JSON object")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) || object == nil {
		return nil, errors.New("not a JSON object")
	}
	return object, nil
}
