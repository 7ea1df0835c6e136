package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/internal/object"
)

// writeDefaults writes the page of the defaults.
func writeDefaults(root string) error {
	text, err := defaultsPage(root)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "defaults.md"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write defaults: %w", err)
	}
	return nil
}

const defaultsHead = generated + `# The defaults

What Gesso fills where a manifest says nothing, with the built-in Profile and with [the example](../examples/profile.yaml), in which
everything is switched on. A field that the author wrote stays as it is. Fields are named below the pod template; in a CronJob it is
` + "`spec.jobTemplate.spec.template`" + `, in a Pod the Pod itself. Workloads are Deployments, StatefulSets, DaemonSets and CronJobs when they are
created or updated, and Jobs, ReplicaSets, ReplicationControllers and Pods when they are created.

| default | on | fills | built-in Profile | example Profile |
| --- | --- | --- | --- | --- |
`

const defaultsOptOut = `
## How to opt out

An author who does not want a default says so on the pod template (on a ServiceAccount or Ingress, on the object itself), where the
Profile allows it:

` + "```yaml" + `
metadata:
  annotations:
    gesso.dev/read-only-root-filesystem: "false"         # not for this workload
    gesso.dev/resources.migrate: "false"                 # not for its container migrate
` + "```" + `

| default | for the whole object | for one container | built-in Profile | example Profile |
| --- | --- | --- | --- | --- |
`

const defaultsArgo = `
Or the author writes the value that is wanted instead: what is written is never changed. ` + "`null` and `[]`" + ` are no opt-out: the API server drops
them before Gesso sees the object.

## Where Argo CD shows OutOfSync

An Application whose manifests leave out what Gesso fills is Synced, in each diff mode of Argo CD. Two ways of leaving out are the
exception, because Argo CD compares with what Git says, and Git says something. ` + "`gesso review`" + ` warns of both (` + "`explicit-null`" + `); the remedy is
to leave the field out, or to opt out by annotation.

- **An explicit ` + "`null`" + `** at a field that is filled, or at one that it lies in: OutOfSync in the legacy and the structured-merge diff, and in
  the server-side diff with ` + "`IncludeMutationWebhook=true`" + `.
- **An empty list**, ` + "`[]`" + `, where elements are added: OutOfSync in the legacy diff.

` + "`{}`" + ` is neither: it is filled or left alone as the author's, and Synced. What was filled is noted in an annotation of the template, so that
` + "`metadata.annotations`" + ` counts for every workload. These are the fields, for each default that is enforced:

| default | ` + "`null`" + ` | ` + "`null` or `[]`" + ` |
| --- | --- | --- |
`

// defaultsPage returns the page: the table, how to opt out, and what Argo CD does not like.
func defaultsPage(root string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(root, "examples", "profile.yaml"))
	if err != nil {
		return "", fmt.Errorf("read profile: %w", err)
	}
	example, err := v1alpha1.DecodeProfile(raw)
	if err != nil {
		return "", fmt.Errorf("read profile: %w", err)
	}
	profiles := []*v1alpha1.ProfileSpec{&v1alpha1.Builtin().Spec, &example.Spec}
	var table, optOut, argo strings.Builder
	for _, d := range defaults.List() {
		cells := []string{code(d.ID), kinds(d), fills(d)}
		answers := []string{code(d.ID), code("gesso.dev/" + d.ID), ""}
		if perContainer(d) {
			answers[2] = code("gesso.dev/" + d.ID + ".<container>")
		}
		for _, p := range profiles {
			cell, err := setting(p, d)
			if err != nil {
				return "", err
			}
			cells = append(cells, cell)
			answers = append(answers, string(d.Setting(&p.Defaults).OptOut))
		}
		row(&table, cells)
		row(&optOut, answers)
		nulls, lists, err := exceptions(d)
		if err != nil {
			return "", err
		}
		row(&argo, []string{code(d.ID), codes(nulls), codes(lists)})
	}
	return defaultsHead + table.String() + defaultsOptOut + optOut.String() + defaultsArgo + argo.String(), nil
}

func row(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func code(s string) string { return "`" + s + "`" }

func codes(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = code(s)
	}
	return strings.Join(quoted, "<br>")
}

// kinds names the kinds that a default acts on.
func kinds(d defaults.Default) string {
	var names []string
	workloads, pods := 0, false
	for _, k := range d.Kinds {
		if !hasTemplate(k) {
			names = append(names, k.Kind)
			continue
		}
		workloads++
		pods = pods || k.Kind == "Pod"
	}
	switch {
	case workloads > 0 && pods:
		names = append([]string{"workloads"}, names...)
	case workloads > 0:
		names = append([]string{"workloads but Pods"}, names...)
	}
	return strings.Join(names, ", ")
}

