package admission_test

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
)

func contextWithDeadline(t testing.TB, in time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithDeadline(t.Context(), time.Now().Add(in))
}

// profiles are the two that every property is held under.
func profiles(t testing.TB) map[string]*v1alpha1.Profile {
	t.Helper()
	return map[string]*v1alpha1.Profile{"built-in": v1alpha1.Builtin(), "example": exampleProfile(t)}
}

// TestOneEngine holds that it does not matter who asks, and in how many steps: filling, applying the patch as the API server
// does, and judging what came of it, gives the filled fields and the messages of one review.
func TestOneEngine(t *testing.T) {
	for name, profile := range profiles(t) {
		t.Run(name, func(t *testing.T) {
			e := setup{}.with(t, profile)
			filled, violations := 0, 0
			for _, m := range manifests(t) {
				both := e.Review(t.Context(), m.offline(t, admission.Both))
				fill := e.Review(t.Context(), m.offline(t, admission.Fill))
				after := manifest{m.source, apply(t, m, fill.Patch)}
				judge := e.Review(t.Context(), after.offline(t, admission.Judge))

				sameJSON(t, m.source+": the patch and the object", both.Reviewed, after.raw)
				if len(fill.Violations)+len(fill.Undecided) > 0 || !fill.Allowed {
					t.Errorf("%s: filling judges: %+v", m.source, fill)
				}
				if len(judge.Patch)+len(judge.Defaults)+len(judge.Preview)+len(judge.Skipped) > 0 {
					t.Errorf("%s: judging fills: %+v", m.source, judge)
				}
				for part, pair := range map[string][2]any{
					"patch": {both.Patch, fill.Patch}, "defaults": {both.Defaults, fill.Defaults}, "preview": {both.Preview, fill.Preview},
					"skipped": {both.Skipped, fill.Skipped}, "violations": {both.Violations, judge.Violations}, "allowed": {both.Allowed, judge.Allowed},
					"undecided": {both.Undecided, judge.Undecided}, "warnings": {both.Warnings, append(fill.Warnings, judge.Warnings...)},
				} {
					if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
						t.Errorf("%s: %s (-both +one after the other):\n%s", m.source, part, diff)
					}
				}
				filled, violations = filled+len(both.Defaults), violations+len(both.Violations)
			}
			if filled < 10 || violations < 10 {
				t.Errorf("%d defaults acted and %d violations were found: the manifests test nothing", filled, violations)
			}
		})
	}
}

// TestFillingTwice holds that what has been filled is complete.
func TestFillingTwice(t *testing.T) {
	for name, profile := range profiles(t) {
		t.Run(name, func(t *testing.T) {
			e := setup{}.with(t, profile)
			for _, m := range manifests(t) {
				once := e.Review(t.Context(), m.offline(t, admission.Both))
				twice := e.Review(t.Context(), manifest{m.source, once.Reviewed}.offline(t, admission.Both))
				if len(twice.Patch) > 0 {
					t.Errorf("%s: filled again: %v", m.source, twice.Patch)
				}
				if !bytes.Equal(once.Reviewed, twice.Reviewed) {
					t.Errorf("%s: other bytes at the second time", m.source)
				}
			}
		})
	}
}

// TestReviewIsAFunction: the same request gives the same bytes, again and from another engine, and stays as it is.
func TestReviewIsAFunction(t *testing.T) {
	profile := exampleProfile(t)
	e, other := setup{}.with(t, profile), setup{}.with(t, exampleProfile(t))
	if e.Revision() != other.Revision() {
		t.Errorf("revisions %s and %s of the same Profile and policies", e.Revision(), other.Revision())
	}
	for _, m := range manifests(t) {
		r := m.offline(t, admission.Both)
		first := encode(t, e.Review(t.Context(), r))
		for range 3 {
			if again := encode(t, e.Review(t.Context(), r)); !bytes.Equal(first, again) {
				t.Fatalf("%s: the same request again (-first +again):\n%s", m.source, cmp.Diff(string(first), string(again)))
			}
		}
		if elsewhere := encode(t, other.Review(t.Context(), m.offline(t, admission.Both))); !bytes.Equal(first, elsewhere) {
			t.Errorf("%s: another engine (-one +other):\n%s", m.source, cmp.Diff(string(first), string(elsewhere)))
		}
	}
}

