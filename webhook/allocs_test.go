package webhook

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
)

// same answers every request with the same result.
type same struct{ result admission.Result }

func (s *same) Answer(_ context.Context, _ *admission.Request, result *admission.Result) {
	*result = s.result
}

// TestAllocations holds how often the way from the body to the answer takes memory. The server below and the policies above are not in it.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector changes what is allocated")
	}
	known := &convention.Namespace{Name: "team-a"}
	denied := &same{result: admission.Result{
		Violations: []admission.Violation{
			{Policy: "image-tag", Action: "deny", Field: "spec.template.spec.containers[0].image", Message: `container "web": the tag "latest" moves`, Fix: "use the commit hash"},
			{Policy: "host-namespaces", Action: "deny", Field: "spec.template.spec.hostNetwork", Message: "hostNetwork is not allowed"},
		},
		Revision: "0123456789ab",
	}}
	patched := &same{result: admission.Result{
		Allowed: true, Revision: "0123456789ab",
		Patch: []object.Operation{
			{Op: "add", Path: "/spec/template/spec/securityContext", Value: json.RawMessage(`{"seccompProfile":{"type":"RuntimeDefault"}}`)},
			{Op: "add", Path: "/spec/template/spec/enableServiceLinks", Value: json.RawMessage(`false`)},
		},
		Defaults: []admission.Filled{
			{ID: "seccomp", Paths: []string{"/spec/template/spec/securityContext"}}, {ID: "no-service-links", Paths: []string{"/spec/template/spec/enableServiceLinks"}},
		},
		Skipped: []admission.Skipped{{ID: "resources", Reason: "already-set"}, {ID: "labels", Reason: "off"}},
	}}
	for name, tc := range map[string]struct {
		entry    admission.Entry
		reviewer Reviewer
		plain    bool
		max      float64
	}{
		"nothing to fill":  {fill, engine(t), true, 9},
		"nothing to judge": {closed, engine(t), true, 9},
		"a denial":         {closed, denied, false, 9},
		"a patch":          {fill, patched, false, 9},
	} {
		t.Run(name, func(t *testing.T) {
			metrics, err := NewMetrics(prometheus.NewRegistry(), Build{})
			if err != nil {
				t.Fatal(err)
			}
			h := NewHandler(tc.entry, Config{
				Reviewer: tc.reviewer, Metrics: metrics,
				Facts: facts(func(context.Context, string) (*convention.Namespace, error) { return known, nil }),
			})
			c := newCaller(t, h, sized(t, 8800, tc.plain))
			if got := testing.AllocsPerRun(200, c.call); got > tc.max {
				t.Errorf("%v allocations for a review, want at most %v", got, tc.max)
			} else {
				t.Logf("%v allocations", got)
			}
			var review struct {
				Response struct {
					Allowed bool
					Status  struct{ Details struct{ Causes []any } }
					Patch   []byte
				}
			}
			if err := json.Unmarshal(c.w.body, &review); err != nil {
				t.Fatal(err)
			}
			r := review.Response
			if r.Allowed == (tc.reviewer == denied) || (len(r.Status.Details.Causes) == 2) == r.Allowed || (len(r.Patch) > 0) != (tc.reviewer == patched) {
				t.Errorf("answer is %s", c.w.body)
			}
		})
	}
}
