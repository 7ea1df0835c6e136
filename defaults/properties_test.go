package defaults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/gesso-dev/gesso/internal/object"
)

// checkProperties fills f's object and holds what is true of filling any object with any Profile; it returns the outcome.
func checkProperties(tb testing.TB, f fixture) Outcome {
	tb.Helper()
	one, err := newSet(tb, f.profile)
	if err != nil {
		tb.Fatalf("fragment: %v", err)
	}
	two, err := newSet(tb, f.profile) // another replica
	if err != nil {
		tb.Fatalf("fragment: %v", err)
	}
	return checkFill(tb, f, one, two)
}

func checkFill(tb testing.TB, f fixture, one, two *Set) Outcome {
	tb.Helper()
	input := f.input
	r := f.request(tb, input)
	out := one.Fill(r)
	filled := slices.Clone(r.Object.Root.Bytes())

	again := f.request(tb, input)
	if other := two.Fill(again); !reflect.DeepEqual(out, other) { // cmp only says how: it is slow
		tb.Errorf("two sets of one Profile disagree:\n%s", cmp.Diff(out, other))
	}
	if !bytes.Equal(filled, again.Object.Root.Bytes()) {
		tb.Errorf("two sets of one Profile give different bytes:\n%s\n%s", filled, again.Object.Root.Bytes())
	}
	if _, err := object.New(filled); err != nil {
		tb.Errorf("what was filled is no object: %v\n%s", err, filled)
		return out
	}

	checkPatch(tb, f.operation, input, filled, out)
	checkUntouched(tb, input, filled)
	checkSaysWhy(tb, r.Object, out)
	checkFamilies(tb, r.Object, out)
	checkTyped(tb, r.Object, input, filled)

	checkSecond(tb, f, one, filled, out)
	return out
}

// checkSecond fills what was filled, as it would be sent once more and as it would be sent as an update of itself.
func checkSecond(tb testing.TB, f fixture, set *Set, filled []byte, first Outcome) {
	tb.Helper()
	for _, operation := range []string{f.operation, "UPDATE"} {
		g := f
		g.operation = operation
		if operation != f.operation {
			g.old = filled
		}
		r := g.request(tb, filled)
		second := set.Fill(r)
		if len(second.Patch) > 0 || len(second.Filled) > 0 || !bytes.Equal(r.Object.Root.Bytes(), filled) {
			tb.Errorf("%s of what was filled fills again: %s", operation, mustJSON(second.Patch))
		}
		if operation == "CREATE" && !r.Object.ControllerOwned() {
			if !reflect.DeepEqual(first.Preview, second.Preview) {
				tb.Errorf("the preview of what was filled differs:\n%s", cmp.Diff(first.Preview, second.Preview))
			}
		}
		for _, w := range second.Warnings {
			if strings.HasPrefix(w, "explicit-null") {
				tb.Errorf("filling left a null or an empty list: %s", w)
			}
		}
	}
}

// checkPatch applies the patch as the API server does.
func checkPatch(tb testing.TB, operation string, input, filled []byte, out Outcome) {
	tb.Helper()
	if len(out.Patch) == 0 {
		if out.Patch != nil || !bytes.Equal(input, filled) {
			tb.Errorf("without a patch something changed: filled %v\n%s\n%s", out.Filled, input, filled)
		}
		return
	}
	if len(out.Filled) == 0 && operation == "CREATE" {
		tb.Errorf("a patch, but nothing is reported as filled: %s", mustJSON(out.Patch))
	}
	for _, op := range out.Patch {
		if op.Op != "add" && operation == "CREATE" {
			tb.Errorf("operation %q, want nothing but add", op.Op)
		}
	}
	patch, err := jsonpatch.DecodePatch(mustJSON(out.Patch))
	if err != nil {
		tb.Fatalf("decode the patch: %v", err)
	}
	applied, err := patch.Apply(input)
	if err != nil {
		tb.Fatalf("apply %s: %v", mustJSON(out.Patch), err)
	}
	if got, want := decode(tb, applied), decode(tb, filled); !reflect.DeepEqual(got, want) {
		tb.Errorf("the patch does not make what was filled (-patched +filled):\n%s", cmp.Diff(got, want))
	}
}

// checkUntouched holds that all that the author wrote is there, with the same bytes and in the same order.
func checkUntouched(tb testing.TB, input, filled []byte) {
	tb.Helper()
	before, err := object.Parse(input)
	if err != nil {
		tb.Fatal(err)
	}
	after, err := object.Parse(filled)
	if err != nil {
		tb.Fatal(err)
	}
	untouched(tb, before, after, nil)
}

func untouched(tb testing.TB, before, after *object.Node, path []string) {
	tb.Helper()
	if before.Missing() {
		return // null and [] count as absent
	}
	if before.Type() != after.Type() || after.Len() < before.Len() {
		tb.Errorf("%s: was %s, is %s", object.FieldPath(path...), before.Bytes(), after.Bytes())
		return
	}
	switch before.Type() {
	case object.Map:
		var names []string // in the order of after
		for name := range after.Members() {
			names = append(names, name)
		}
		at := 0
		for name, value := range before.Members() {
			if at >= len(names) || names[at] != name {
				tb.Errorf("%s: members were reordered or are gone", object.FieldPath(object.Join(path, name)...))
				return
			}
			at++
			untouched(tb, value, after.Get(name), object.Join(path, name))
		}
	case object.Array:
		for i, e := range before.Elements() {
			untouched(tb, e, after.Get(strconv.Itoa(i)), object.Join(path, strconv.Itoa(i)))
		}
	default:
		if !bytes.Equal(before.Bytes(), after.Bytes()) {
			tb.Errorf("%s: was %s, is %s", object.FieldPath(path...), before.Bytes(), after.Bytes())
		}
	}
}

