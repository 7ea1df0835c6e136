package defaults

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/internal/object"
)

// TestCreatedAgain creates an object as it was filled once more, by a later release with other values. A label that the selector names
// by then, because the API server made the selector of the template's labels, must stay: without it the object would be refused.
func TestCreatedAgain(t *testing.T) {
	const profile = `{"spec":{"defaults":{"labels":{"mode":"enforce","values":{"part-of":"%s","managed-by":"%s"}}}}}`
	set := func(name string) *Set {
		s, err := newSet(t, overlay(t, profileOf(t, "labels"), []byte(strings.ReplaceAll(profile, "%s", name))))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := `{"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"shop","labels":{"app":"shop"}},` +
		`"spec":{"template":{"metadata":{"labels":{"app":"shop"}},"spec":{"containers":[{"name":"web"}]}}}}`
	r := fixture{operation: "CREATE"}.request(t, []byte(first))
	set("one").Fill(r)
	filled := r.Object.Root.Bytes()
	if !bytes.Contains(filled, []byte(`"gesso.dev/filled"`)) || bytes.Count(filled, []byte(`"app.kubernetes.io/part-of":"one"`)) != 2 {
		t.Fatalf("not filled: %s", filled)
	}
	again, err := object.New(slices.Clone(filled))
	if err != nil {
		t.Fatal(err)
	}
	edit := object.Edit(again.Root)
	edit.Set([]string{"spec", "selector"}, []byte(`{"app":"shop","app.kubernetes.io/part-of":"one"}`))
	r = fixture{operation: "CREATE"}.request(t, edit.Root().Bytes())
	set("two").Fill(r)
	labels := r.Object.Template().Node.Get("metadata", "labels")
	if got := labels.Get("app.kubernetes.io/part-of").Str(); got != "one" {
		t.Errorf("the label that the selector names is %q, want one", got)
	}
	if got := labels.Get("app.kubernetes.io/managed-by").Str(); got != "two" {
		t.Errorf("the other label is %q, want two", got)
	}
}
