package policies

import (
	"bytes"
	"os"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies/demand"
)

// reviewOfPod is the review of a Pod as an API server sends it, of 8.8 KB.
func reviewOfPod(tb testing.TB) Review {
	tb.Helper()
	data, err := os.ReadFile("value/testdata/pod.json")
	if err != nil {
		tb.Fatal(err)
	}
	document, err := object.Parse(data)
	if err != nil {
		tb.Fatal(err)
	}
	r := pod(string(document.Get("request").Bytes()))
	r.User = User{Name: "dev", Groups: []string{"system:authenticated"}}
	names := Names{Environment: "prod", App: "shop", Expected: map[string]any{
		"roleArn": "arn:aws:iam::123456789012:role/k8s/main/team-a/shop", "secretScopes": []string{"/prod/team-a/"},
	}}
	r.Derive = func(bool) Names { return names }
	return r
}

// usual is what ten usual policies for Pods read of their input.
func usual() *demand.Node {
	want := &demand.Node{}
	want.Kid("request", "kind", "kind")
	want.Kid("request", "operation")
	labels := want.Kid("request", "object", "metadata", "labels")
	labels.Kid("app.kubernetes.io/name")
	labels.Kid("team")
	for _, field := range []string{"hostNetwork", "hostPID", "hostIPC"} {
		want.Kid("pod", field)
	}
	volume := want.Kid("pod", "volumes").Each()
	volume.Kid("name")
	volume.Kid("hostPath", "path")
	c := want.Kid("containers").Each()
	for _, field := range []string{"name", "path", "kind"} {
		c.Kid(field)
	}
	for _, field := range []string{"ok", "reason", "registry", "tag", "digest", "trimmed"} {
		c.Kid("ref", field)
	}
	c.Kid("resources", "limits", "memory")
	c.Kid("securityContext", "privileged")
	c.Kid("securityContext", "capabilities", "add").Each()
	c.Kid("env").Each().Kid("valueFrom", "secretKeyRef", "name")
	want.Kid("expected", "secretScopes").All = true
	return want
}

// BenchmarkView is what stands between the bytes of a request and the first policy.
func BenchmarkView(b *testing.B) {
	r := reviewOfPod(b)
	whole, projected := newNeed(r.Group, r.Kind, nil), newNeed(r.Group, r.Kind, usual())
	for name, build := range map[string]func() error{
		"parse alone": func() error { _, err := ast.ValueFromReader(bytes.NewReader(r.Request)); return err }, // as a measure
		"whole":       func() error { _, err := newView(r, whole); return err },
		"projected":   func() error { _, err := newView(r, projected); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := build(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestViewAllocations holds the counts, which do not depend on the machine.
func TestViewAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	r := reviewOfPod(t)
	for name, tc := range map[string]struct {
		n     *need
		limit float64
	}{"whole": {newNeed(r.Group, r.Kind, nil), 1200}, "projected": {newNeed(r.Group, r.Kind, usual()), 300}} {
		got := testing.AllocsPerRun(50, func() {
			if _, err := newView(r, tc.n); err != nil {
				t.Fatal(err)
			}
		})
		if t.Logf("%s: %.0f allocations", name, got); got > tc.limit {
			t.Errorf("%s: %.0f allocations, at most %.0f are accepted", name, got, tc.limit)
		}
	}
}
