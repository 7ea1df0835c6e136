package value

import (
	"bytes"
	"os"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/demand"
)

// review is an AdmissionReview of a Pod as an API server sends it.
func review(tb testing.TB) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/pod.json")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// usual is what ten usual policies for Pods read of a review.
func usual() *demand.Node {
	root := &demand.Node{}
	request := root.Kid("request")
	request.Kid("kind", "kind")
	request.Kid("operation")
	request.Kid("namespace")
	object := request.Kid("object")
	for _, label := range []string{"app.kubernetes.io/name", "team"} {
		object.Kid("metadata", "labels", label)
	}
	spec := object.Kid("spec")
	for _, field := range []string{"hostNetwork", "hostPID", "hostIPC"} {
		spec.Kid(field)
	}
	volume := spec.Kid("volumes").Each()
	volume.Kid("name")
	volume.Kid("hostPath", "path")
	volume.Kid("secret", "secretName")
	for _, list := range []string{"containers", "initContainers", "ephemeralContainers"} {
		c := spec.Kid(list).Each()
		c.Kid("name")
		c.Kid("image")
		c.Kid("resources", "limits", "memory")
		c.Kid("resources", "limits", "cpu")
		c.Kid("securityContext", "privileged")
		c.Kid("securityContext", "capabilities", "add").Each()
		c.Kid("securityContext", "capabilities", "drop").Each()
		c.Kid("env").Each().Kid("valueFrom", "secretKeyRef", "name")
	}
	return root.Fold()
}

// reference reads with OPA's own reader.
func reference(tb testing.TB, data []byte) ast.Value {
	tb.Helper()
	v, err := ast.ValueFromReader(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// project is the demand's doc comment once more, on a value that is there as a whole.
func project(v ast.Value, want *demand.Node) ast.Value {
	if want == nil || want.All {
		return v
	}
	switch v := v.(type) {
	case *ast.Array:
		var items []*ast.Term
		for i := range v.Len() {
			if want.Elem != nil {
				items = append(items, ast.NewTerm(project(v.Elem(i).Value, want.Elem)))
			}
		}
		return ast.NewArray(items...)
	case ast.Object:
		var members [][2]*ast.Term
		v.Foreach(func(key, value *ast.Term) {
			name, _ := key.Value.(ast.String)
			kid := &demand.Node{}
			kid.Add(want.Kids[string(name)])
			kid.Add(want.Elem)
			if want.Kids[string(name)] != nil || want.Elem != nil {
				members = append(members, ast.Item(key, ast.NewTerm(project(value.Value, kid))))
			}
		})
		return ast.NewObject(members...)
	}
	return v
}

// same compares two values to the letter: numbers by their text too, and hashes, by which Rego finds members.
func same(a, b ast.Value) bool {
	return a.Compare(b) == 0 && a.Hash() == b.Hash() && a.String() == b.String()
}
