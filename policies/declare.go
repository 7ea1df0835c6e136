package policies

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// declaration is an entry of METADATA's inventory, read and checked.
type declaration struct {
	InventoryKind
	by       fieldPath
	fields   []fieldPath
	identity string
}

// inventoryName is what an entry may be called: a name that Rego takes after a dot.
var inventoryName = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)

func (r *metadataReader) inventory(node *yaml.Node) []declaration {
	var list []declaration
	for _, item := range r.sequence(node, "inventory") {
		fields := r.mapping(item, "an entry of inventory", "name", "group", "version", "kind", "resource", "by", "fields", "scan")
		d := declaration{InventoryKind: InventoryKind{
			Name: r.text(fields["name"], "name"), Group: r.text(fields["group"], "group"), Version: r.text(fields["version"], "version"),
			Kind: r.text(fields["kind"], "kind"), Resource: r.text(fields["resource"], "resource"),
		}}
		if fields["group"] == nil {
			r.add(item, `an entry of inventory has no group; write group: "" for the core group`)
		}
		for _, required := range []string{"name", "version", "kind", "by"} {
			if fields[required] == nil {
				r.add(item, "an entry of inventory has no %s", required)
			}
		}
		switch {
		case d.Name != "" && !inventoryName.MatchString(d.Name):
			r.add(fields["name"], "the name %q must be a lower-case letter and then letters and digits, for example stores", d.Name)
		case d.Name != "" && slices.ContainsFunc(list, func(other declaration) bool { return other.Name == d.Name }):
			r.add(fields["name"], "the name %q stands twice in inventory", d.Name)
		}
		if d.Resource == "" {
			d.Resource = plural(strings.ToLower(d.Kind))
		}
		d.By, d.by = r.fieldPath(d.InventoryKind, fields["by"], "by")
		r.fields(&d, fields["fields"])
		if scan := fields["scan"]; scan != nil && (scan.Decode(&d.Scan) != nil || scan.ShortTag() != "!!bool") {
			r.add(scan, "scan must be true or false")
		}
		d.setIdentity()
		list = append(list, d)
	}
	return list
}

// fields reads the paths that are kept; nil for none.
func (r *metadataReader) fields(d *declaration, node *yaml.Node) {
	if node == nil {
		return
	}
	for _, path := range r.sequence(node, "fields") {
		text, parsed := r.fieldPath(d.InventoryKind, path, "a field")
		if slices.Contains(d.Fields, text) {
			r.add(path, "the field %s stands twice", text)
		}
		d.Fields, d.fields = append(d.Fields, text), append(d.fields, parsed)
	}
}

// fieldPath reads one path. The values of Secrets are refused: what no policy holds, no message can tell.
func (r *metadataReader) fieldPath(kind InventoryKind, node *yaml.Node, what string) (string, fieldPath) {
	text := r.text(node, what)
	if node == nil || text == "" && node.Value != "" {
		return text, nil
	}
	path, err := parseFieldPath(text)
	switch {
	case err != nil:
		r.add(node, "%s: %s", what, err)
	case kind.Group == "" && kind.Kind == "Secret" && holdsSecretValues(path):
		r.add(node, "%s: the values of Secrets are not for policies to read", what)
	}
	return text, path
}

// holdsSecretValues reports whether the path of a Secret leads to its values, or to the annotation in which kubectl repeats them.
func holdsSecretValues(path fieldPath) bool {
	switch path[0].name {
	case "type", "immutable", "kind", "apiVersion":
		return false
	case "metadata":
		return len(path) == 1 || path[1].name == "annotations" && (len(path) == 2 || path[2].name == "kubectl.kubernetes.io/last-applied-configuration") ||
			path[1].name == "managedFields"
	}
	return true
}
