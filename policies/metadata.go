package policies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"go.yaml.in/yaml/v3"
)

// metadata is what a policy says of itself.
type metadata struct {
	title, description string
	related            []string
	match              Match
	action             Action
	schema             map[string]any // nil: no parameters
	schemaAt           place
	inventory          []declaration
}

// place is a position in a .rego file.
type place struct {
	file         string
	line, column int
}

func (p place) problem(policy, format string, args ...any) Problem {
	return Problem{Policy: policy, File: p.file, Line: p.line, Column: p.column, Reason: fmt.Sprintf(format, args...)}
}

// metadataReader collects everything that is wrong with one METADATA block. OPA has parsed the block; it is read again as a tree of YAML
// nodes because only those know in which line a key stands.
type metadataReader struct {
	policy   string
	at       place // the line with the word METADATA
	problems []Problem
}

// readMetadata finds the block with the scope "package" among the policy's modules, which are in the order of their file names.
func readMetadata(policy string, modules []*ast.Module) (metadata, []Problem) {
	var blocks []*ast.Annotations
	for _, module := range modules {
		for _, block := range module.Annotations {
			if block.Scope == "package" {
				blocks = append(blocks, block)
			}
		}
	}
	first := modules[0].Package.Location
	if len(blocks) == 0 {
		return metadata{}, []Problem{{
			Policy: policy, File: first.File, Line: first.Row, Column: first.Col,
			Reason: "no METADATA above the package; a policy needs at least title and custom.gesso.match",
		}}
	}
	r := &metadataReader{policy: policy, at: place{file: blocks[0].Location.File, line: blocks[0].Location.Row, column: blocks[0].Location.Col}}
	for _, block := range blocks[1:] {
		at := place{file: block.Location.File, line: block.Location.Row, column: block.Location.Col}
		r.problems = append(r.problems, at.problem(policy, "second METADATA block for the package; the first is in %s, line %d", r.at.file, r.at.line))
	}
	m := r.read(blocks[0])
	return m, r.problems
}

func (r *metadataReader) read(block *ast.Annotations) metadata {
	m := metadata{title: strings.TrimSpace(block.Title), description: strings.TrimSpace(block.Description), action: Deny}
	for _, related := range block.RelatedResources {
		m.related = append(m.related, related.Ref.String())
	}
	if m.title == "" {
		r.add(nil, "METADATA has no title")
	}
	root := r.parse(block)
	fields := r.mapping(root, "METADATA", "scope", "title", "description", "related_resources", "organizations", "authors", "entrypoint", "custom")
	custom := r.mapping(fields["custom"], "custom", "gesso")
	if custom["gesso"] == nil {
		r.add(fields["custom"], "METADATA has no custom.gesso")
		return m
	}
	gesso := r.mapping(custom["gesso"], "custom.gesso", "match", "action", "parameters", "inventory")
	if gesso["match"] == nil {
		r.add(custom["gesso"], "custom.gesso has no match; say pods: true or list kinds")
	} else {
		m.match = r.match(gesso["match"])
	}
	if node := gesso["action"]; node != nil {
		m.action = Action(r.text(node, "action"))
		if m.action != "" && !m.action.Valid() {
			r.add(node, "action is %q; it must be deny, warn, audit or off", m.action)
		}
	}
	if node := gesso["parameters"]; node != nil {
		m.schema, m.schemaAt = r.schema(node), r.place(node)
	}
	if node := gesso["inventory"]; node != nil {
		m.inventory = r.inventory(node)
	}
	return m
}

// parse reads the block's YAML. OPA has parsed the same text, so an error here would be one of our own.
func (r *metadataReader) parse(block *ast.Annotations) *yaml.Node {
	var text bytes.Buffer
	for i, line := range bytes.Split(block.Location.Text, []byte("\n")) {
		if i > 0 { // the first line holds the word METADATA
			text.Write(bytes.TrimPrefix(line, []byte("# ")))
			text.WriteByte('\n')
		}
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text.Bytes(), &document); err != nil || len(document.Content) == 0 {
		r.add(nil, "METADATA is no YAML mapping")
		return nil
	}
	return document.Content[0]
}

func (r *metadataReader) match(node *yaml.Node) Match {
	m := Match{Operations: []string{"CREATE", "UPDATE"}}
	fields := r.mapping(node, "match", "pods", "kinds", "operations")
	if pods := fields["pods"]; pods != nil {
		if err := pods.Decode(&m.Pods); err != nil || pods.ShortTag() != "!!bool" {
			r.add(pods, "match.pods must be true or false")
		}
	}
	if kinds := fields["kinds"]; kinds != nil {
		m.Kinds = r.kinds(kinds, "match.kinds")
	}
	if !m.Pods && len(m.Kinds) == 0 {
		r.add(node, "match selects nothing; say pods: true or list kinds")
	}
	if list := fields["operations"]; list != nil {
		m.Operations = r.operations(list)
	}
	return m
}

