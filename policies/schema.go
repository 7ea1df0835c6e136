package policies

import "github.com/open-policy-agent/opa/v1/ast"

// inputSchema tells OPA's type checker what input looks like, so that a misspelt field is a compile error. At run time it would be
// undefined, and what is undefined allows. Where only the cluster knows the shape (object, expected, a container's own fields) all is
// let through. A policy without parameters has an input.parameters without fields.
func inputSchema(parameters map[string]any) *ast.SchemaSet {
	var (
		anything = map[string]any{}
		text     = map[string]any{"type": "string"}
		truth    = map[string]any{"type": "boolean"}
	)
	list := func(items any) map[string]any { return map[string]any{"type": "array", "items": items} }
	object := func(properties map[string]any) map[string]any {
		return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	}
	open := func(properties map[string]any) map[string]any {
		return map[string]any{"type": "object", "properties": properties, "additionalProperties": anything}
	}
	texts := map[string]any{"type": "object", "additionalProperties": text}
	kind := object(map[string]any{"group": text, "version": text, "kind": text})
	resource := object(map[string]any{"group": text, "version": text, "resource": text})
	ref := object(map[string]any{
		"ok": truth, "reason": text, "registry": text, "repository": text, "tag": text, "digest": text, "name": text, "trimmed": text,
	})
	if parameters == nil {
		parameters = object(map[string]any{})
	}
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, object(map[string]any{
		"request": object(map[string]any{
			"uid": text, "kind": kind, "resource": resource, "subResource": text,
			"requestKind": kind, "requestResource": resource, "requestSubResource": text,
			"name": text, "namespace": text, "operation": text,
			"userInfo": open(map[string]any{"username": text, "uid": text, "groups": list(text), "extra": anything}),
			"object":   anything, "oldObject": anything, "dryRun": truth, "options": anything,
		}),
		"pod":         anything,
		"containers":  list(open(map[string]any{"kind": text, "path": text, "ref": ref})),
		"images":      list(object(map[string]any{"kind": text, "name": text, "path": text, "image": text, "ref": ref})),
		"namespace":   object(map[string]any{"name": text, "labels": texts, "annotations": texts}),
		"environment": text,
		"app":         text,
		"expected":    anything,
		"parameters":  parameters,
	}))
	return schemas
}