func hasTemplate(k defaults.Kind) bool {
	o, err := object.New(fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"metadata":{"name":"a"}}`, strings.TrimPrefix(k.Group+"/"+k.Version, "/"), k.Kind))
	return err == nil && o.Template() != nil
}

// fills names the fields of a default, those of containers of every sort once.
func fills(d defaults.Default) string {
	var all []string
	for _, path := range d.Paths {
		path = strings.TrimPrefix(path, "template.")
		if own, ok := strings.CutPrefix(path, "spec.initContainers[]."); ok && slices.Contains(d.Paths, "template.spec.containers[]."+own) {
			continue
		}
		all = append(all, strings.Replace(path, "spec.containers[].", "spec.{containers,initContainers}[].", 1))
	}
	slices.Sort(all)
	return codes(slices.Compact(all)) // of a workload and of its template, where both have it
}

// perContainer reports whether a default acts on single containers of the author's.
func perContainer(d defaults.Default) bool {
	return slices.ContainsFunc(d.Paths, func(p string) bool { return strings.HasPrefix(p, "template.spec.containers[]") })
}

// setting says what a Profile does with a default: the mode, the modes of namespaces, the values.
func setting(p *v1alpha1.ProfileSpec, d defaults.Default) (string, error) {
	s := d.Setting(&p.Defaults)
	lines := []string{"**" + string(s.Mode) + "**"}
	for _, n := range s.Namespaces {
		lines = append(lines, string(n.Mode)+" where "+where(n.NamespaceSelector))
	}
	raw, err := json.Marshal(p.Defaults)
	if err != nil {
		return "", fmt.Errorf("encode defaults: %w", err)
	}
	var all map[string]map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		return "", fmt.Errorf("decode defaults: %w", err)
	}
	values := all[d.ID]
	if d.ID == "irsa" {
		values = map[string]any{"aws.identity": p.AWS.Identity, "aws.account": p.AWS.Account, "aws.cluster": p.AWS.Cluster}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains([]string{"mode", "optOut", "namespaces"}, name) {
			continue
		}
		lines = append(lines, code(name+": "+short(values[name])))
	}
	return strings.Join(lines, "<br>"), nil
}

// where names the namespaces of a selector.
func where(s v1alpha1.NamespaceSelector) string {
	var parts []string
	if len(s.Names) > 0 {
		parts = append(parts, "the name is "+strings.Join(s.Names, " or "))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		parts = append(parts, code(name+": "+s.Labels[name]))
	}
	return strings.Join(parts, " and ")
}

// short is a value in a cell of a table. Whole containers and volumes are told by their names.
func short(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if name, named := v["name"].(string); named && v["part-of"] == nil {
			return name
		}
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+": "+short(v[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, short(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		if v == "" {
			return `""`
		}
		return v
	default:
		return fmt.Sprint(v)
	}
}

// exceptions returns the fields at which an explicit null, or an empty list, is filled all the same: those that the default writes, and
// those that they lie in.
func exceptions(d defaults.Default) (nulls, lists []string, err error) {
	for _, path := range d.Paths {
		at := roots()[path[:strings.IndexAny(path+".", ".[")]]
		if at == nil {
			return nil, nil, fmt.Errorf("%s: %s begins like no object", d.ID, path)
		}
		tokens := tokensOf(path)
		for i, token := range tokens {
			required := false
			if i > 0 {
				if at, required, err = step(at, token); err != nil {
					return nil, nil, fmt.Errorf("%s: %s: %w", d.ID, path, err)
				}
			}
			name := strings.TrimPrefix(joined(tokens[:i+1]), "template.")
			switch rest := tokens[i+1:]; {
			case token == "[]" || required || written(name, rest):
			case at.Kind() == reflect.Slice:
				lists = append(lists, name)
			default:
				nulls = append(nulls, name)
			}
		}
	}
	slices.Sort(nulls)
	slices.Sort(lists)
	return slices.Compact(nulls), slices.Compact(lists), nil
}

// written reports whether a field is none that a default fills: an object without it would be refused, or a default that looks into it
// finds nothing there. rest is what follows it in the path.
func written(name string, rest []string) bool {
	switch name {
	case "template", "metadata", "spec":
		return true
	case "spec.containers", "spec.initContainers":
		return len(rest) != 1 // the one that ends here adds an element
	}
	return false
}

// roots are the types in which paths begin.
func roots() map[string]reflect.Type {
	return map[string]reflect.Type{
		"template": reflect.TypeFor[corev1.PodTemplateSpec](),
		"metadata": reflect.TypeFor[metav1.ObjectMeta](),
		"spec":     reflect.TypeFor[networkingv1.IngressSpec](),
	}
}

// step returns the type of a member or of an element, and whether there is no object without it: then an explicit null is refused.
func step(t reflect.Type, token string) (member reflect.Type, required bool, err error) {
	switch t.Kind() {
	case reflect.Map, reflect.Slice:
		return t.Elem(), false, nil
	case reflect.Struct:
		for f := range t.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != token {
				continue
			}
			for f.Type.Kind() == reflect.Pointer {
				f.Type = f.Type.Elem()
			}
			return f.Type, options == "", nil
		}
	}
	return nil, false, fmt.Errorf("there is no %s in %s", token, t)
}

// tokensOf takes a path of a default apart: members, [] for any element, [name] for a member whose name holds dots.
func tokensOf(path string) []string {
	var tokens []string
	for path != "" {
		end := strings.IndexAny(path, ".[")
		switch {
		case path[0] == '.':
			path = path[1:]
		case path[0] == '[':
			end = strings.Index(path, "]") + 1
			tokens, path = append(tokens, path[:end]), path[end:]
		case end < 0:
			tokens, path = append(tokens, path), ""
		default:
			tokens, path = append(tokens, path[:end]), path[end:]
		}
	}
	return tokens
}

func joined(tokens []string) string {
	var b strings.Builder
	for i, token := range tokens {
		if i > 0 && token[0] != '[' {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}
