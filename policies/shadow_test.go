package policies

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/policies/demand"
)

// shadowed is a set in which every second review is judged on the whole request too. caught is what is reported.
func shadowed(t *testing.T, rules string) (set *Set, caught *[][]string) {
	t.Helper()
	caught = &[][]string{}
	files := map[string]string{"x/x.rego": header + rules}
	set, problems := Load(t.Context(), []Source{source(files)}, map[string]Setting{"x": {Action: Deny}}, Shadow(2, func(ids []string) {
		*caught = append(*caught, ids)
	}))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return set, caught
}

// TestShadow: what is left out of a request and would have counted is found, and from then on nothing is left out.
func TestShadow(t *testing.T) {
	set, caught := shadowed(t, `deny contains c.image if some c in input.containers`)
	plan := set.plan(pod(""))
	if plan.need.Load().request == nil {
		t.Fatal("the whole request is parsed")
	}
	r := pod(`{"object":{"spec":{"containers":[{"image":"a"}]}}}`)
	for range 10 {
		if d := set.Evaluate(t.Context(), r); len(d.Violations) != 1 {
			t.Fatalf("%+v", d)
		}
	}
	if len(*caught) != 0 || set.shadow.off.Load() {
		t.Fatalf("caught %v where there was nothing to catch", *caught)
	}

	wrong := &demand.Node{} // as if nothing were read
	wrong.Kid("request", "operation")
	plan.need.Store(newNeed("", "Pod", wrong))
	var found []int
	for range 4 {
		found = append(found, len(set.Evaluate(t.Context(), r).Violations))
	}
	if diff := cmp.Diff([]int{0, 1, 1, 1}, found); diff != "" {
		t.Errorf("violations: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"x"}}, *caught); diff != "" {
		t.Errorf("caught: -want +got:\n%s", diff)
	}
}

// TestShadowSkips: that time or memory was short is no difference, that a policy could not decide for a reason of its own is one.
func TestShadowSkips(t *testing.T) {
	set, _ := shadowed(t, `deny contains "x" if input.request.object.x`)
	evaluated := func(found []Violation, reason string) *evaluation {
		e := &evaluation{plan: set.plan(pod("")), questions: make([]question, 1)}
		e.questions[0].settle(found, reason)
		return e
	}
	one := []Violation{{Policy: "x", Message: "x"}}
	for name, tc := range map[string]struct {
		a, b *evaluation
		want []string
	}{
		"the same":       {evaluated(one, ""), evaluated(slices.Clone(one), ""), nil},
		"one more":       {evaluated(nil, ""), evaluated(one, ""), []string{"x"}},
		"in other words": {evaluated(nil, "x.rego:1: failed"), evaluated(nil, "x.rego:2: failed"), nil},
		"an error":       {evaluated(one, ""), evaluated(nil, "x.rego:1: failed"), []string{"x"}},
		"late":           {evaluated(one, ""), evaluated(nil, timeReason(t.Context(), 0)), nil},
		"memory":         {evaluated(nil, reasonMemory), evaluated(one, ""), nil},
		"aside":          {evaluated(nil, reasonAside+" for 30s"), evaluated(one, ""), nil},
	} {
		if got := tc.a.differs(tc.b); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// TestNoShadowAlone: without the option nothing is judged twice.
func TestNoShadowAlone(t *testing.T) {
	set := load(t, nil, Library())
	for range 3000 {
		if set.shadow.due() {
			t.Fatal("due")
		}
	}
}