func (r *metadataReader) operations(node *yaml.Node) []string {
	var given []string
	for _, item := range r.sequence(node, "match.operations") {
		operation := r.text(item, "an operation")
		switch {
		case !slices.Contains(operations(), operation):
			r.add(item, "operation %q; it must be one of %s", operation, strings.Join(operations(), ", "))
		case slices.Contains(given, operation):
			r.add(item, "operation %s stands twice", operation)
		}
		given = append(given, operation)
	}
	if len(given) == 0 {
		r.add(node, "match.operations is empty")
	}
	return slices.DeleteFunc(operations(), func(o string) bool { return !slices.Contains(given, o) })
}

func (r *metadataReader) kinds(node *yaml.Node, what string) []Kind {
	var kinds []Kind
	for _, item := range r.sequence(node, what) {
		fields := r.mapping(item, "an entry of "+what, "group", "kind", "resource", "subresource")
		kind := Kind{
			Group: r.text(fields["group"], "group"), Kind: r.text(fields["kind"], "kind"),
			Resource: r.text(fields["resource"], "resource"), Subresource: r.text(fields["subresource"], "subresource"),
		}
		if fields["group"] == nil {
			r.add(item, `an entry of %s has no group; write group: "" for the core group`, what)
		}
		if kind.Kind == "" {
			r.add(item, "an entry of %s has no kind", what)
		}
		if kind.Resource == "" {
			kind.Resource = plural(strings.ToLower(kind.Kind))
		}
		if slices.Contains(kinds, kind) {
			r.add(item, "an entry of %s stands twice", what)
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

// plural is how Kubernetes names the resource of a kind where its author did not choose otherwise.
func plural(kind string) string {
	switch {
	case kind == "":
		return ""
	case strings.HasSuffix(kind, "s"), strings.HasSuffix(kind, "x"), strings.HasSuffix(kind, "ch"), strings.HasSuffix(kind, "sh"):
		return kind + "es"
	case strings.HasSuffix(kind, "y") && len(kind) > 1 && !strings.ContainsRune("aeiou", rune(kind[len(kind)-2])):
		return strings.TrimSuffix(kind, "y") + "ies"
	}
	return kind + "s"
}

// schema decodes the parameters' JSON schema through JSON, so that it holds nothing that JSON cannot say.
func (r *metadataReader) schema(node *yaml.Node) map[string]any {
	if node.Kind != yaml.MappingNode {
		r.add(node, "parameters must be a JSON schema of an object")
		return nil
	}
	var decoded map[string]any
	if err := node.Decode(&decoded); err != nil {
		r.add(node, "parameters is no JSON schema: %s", oneLine(err.Error()))
		return nil
	}
	text, err := json.Marshal(decoded)
	if err != nil {
		r.add(node, "parameters is no JSON schema: %s", oneLine(err.Error()))
		return nil
	}
	schema, err := decodeObject(text)
	if err != nil {
		r.add(node, "parameters is no JSON schema: %s", oneLine(err.Error()))
	}
	return schema
}

// mapping splits a mapping into its values by key and refuses keys that are not known. A nil node has no fields.
func (r *metadataReader) mapping(node *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	fields := map[string]*yaml.Node{}
	if node == nil {
		return fields
	}
	if node.Kind != yaml.MappingNode {
		r.add(node, "%s must be a mapping", what)
		return fields
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if !slices.Contains(known, key.Value) {
			r.add(key, "unknown key %q in %s; known are %s", key.Value, what, strings.Join(known, ", "))
			continue
		}
		fields[key.Value] = value
	}
	return fields
}

func (r *metadataReader) sequence(node *yaml.Node, what string) []*yaml.Node {
	if node.Kind != yaml.SequenceNode {
		r.add(node, "%s must be a list", what)
		return nil
	}
	return node.Content
}

func (r *metadataReader) text(node *yaml.Node, what string) string {
	if node == nil {
		return ""
	}
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" {
		r.add(node, "%s must be text", what)
		return ""
	}
	return node.Value
}

// place of a node in the .rego file: the block's YAML begins one line below the word METADATA, behind "# ".
func (r *metadataReader) place(node *yaml.Node) place {
	if node == nil {
		return r.at
	}
	return place{file: r.at.file, line: r.at.line + node.Line, column: r.at.column + len("# ") + node.Column - 1}
}

func (r *metadataReader) add(node *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, r.place(node).problem(r.policy, format, args...))
}

// oneLine makes one line of a text that may have several.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