// checkSaysWhy holds that every default of the kind either acted or gave a reason, and that no reason is made up.
func checkSaysWhy(tb testing.TB, o *object.Object, out Outcome) {
	tb.Helper()
	said := map[string]bool{}
	for _, list := range [][]Filled{out.Filled, out.Preview} {
		for _, f := range list {
			said[f.ID] = true
		}
	}
	for _, s := range out.Skipped {
		said[s.ID] = true
	}
	for _, d := range List() {
		acts := slices.ContainsFunc(d.Kinds, func(k Kind) bool { return k.GroupKind == o.GroupKind() })
		if acts != said[d.ID] {
			tb.Errorf("%s: acts on %s: %v, said something: %v", d.ID, o.Kind, acts, said[d.ID])
		}
	}
}

// checkFamilies holds that a default writes only what its Paths say: they become the white list of the record.
func checkFamilies(tb testing.TB, o *object.Object, out Outcome) {
	tb.Helper()
	families := map[string][]string{}
	for _, d := range List() {
		families[d.ID] = d.Paths
	}
	prefix := ""
	if tpl := o.Template(); tpl != nil {
		prefix = object.Pointer(tpl.Path...)
	}
	for _, f := range slices.Concat(out.Filled, out.Preview) {
		for _, p := range f.Paths {
			name := strings.TrimPrefix(p, "/")
			if below, ok := strings.CutPrefix(p, prefix+"/"); ok && o.Template() != nil {
				name = "template/" + below
			}
			if !slices.ContainsFunc(families[f.ID], func(family string) bool { return inFamily(name, family) }) {
				tb.Errorf("%s wrote %s, which is in none of its families %q", f.ID, p, families[f.ID])
			}
		}
	}
}

func inFamily(pointer, family string) bool {
	tokens := strings.Split(pointer, "/")
	for i := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(tokens[i], "~1", "/"), "~0", "~")
	}
	var want []string
	for rest := family; rest != ""; {
		name := rest
		if end := strings.IndexAny(rest, ".["); end > 0 {
			name, rest = rest[:end], rest[end:]
		} else {
			rest = ""
		}
		want = append(want, name)
		if strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			want, rest = append(want, rest[1:end]), rest[end+1:]
		}
		rest = strings.TrimPrefix(rest, ".")
	}
	if strings.HasSuffix(family, "[]") && len(tokens) > len(want) {
		tokens = tokens[:len(want)] // a part of an element that only Gesso makes
	}
	return slices.EqualFunc(tokens, want, func(token, want string) bool { return token == want || want == "" })
}

// checkTyped holds that a built-in object which Kubernetes' own types read strictly is still read so after filling.
func checkTyped(tb testing.TB, o *object.Object, input, filled []byte) {
	tb.Helper()
	into, ok := typed(o.GroupKind())
	if !ok {
		return
	}
	strict := func(data []byte) error {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(reflect.New(reflect.TypeOf(into).Elem()).Interface()); err != nil {
			return fmt.Errorf("decode %s: %w", o.Kind, err)
		}
		return nil
	}
	if strict(input) != nil {
		return
	}
	if err := strict(filled); err != nil {
		tb.Errorf("Kubernetes read what was submitted and does not read what was filled: %v\n%s", err, filled)
	}
}

func typed(gk object.GroupKind) (into any, ok bool) {
	into, ok = map[object.GroupKind]any{
		{Group: "apps", Kind: "Deployment"}:           &appsv1.Deployment{},
		{Group: "apps", Kind: "StatefulSet"}:          &appsv1.StatefulSet{},
		{Group: "apps", Kind: "DaemonSet"}:            &appsv1.DaemonSet{},
		{Group: "apps", Kind: "ReplicaSet"}:           &appsv1.ReplicaSet{},
		{Group: "batch", Kind: "Job"}:                 &batchv1.Job{},
		{Group: "batch", Kind: "CronJob"}:             &batchv1.CronJob{},
		{Kind: "Pod"}:                                 &corev1.Pod{},
		{Kind: "ReplicationController"}:               &corev1.ReplicationController{},
		{Kind: "ServiceAccount"}:                      &corev1.ServiceAccount{},
		{Group: "networking.k8s.io", Kind: "Ingress"}: &networkingv1.Ingress{},
	}[gk]
	return into, ok
}

// TestTypedKnowsEveryKind keeps the check above from passing by not looking.
func TestTypedKnowsEveryKind(t *testing.T) {
	kinds := map[object.GroupKind]bool{}
	for _, d := range List() {
		for _, k := range d.Kinds {
			kinds[k.GroupKind] = true
		}
	}
	for gk := range maps.Keys(kinds) {
		if _, ok := typed(gk); !ok {
			t.Errorf("no type for %s", gk.Kind)
		}
	}
}
