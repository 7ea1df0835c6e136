package admission_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/object"
)

// TestOnceDecidesTheSame holds the way of the server, which reads a scanned request once and fills its object in place, against that of
// everybody else: the same patch and the same verdict, and the bytes of the request stay as they came.
func TestOnceDecidesTheSame(t *testing.T) {
	engine := setup{}.engine(t)
	var once admission.Request
	var got admission.Result
	for i, m := range manifests(t) {
		q := question{object: string(m.raw), steps: admission.Both}
		if i%3 == 1 {
			q.steps = admission.Fill
		}
		if i%2 == 1 {
			q.old = strings.Replace(q.object, "image", "imagined", 1)
		}
		if _, namespaced := object.Scope(mustObject(t, q.object).GroupKind()); namespaced && !strings.Contains(q.object, `"namespace"`) {
			q.object = strings.Replace(q.object, `"metadata":{`, `"metadata":{"namespace":"team-a",`, 1)
		}
		want := q.request(t)
		raw := q.raw(t)
		before := slices.Clone(raw)
		root, err := object.Scan(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := once.DecodeNode(root); err != nil {
			t.Fatal(err)
		}
		once.Steps, once.Now, once.Namespace, once.Inventory, once.Once = want.Steps, want.Now, want.Namespace, want.Inventory, true
		engine.Answer(t.Context(), &once, &got)
		if got.Reviewed != nil || got.Object != (admission.Reference{}) {
			t.Errorf("%s: what only people read was made: %v, %s", m.source, got.Object, got.Reviewed)
		}
		if diff := cmp.Diff(engine.Review(t.Context(), want), got, cmpopts.IgnoreFields(admission.Result{}, "Object", "Reviewed")); diff != "" {
			t.Errorf("%s (-review +once):\n%s", m.source, diff)
		}
		if !bytes.Equal(before, raw) {
			t.Errorf("%s: the bytes of the request were written to", m.source)
		}
	}
}

func mustObject(t *testing.T, text string) *object.Object {
	t.Helper()
	o, err := object.New([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestHeld: an evaluation that may have been left behind is told of, be it of the new object or, for the ratchet, of the old one.
func TestHeld(t *testing.T) {
	broken := func(field string) setup {
		return setup{policies: map[string]string{"broken": rego("broken", "pods", "deny contains \"new\" if input.request.object.metadata.name == \"web\"\n\n"+
			`deny contains "old" if to_number(input.request.object.metadata.labels.`+field+`) > 1`)}}
	}
	labelled := func(count string) string {
		return pod("registry.example/shop:0123456789abcdef0123456789abcdef01234567", "labels: {count: \""+count+"\"}")
	}
	for name, tc := range map[string]struct {
		field    string
		new, old string
		want     bool
	}{
		"decided":          {"count", "7", "7", false},
		"new object":       {"count", "many", "7", true},
		"only old object":  {"count", "7", "many", true},
		"nothing to count": {"other", "7", "7", false},
	} {
		res := broken(tc.field).engine(t).Review(t.Context(), question{object: labelled(tc.new), old: labelled(tc.old), steps: admission.Judge}.request(t))
		if res.Held != tc.want || len(res.Violations)+len(res.Undecided) == 0 && tc.field == "count" {
			t.Errorf("%s: held is %v, want %v; violations %v, undecided %v", name, res.Held, tc.want, res.Violations, res.Undecided)
		}
	}
}
