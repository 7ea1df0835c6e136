package defaults

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/internal/object"
)

// fiveProfile enforces five defaults, those that most platforms begin with, and switches the others off.
func fiveProfile(tb testing.TB) []byte {
	tb.Helper()
	raw := profileOf(tb, "none")
	for _, id := range []string{"read-only-root-filesystem", "resources", "seccomp", "no-privilege-escalation", "no-service-links"} {
		raw = overlay(tb, raw, fmt.Appendf(nil, `{"spec":{"defaults":{%q:{"mode":"enforce"}}}}`, id))
	}
	return raw
}

// minimal is a minimal Deployment.
func minimal(image string) []byte { return manyContainers(1, image) }

// manyContainers is a Deployment of n containers.
func manyContainers(n int, image string) []byte {
	var containers []string
	for i := range n {
		name := "web"
		if i > 0 {
			name += itoa(i)
		}
		containers = append(containers, fmt.Sprintf(`{"name":%q,"image":%q,"ports":[{"containerPort":%d}]}`, name, image, 8080-i))
	}
	return []byte(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"shop","namespace":"team-a"},"spec":{"selector":{"matchLabels":{"app":"shop"}},` +
		`"template":{"metadata":{"labels":{"app":"shop"}},"spec":{"containers":[` + strings.Join(containers, ",") + `]}}}}`)
}

// filling is a request that is filled again and again.
type filling struct {
	name string
	set  *Set
	fixture
}

// fillings are what benchmarks and budgets are about.
func fillings(tb testing.TB) []filling {
	tb.Helper()
	set := func(profile []byte) *Set {
		s, err := newSet(tb, profile)
		if err != nil {
			tb.Fatal(err)
		}
		return s
	}
	five, all := set(fiveProfile(tb)), set(profileOf(tb, ""))
	builtin := set([]byte(`{"apiVersion":"gesso.dev/v1alpha1","kind":"Profile","metadata":{"name":"builtin"}}`))
	create := func(input []byte) fixture {
		return fixture{operation: "CREATE", input: input, namespace: namespaces()[0]}
	}
	live := func(s *Set, input []byte) []byte {
		r := create(input).request(tb, input)
		s.Fill(r)
		return r.Object.Root.Bytes()
	}
	update := func(input, old []byte) fixture {
		return fixture{operation: "UPDATE", input: input, old: old, namespace: namespaces()[0]}
	}
	liveFive, liveAll := live(five, minimal("shop:1")), live(all, minimal("shop:1"))
	pod := []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"shop","namespace":"team-a","ownerReferences":[{"controller":true}]},` +
		`"spec":{"containers":[{"name":"web","image":"shop:1"}]}}`)
	scaled := func(live []byte) []byte {
		return bytes.Replace(live, []byte(`"spec":{"selector"`), []byte(`"spec":{"replicas":3,"selector"`), 1)
	}
	image := func(live []byte) []byte { return bytes.Replace(live, []byte("shop:1"), []byte("shop:2"), 1) }
	return []filling{
		{"create, five", five, create(minimal("shop:1"))},
		{"create, built-in", builtin, create(minimal("shop:1"))},
		{"create", all, create(minimal("shop:1"))},
		{"create, five, 10 containers", five, create(manyContainers(10, "shop:1"))},
		{"create, five, 60 containers", five, create(manyContainers(60, "shop:1"))},
		{"pod of a controller", all, fixture{operation: "CREATE", input: pod, namespace: namespaces()[2]}},
		{"again, five", five, update(scaled(liveFive), liveFive)},
		{"again", all, update(scaled(liveAll), liveAll)},
		{"same manifest, five", five, update(minimal("shop:1"), liveFive)},
		{"same manifest", all, update(minimal("shop:1"), liveAll)},
		{"deploy, five", five, update(minimal("shop:2"), liveFive)},
		{"deploy", all, update(minimal("shop:2"), liveAll)},
		{"deploy by apply, five", five, update(image(liveFive), liveFive)},
		{"deploy by apply", all, update(image(liveAll), liveAll)},
	}
}

// ready returns what fills the request once: filling never changes what was parsed.
func (f filling) ready(tb testing.TB) func() (Outcome, *object.Node) {
	tb.Helper()
	r := f.request(tb, f.input)
	parsed := *r.Object
	return func() (Outcome, *object.Node) {
		o := parsed
		r.Object = &o
		return f.set.Fill(r), o.Root
	}
}

// BenchmarkFill measures filling alone, without parsing: a workload that is created, one that is scaled, one whose manifest is put once
// more, one with another image; and what nothing is to be done about.
func BenchmarkFill(b *testing.B) {
	for _, f := range fillings(b) {
		b.Run(f.name, func(b *testing.B) {
			fill := f.ready(b)
			b.ReportAllocs()
			for b.Loop() {
				fill()
			}
		})
	}
}

// BenchmarkFillFromBytes measures filling with the parsing of the object, of which only what is needed is read.
func BenchmarkFillFromBytes(b *testing.B) {
	for _, f := range fillings(b) {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := Request{Operation: f.operation, Namespace: f.namespace, NamespaceName: "team-a"}
				r.Object = scanned(b, f.input)
				if f.old != nil {
					r.Old = scanned(b, f.old)
				}
				f.set.Fill(r)
			}
		})
	}
}

func scanned(tb testing.TB, data []byte) *object.Object {
	tb.Helper()
	root, err := object.Scan(data)
	if err != nil {
		tb.Fatal(err)
	}
	o, err := object.Of(root)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}
