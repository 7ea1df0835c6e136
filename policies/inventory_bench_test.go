package policies

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// BenchmarkInventory reports what ten thousand objects take of the heap, and what it costs to change one of them and to read the
// inventory after that, and when nothing has changed.
func BenchmarkInventory(b *testing.B) {
	const objects = 10_000
	for name, tc := range map[string]struct {
		declaration string
		object      func(i int) []byte
	}{
		"ingresses": {
			`- {name: o, group: g, version: v1, kind: K, by: "spec.rules[].host", fields: ["metadata.annotations[kubernetes.io/ingress.class]", spec.ingressClassName, "spec.rules[].host", "spec.rules[].http.paths[].path", "spec.rules[].http.paths[].pathType"]}`,
			func(i int) []byte { return ingress(i, fmt.Sprintf("h%d.example.com", i)) },
		},
		"pods": {
			`- {name: o, group: g, version: v1, kind: K, by: metadata.namespace, fields: [metadata.labels, spec.serviceAccountName, "spec.containers[].image"]}`,
			replica,
		},
	} {
		b.Run(name, func(b *testing.B) {
			set := load(b, nil, join(declaring("x", tc.declaration, dump)))
			var before, after runtime.MemStats
			inv := NewInventory(set)
			collected(&before)
			for i := range objects {
				if err := inv.PutDecoded("g", "K", decoded(b, string(tc.object(i)))); err != nil {
					b.Fatal(err)
				}
			}
			inv.MarkSynced("g", "K")
			inv.Snapshot()
			collected(&after)
			perObject := float64(after.HeapAlloc-before.HeapAlloc) / objects
			other := strings.NewReplacer(`"Prefix"`, `"Exact"`, "0123abc", "4567def").Replace(string(tc.object(0)))
			two := [2]map[string]any{decoded(b, string(tc.object(0))), decoded(b, other)}
			b.Run("write", func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := inv.PutDecoded("g", "K", two[i%2]); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(perObject, "B/object")
			})
			b.Run("write and read", func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := inv.PutDecoded("g", "K", two[i%2]); err != nil {
						b.Fatal(err)
					}
					inv.Snapshot()
				}
			})
			b.Run("read", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, missing := inv.Snapshot().read(set.policies[0].inventory); missing != "" {
						b.Fatal(missing)
					}
				}
			})
		})
	}
}

func collected(stats *runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(stats)
}

// replica is one of thirty Pods of a Deployment, with what a kubelet says of it left out.
func replica(i int) []byte {
	app := i / 30
	return fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"app%d-6c9f5d7b8d-%05d","namespace":"ns%d","labels":{"app.kubernetes.io/name":"app%d",`+
		`"app.kubernetes.io/part-of":"store","pod-template-hash":"6c9f5d7b8d"},"annotations":{"a":%q}},"spec":{"serviceAccountName":"app%d","containers":[{"name":"app",`+
		`"image":"registry.example.com/team/app%d:0123abc","args":["--x"]},{"name":"proxy","image":"registry.example.com/platform/proxy:1"}]}}`,
		app, i, app%100, app, strings.Repeat("x", 200), app, app)
}
