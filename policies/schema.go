package policies

import "github.com/open-policy-agent/opa/v1/ast"

// inputSchema tells OPA's type checker what input looks like, so that a misspelt field is a compile error. At run time it would be
// undefined, and what is undefined allows.
//
// The type checker knows less than JSON schema: an object with properties has those and no others, and a union of types is taken for one
// of them. So anything goes where only the cluster or the author knows the shape: in object, expected, a container, and below the
// names of parameters.
func inputSchema(parameters, inventory map[string]any) *ast.SchemaSet {
	var (
		anything = map[string]any{}
		text     = map[string]any{"type": "string"}
		truth    = map[string]any{"type": "boolean"}
	)
	list := func(items any) map[string]any { return map[string]any{"type": "array", "items": items} }
	object := properties
	kind := object(map[string]any{"group": text, "version": text, "kind": text})
	resource := object(map[string]any{"group": text, "version": text, "resource": text})
	ref := object(map[string]any{
		"ok": truth, "reason": text, "registry": text, "repository": text, "tag": text, "digest": text, "name": text, "trimmed": text,
	})
	fields := map[string]any{
		"request": object(map[string]any{
			"uid": text, "kind": kind, "resource": resource, "subResource": text,
			"requestKind": kind, "requestResource": resource, "requestSubResource": text,
			"name": text, "namespace": text, "operation": text,
			"userInfo": object(map[string]any{"username": text, "uid": text, "groups": list(text), "extra": anything}),
			"object":   anything, "oldObject": anything, "dryRun": truth, "options": anything,
		}),
		"user":        object(map[string]any{"name": text, "groups": list(text), "platform": truth}),
		"pod":         anything,
		"containers":  list(anything),
		"images":      list(object(map[string]any{"kind": text, "name": text, "path": text, "image": text, "ref": ref})),
		"namespace":   object(map[string]any{"name": text, "labels": anything, "annotations": anything}),
		"environment": text,
		"app":         text,
		"expected":    anything,
		"parameters":  parameters,
	}
	if inventory != nil { // without one there is no such field, so that nobody waits for what never comes
		fields["inventory"] = inventory
	}
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, object(fields))
	return schemas
}

// inputSchemaOf is the schema for policies that are compiled together, or with shared unset for the only one that is compiled alone.
func inputSchemaOf(definitions []*definition, shared bool) *ast.SchemaSet {
	if !shared {
		return inputSchema(parameterNames(definitions[0].meta.schema), inventoryNames(definitions[0].meta.inventory))
	}
	parameters, inventory := map[string]any{}, map[string]any{}
	for _, t := range definitions {
		parameters[t.id] = parameterNames(t.meta.schema)
		if names := inventoryNames(t.meta.inventory); names != nil {
			inventory[t.id] = names
		}
	}
	if len(inventory) == 0 {
		return inputSchema(properties(parameters), nil)
	}
	return inputSchema(properties(parameters), properties(inventory))
}

// properties is the schema of an object that has these properties and no others.
func properties(of map[string]any) map[string]any {
	return map[string]any{"type": "object", "properties": of}
}

// inventoryNames is the schema of the inventory of a policy, or nil where it declares none.
func inventoryNames(inventory []declaration) map[string]any {
	if len(inventory) == 0 {
		return nil
	}
	names := map[string]any{}
	for _, d := range inventory {
		names[d.Name] = map[string]any{}
	}
	return properties(names)
}

// parameterNames keeps of a policy's own schema what the type checker can be trusted with: the names. A policy that declares none must
// not read any, which reach sees to.
func parameterNames(schema map[string]any) map[string]any {
	names := map[string]any{}
	declared, _ := schema["properties"].(map[string]any)
	for name := range declared {
		names[name] = map[string]any{}
	}
	if len(names) == 0 || schema["additionalProperties"] != false {
		return map[string]any{}
	}
	return properties(names)
}
