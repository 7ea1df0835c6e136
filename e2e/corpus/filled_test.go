package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// filledAll creates every object with Gesso at work, as a dry run. One that is accepted without it is accepted, keeps all that it had,
// is what gesso review makes of it, and reviewed once more it is left as it is.
func filledAll(t *testing.T, entries []entry, was []*unstructured.Unstructured, g *gesso, ns string, labels map[string]string) {
	t.Helper()
	sum := newSummary(t, "filled in "+ns)
	flags := append(slices.Clone(g.flags), "-n", ns, "--namespaces", namespaceFile(t, ns, labels))
	accepted, before := pick(entries, was)
	moved := slices.Clone(accepted)
	for i := range moved {
		moved[i] = moved[i].in(ns)
	}
	offline := reviewed(t, moved, sum, flags...)
	result := make([]entry, len(accepted)) // what came back
	each(t, accepted, sum, func(i int, e entry) {
		is, err := dryRun(t.Context(), ns, e.object)
		if err != nil {
			sum.fail(e, "accepted without Gesso, and refused with it: %v", err)
			return
		}
		random := e.object.GetName() == ""
		a, b := parts(t, before[i], random), parts(t, is, random)
		if problems := lost(a, b, ""); len(problems) > 0 {
			sum.fail(e, "changed by filling:\n%s", strings.Join(problems, "\n"))
		}
		sum.count(e, text(a) != text(b))
		result[i] = entry{source: e.source, object: nameless(is, random)}
		if result[i].raw, err = result[i].object.MarshalJSON(); err != nil {
			sum.fail(e, "%v", err)
		}
		sameOffline(t, e, offline[i], is, ns, sum)
	})
	result = slices.DeleteFunc(result, func(e entry) bool { return e.object == nil })
	for i, again := range reviewed(t, result, sum, flags...) {
		if again != nil && len(again.Patch) > 0 {
			sum.fail(result[i], "reviewed once more it is filled again: %s", again.Patch)
		}
	}
	sum.print()
}

// pick returns the objects that were accepted, and what was accepted.
func pick(entries []entry, was []*unstructured.Unstructured) (accepted []entry, before []*unstructured.Unstructured) {
	for i, e := range entries {
		if was[i] != nil {
			accepted, before = append(accepted, e), append(before, was[i])
		}
	}
	return accepted, before
}

// in returns the object in another namespace.
func (e entry) in(ns string) entry {
	o := e.object.DeepCopy()
	o.SetNamespace(ns)
	raw, err := o.MarshalJSON()
	if err != nil {
		panic(err) // it was read from JSON
	}
	return entry{source: e.source, raw: raw, object: o}
}

// sameOffline holds that the API server makes the same of the object as filled offline, with nothing left to fill, as of the
// object as Gesso filled it on its way in.
func sameOffline(t *testing.T, e entry, r *result, is *unstructured.Unstructured, ns string, sum *summary) {
	t.Helper()
	if r == nil {
		return // said already
	}
	var filled unstructured.Unstructured
	if err := filled.UnmarshalJSON(r.Reviewed); err != nil {
		sum.fail(e, "what was reviewed is no object: %v", err)
		return
	}
	want, err := dryRun(t.Context(), ns, &filled)
	if err != nil {
		sum.fail(e, "what gesso review makes of it is refused: %v", err)
		return
	}
	random := e.object.GetName() == ""
	a, b := parts(t, want, random), parts(t, is, random)
	if e.object.GetKind() == "Pod" { // the API server copies limits to requests before Gesso is asked, so that they are not Gesso's
		dropRecord(a)
		dropRecord(b)
	}
	if _, selects, _ := unstructured.NestedMap(e.object.Object, "spec", "selector"); e.object.GetKind() == "ReplicationController" && !selects {
		return // it gets one of all labels of its template, so that offline no label is filled
	}
	if text(a) != text(b) {
		sum.fail(e, "filled offline and filled by the server differ:\n%s", strings.Join(slices.Concat(lost(a, b, ""), lost(b, a, "(server)")), "\n"))
	}
}

func dropRecord(pod map[string]any) {
	if annotations, ok := at(pod, "/metadata/annotations").(map[string]any); ok {
		delete(annotations, recordAnnotation)
	}
}

func parts(t *testing.T, o *unstructured.Unstructured, random bool) map[string]any {
	t.Helper()
	out, err := comparable(o, random)
	if err != nil {
		t.Error(err)
	}
	return out
}

// namespaceFile writes the Namespace for gesso review.
func namespaceFile(t *testing.T, ns string, labels map[string]string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "namespace.json")
	raw := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": %q, "labels": %s}}`, ns, text(labels))
	if err := os.WriteFile(file, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
