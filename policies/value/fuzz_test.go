package value

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies/demand"
)

// FuzzParse: a document is read exactly where internal/object, a parser that shares nothing with this one, reads it, and then gives what
// OPA's reader gives; projected by any demand it gives that, projected. What is not strict JSON may be read by a demand that leaves out the
// wrong part, and nothing else happens.
func FuzzParse(f *testing.F) {
	f.Add(review(f), uint64(1))
	for _, seed := range []string{
		`{"a":[1,{"b":null}],"a":2}`, `{"\u0061":1,"a":2}`, `["\ud800\udc00",1e400,-0,"é"]`, `{"a":"\\","b":{"}":"\""}}`, "[\"\xff\"]", `[[[[`, `{"a":{"b":{"c":[{}]}}}`,
		`1e99999999`, `{"image":"x","f:image":{".":{}}}`,
	} {
		f.Add([]byte(seed), uint64(2))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		_, strict := object.Parse(data)
		got, err := Parse(data, nil)
		if fault, _ := errors.AsType[*SyntaxError](err); fault != nil && fault.Reason == reasonLarge {
			if _, err := ast.ValueFromReader(bytes.NewReader(data)); err == nil {
				t.Fatalf("%q is refused: %v", data, err)
			}
			return
		}
		if (err == nil) != (strict == nil) {
			t.Fatalf("%q: %v, but internal/object says %v", data, err, strict)
		}
		random := rand.New(rand.NewPCG(seed, 0))
		if err != nil {
			want := &demand.Node{}
			want.Kid("a", "b").Each().Kid("c")
			_, _ = Parse(data, want.Fold())
			return
		}
		whole := reference(t, data)
		if !same(whole, got) {
			t.Fatalf("%q: got %v, want %v", data, got, whole)
		}
		for range 4 {
			want := someOf(random, whole, 0)
			projected, err := Parse(data, want.Fold())
			if err != nil {
				t.Fatalf("%q, projected: %v", data, err)
			}
			if expected := project(whole, want); !same(expected, projected) {
				t.Fatalf("%q: got %v, want %v", data, projected, expected)
			}
		}
	})
}

// someOf makes a demand that fits a value more or less.
func someOf(random *rand.Rand, v ast.Value, depth int) *demand.Node {
	n := &demand.Node{All: random.IntN(12) == 0}
	if random.IntN(8) == 0 {
		n.Kid("a", "image")
	}
	if depth > 16 { // to fold a demand takes time exponential in how deep names and elements stand beside each other
		return n
	}
	switch v := v.(type) {
	case ast.Object:
		v.Foreach(func(key, value *ast.Term) {
			name, _ := key.Value.(ast.String)
			switch random.IntN(6) {
			case 0, 1, 2:
				n.Kid(string(name)).Add(someOf(random, value.Value, depth+1))
			case 3:
				n.Each().Add(someOf(random, value.Value, depth+1))
			}
		})
	case *ast.Array:
		if v.Len() > 0 && random.IntN(4) > 0 {
			n.Each().Add(someOf(random, v.Elem(random.IntN(v.Len())).Value, depth+1))
		}
	}
	return n
}
