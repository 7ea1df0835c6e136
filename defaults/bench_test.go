package defaults

import (
	"testing"
)

// BenchmarkFill measures filling a minimal Deployment with every default: as a new object, as one that is applied again, and as one with
// another image.
func BenchmarkFill(b *testing.B) {
	set, err := newSet(b, profileOf(b, ""))
	if err != nil {
		b.Fatal(err)
	}
	manifest := func(image string) []byte {
		return []byte(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"shop","namespace":"team-a"},"spec":{"selector":{"matchLabels":{"app":"shop"}},` +
			`"template":{"metadata":{"labels":{"app":"shop"}},"spec":{"containers":[{"name":"web","image":"` + image + `","ports":[{"containerPort":8080}]}]}}}}`)
	}
	first := fixture{operation: "CREATE", input: manifest("shop:1"), namespace: namespaces()[0]}
	r := first.request(b, first.input)
	set.Fill(r)
	live := r.Object.Root.Bytes()
	for _, c := range []struct {
		name string
		fixture
	}{
		{"create", first},
		{"again", fixture{operation: "UPDATE", input: live, old: live, namespace: first.namespace}},
		{"same manifest", fixture{operation: "UPDATE", input: manifest("shop:1"), old: live, namespace: first.namespace}},
		{"deploy", fixture{operation: "UPDATE", input: manifest("shop:2"), old: live, namespace: first.namespace}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				r := c.request(b, c.input)
				b.StartTimer()
				set.Fill(r)
			}
		})
	}
}
