package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
)

const checkout = "../.."

// TestDefaultsPage holds that the page says what the defaults and both Profiles are.
func TestDefaultsPage(t *testing.T) {
	want, err := defaultsPage(checkout)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(checkout, "docs", "defaults.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/defaults.md is not what the defaults give; write it anew with: make generate")
	}
	for _, d := range defaults.List() {
		if n := strings.Count(want, "\n| `"+d.ID+"` |"); n != 3 {
			t.Errorf("%s stands in %d tables, want 3", d.ID, n)
		}
	}
}

// TestExceptionsAreFilled holds that each null and each empty list of the page is filled by its default: only then Argo CD differs.
func TestExceptionsAreFilled(t *testing.T) {
	set := everything(t)
	tested := 0
	for _, d := range defaults.List() {
		nulls, lists, err := exceptions(d)
		if err != nil {
			t.Fatal(err)
		}
		for value, fields := range map[string][]string{"null": slices.Concat(nulls, lists), "[]": lists} {
			for _, field := range fields {
				if !slices.ContainsFunc(objects(t), func(sample map[string]any) bool { return fillsAt(t, set, d.ID, sample, field, value) }) {
					t.Errorf("%s: %s: %s is not filled in any sample", d.ID, field, value)
				}
				tested++
			}
		}
	}
	if tested < 50 {
		t.Errorf("%d fields, want at least 50: is the table whole?", tested)
	}
	// The test can fail: a field that no default fills is not filled.
	if slices.ContainsFunc(objects(t), func(s map[string]any) bool { return fillsAt(t, set, "resources", s, "spec.nodeSelector", "null") }) {
		t.Error("a field that nobody fills is filled")
	}
}

// everything is the defaults with a value for each.
func everything(t *testing.T) *defaults.Set {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(checkout, "examples", "profile.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := v1alpha1.DecodeProfile(raw)
	if err != nil {
		t.Fatal(err)
	}
	p.Spec.Defaults.Resources.CPULimit = "1"
	p.Spec.Defaults.Labels.Values = v1alpha1.LabelValues{Name: "{app}", Component: "web", PartOf: "shop", ManagedBy: "git"}
	set, err := defaults.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// objects returns what is to be filled, one object of each sort.
func objects(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for _, text := range []string{
		`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","namespace":"n"},"spec":{"template":{"metadata":{},"spec":{
			"initContainers":[{"name":"first","image":"a"}],
			"containers":[{"name":"app","image":"a","ports":[{"name":"http","containerPort":8080}]}]}}}}`,
		// The sidecar makes the list of init containers itself.
		`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","namespace":"n"},"spec":{"template":{"metadata":{},"spec":{
			"containers":[{"name":"app","image":"a","ports":[{"name":"http","containerPort":8080}]}]}}}}`,
		`{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a","namespace":"n"}}`,
		`{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"a","namespace":"n"},"spec":{}}`,
	} {
		var sample map[string]any
		if err := json.Unmarshal([]byte(text), &sample); err != nil {
			t.Fatal(err)
		}
		all = append(all, sample)
	}
	return all
}

// fillsAt puts a value at a field of a sample, below its template where it has one, and reports whether a default fills it.
func fillsAt(t *testing.T, set *defaults.Set, id string, sample map[string]any, field, value string) bool {
	t.Helper()
	var path []string
	if sample["kind"] == "Deployment" {
		path = []string{"spec", "template"}
	}
	for _, token := range tokensOf(field) {
		if token == "[]" {
			token = "[0]"
		}
		path = append(path, strings.Trim(token, "[]"))
	}
	var v any
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		t.Fatal(err)
	}
	if !put(sample, path, v) {
		return false
	}
	raw, err := json.Marshal(sample)
	if err != nil {
		t.Fatal(err)
	}
	o, err := object.New(raw)
	if err != nil {
		t.Fatal(err)
	}
	ns := &convention.Namespace{Name: "n", Labels: map[string]string{convention.IRSALabel: convention.Enabled}}
	out := set.Fill(defaults.Request{Operation: "CREATE", Object: o, Namespace: ns, NamespaceName: "n"})
	at := object.Pointer(path...)
	return slices.ContainsFunc(out.Filled, func(f defaults.Filled) bool {
		return f.ID == id && slices.ContainsFunc(f.Paths, func(p string) bool { return p == at || strings.HasPrefix(p, at+"/") })
	})
}

// put sets a member, and makes the objects that it lies in; it does not make lists.
func put(v any, path []string, value any) bool {
	switch v := v.(type) {
	case map[string]any:
		if len(path) == 1 {
			v[path[0]] = value
			return true
		}
		if _, has := v[path[0]]; !has {
			if slices.Contains([]string{"containers", "initContainers"}, path[0]) {
				return false
			}
			v[path[0]] = map[string]any{}
		}
		return put(v[path[0]], path[1:], value)
	case []any:
		return len(path) > 1 && path[0] == "0" && put(v[0], path[1:], value)
	}
	return false
}

// TestTokens holds that no part of a path is lost.
func TestTokens(t *testing.T) {
	for path, want := range map[string][]string{
		"spec.ingressClassName":                        {"spec", "ingressClassName"},
		"template.spec.containers[].volumeMounts[]":    {"template", "spec", "containers", "[]", "volumeMounts", "[]"},
		"metadata.annotations[eks.amazonaws.com/role]": {"metadata", "annotations", "[eks.amazonaws.com/role]"},
	} {
		if got := tokensOf(path); !slices.Equal(got, want) || joined(got) != path {
			t.Errorf("%s: %q, joined %s", path, got, joined(got))
		}
	}
}