// TestFinalStateIsJudged: policies see what was filled, and the namespace that the author left to kubectl; what is printed has
// the former only.
func TestFinalStateIsJudged(t *testing.T) {
	e := setup{policies: map[string]string{"final": rego("final", "pods", `
deny contains "not filled" if input.containers[0].securityContext.readOnlyRootFilesystem != true

deny contains "not filled" if not input.containers[0].securityContext

deny contains "nowhere" if not input.request.object.metadata.namespace`)}}.engine(t)
	for name, namespace := range map[string]string{"named": `,"namespace":"team-a"`, "left to kubectl": ""} {
		t.Run(name, func(t *testing.T) {
			m := manifest{name, []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"` + namespace + `},"spec":{"containers":[{"name":"web","image":"shop:1","args":["<&>"]}]}}`)}
			both := e.Review(t.Context(), m.offline(t, admission.Both))
			if diff := cmp.Diff([]string{"allowed=true"}, verdict(&both)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
			sameJSON(t, "the patch and the object", both.Reviewed, apply(t, m, both.Patch))
			if !bytes.Contains(both.Reviewed, []byte(`"<&>"`)) {
				t.Errorf("the author's bytes changed: %s", both.Reviewed)
			}
			if len(both.Skipped) == 0 {
				t.Error("no reason why the sidecar was not added")
			}
			judge := e.Review(t.Context(), m.offline(t, admission.Judge))
			if diff := cmp.Diff([]string{"allowed=false", "deny final "}, verdict(&judge)); diff != "" {
				t.Errorf("unfilled (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRevision: whatever changes an answer changes the revision.
func TestRevision(t *testing.T) {
	seen := map[string]string{}
	for name, s := range map[string]setup{
		"built-in":           {},
		"another value":      {profile: "environment: dev"},
		"another action":     {profile: "policies: {image-tag: {action: warn}}"},
		"an exception":       {exceptions: []string{exception("image-tag", "kinds: [Pod]", "2027-02-01T00:00:00Z")}},
		"a further policy":   {policies: map[string]string{"x": rego("x", "pods", `deny contains "x"`)}},
		"another policy":     {policies: map[string]string{"x": rego("x", "pods", `deny contains "y"`)}},
		"another parameters": {profile: "policies: {external-secret-scope: {parameters: {perApp: true}}}"},
	} {
		revision := s.engine(t).Revision()
		if before, twice := seen[revision]; twice {
			t.Errorf("%s and %s have the revision %s", before, name, revision)
		}
		seen[revision] = name
	}
}

// TestConcurrentReviews: one engine, one request and many goroutines; the race detector looks on.
func TestConcurrentReviews(t *testing.T) {
	e := setup{exceptions: []string{exception("image-tag", "kinds: [CronJob]", "2027-02-01T00:00:00Z")}}.with(t, exampleProfile(t))
	all := manifests(t)
	requests, want := make([]admission.Request, len(all)), make([][]byte, len(all))
	for i, m := range all {
		requests[i] = m.offline(t, admission.Both)
		want[i] = encode(t, e.Review(t.Context(), m.offline(t, admission.Both)))
	}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := g % 4; i < len(requests); i += 4 { // each is reviewed twice, by two at once
				res := e.Review(t.Context(), requests[i])
				if got, err := json.Marshal(res); err != nil || !bytes.Equal(got, want[i]) {
					t.Errorf("%s: another answer among others: %v", all[i].source, err)
				}
			}
		})
	}
	group.Wait()
}

// TestResultHasNoNulls: every list of a result is there, and reviewed is null for a DELETE only.
func TestResultHasNoNulls(t *testing.T) {
	e := setup{}.engine(t)
	for name, q := range map[string]question{
		"nothing acts": {object: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: team-a}"},
		"excluded":     {object: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-system}"},
		"filled":       {object: deployment("shop:1")},
		"denied":       {object: deployment("shop:latest")},
		"fill only":    {object: deployment("shop:latest"), steps: admission.Fill},
		"judge only":   {object: deployment("shop:latest"), steps: admission.Judge},
		"deleted":      {operation: admission.Delete, old: deployment("shop:latest")},
	} {
		t.Run(name, func(t *testing.T) {
			res := e.Review(t.Context(), q.request(t))
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(encode(t, res), &fields); err != nil {
				t.Fatal(err)
			}
			for _, list := range []string{"undecided", "defaults", "preview", "skipped", "violations", "warnings", "patch"} {
				if raw := fields[list]; len(raw) == 0 || raw[0] != '[' {
					t.Errorf("%s is %s", list, raw)
				}
			}
			if isNull := string(fields["reviewed"]) == "null"; isNull != (q.operation == admission.Delete) {
				t.Errorf("reviewed is %s", fields["reviewed"])
			}
			if len(fields) != 12 {
				t.Errorf("%d fields, want 12: %v", len(fields), fields)
			}
		})
	}
}

// TestExcludedNamespaces: the registration's exclusions are the engine's, and a Namespace is a part of itself.
func TestExcludedNamespaces(t *testing.T) {
	e := setup{profile: "excludedNamespaces: [legacy]", own: "gesso-system"}.engine(t)
	for namespace, want := range map[string]bool{
		"kube-system": true, "kube-node-lease": true, "legacy": true, "gesso-system": true, "team-a": false, "kube-public": false,
	} {
		for field, text := range map[string]string{
			"metadata.namespace": "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: " + namespace + "}\nspec: {containers: [{name: web, image: \"shop:latest\"}]}",
			"metadata.name":      "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + namespace + "}",
		} {
			res := e.Review(t.Context(), question{object: text}.request(t))
			alone := reflect.DeepEqual(res.Skipped, []admission.Skipped{{ID: "*", Reason: "excluded-namespace", Field: field}})
			if alone != want {
				t.Errorf("%s %s: left alone is %t, want %t: %+v", field, namespace, alone, want, res.Skipped)
			}
			if alone && (!res.Allowed || len(res.Patch)+len(res.Violations) > 0) {
				t.Errorf("%s %s is excluded and has a verdict: %+v", field, namespace, res)
			}
		}
	}
}

// apply applies a patch as the API server does.
func apply(t testing.TB, m manifest, operations any) []byte {
	t.Helper()
	raw, err := json.Marshal(operations)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := jsonpatch.DecodePatch(raw)
	if err != nil {
		t.Fatalf("%s: %v", m.source, err)
	}
	after, err := patch.Apply(m.raw)
	if err != nil {
		t.Fatalf("%s: %v", m.source, err)
	}
	return after
}

func sameJSON(t testing.TB, what string, a, b []byte) {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if diff := cmp.Diff(x, y); diff != "" {
		t.Errorf("%s differ:\n%s", what, diff)
	}
}

func encode(t testing.TB, res admission.Result) []byte {
	t.Helper()
	raw, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
