package object

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

func mustNode(tb testing.TB, doc string) *Node {
	tb.Helper()
	n, err := Parse([]byte(doc))
	if err != nil {
		tb.Fatalf("%s: %v", doc, err)
	}
	return n
}

// applied is the document after the patch, by the library with which the API server applies patches.
func applied(tb testing.TB, doc string, ops []Operation) string {
	tb.Helper()
	if len(ops) == 0 {
		return doc
	}
	raw, err := json.Marshal(ops)
	if err != nil {
		tb.Fatal(err)
	}
	patch, err := jsonpatch.DecodePatch(raw)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := patch.Apply([]byte(doc))
	if err != nil {
		tb.Fatalf("apply %s: %v", raw, err)
	}
	return string(out)
}

func sameJSON(tb testing.TB, a, b string) bool {
	tb.Helper()
	var values [2]any
	for i, doc := range []string{a, b} {
		d := json.NewDecoder(strings.NewReader(doc))
		d.UseNumber()
		if err := d.Decode(&values[i]); err != nil {
			tb.Fatalf("%s: %v", doc, err)
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

func TestEditorSet(t *testing.T) {
	for _, tc := range []struct {
		name, doc string
		path      []string
		want      string // "" where nothing can be set
		op        string // the path of the operation
		null      string // what is reported as an explicit null
	}{
		{"a member", `{"a":1}`, []string{"b"}, `{"a":1,"b":7}`, "/b", ""},
		{"into an empty object", `{ }`, []string{"b"}, `{"b":7}`, "/b", ""},
		{"parents in one operation", `{"a":{}}`, []string{"a", "b", "c"}, `{"a":{"b":{"c":7}}}`, "/a/b", ""},
		{"below a list", `{"a":[{},{"x":1}]}`, []string{"a", "1", "b"}, `{"a":[{},{"x":1,"b":7}]}`, "/a/1/b", ""},
		{"an element that is a list", `[[{}]]`, []string{"0", "0", "b"}, `[[{"b":7}]]`, "/0/0/b", ""},
		{"names with slash and tilde", `{"a":{}}`, []string{"a", "x/y~z", "~1"}, `{"a":{"x/y~z":{"~1":7}}}`, "/a/x~1y~0z", ""},
		{"names with quotes", `{}`, []string{"a\"\\\n<é"}, `{"a\"\\\n<é":7}`, "/a\"\\\n<é", ""},
		{"an empty name", `{}`, []string{""}, `{"":7}`, "/", ""},
		{"a name in another spelling", `{"\u0061":{"b":1}}`, []string{"a", "c"}, `{"\u0061":{"b":1,"c":7}}`, "/a/c", ""},
		{"a number as a name", `{"a":{"x":1}}`, []string{"a", "0"}, `{"a":{"x":1,"0":7}}`, "/a/0", ""},
		{"an explicit null", `{"a":null,"b":1}`, []string{"a"}, `{"a":7,"b":1}`, "/a", "a"},
		{"an empty list", `{"a":[],"b":1}`, []string{"a"}, `{"a":7,"b":1}`, "/a", "a"},
		{"a parent that is null", `{"a":{"b":null}}`, []string{"a", "b", "c", "d"}, `{"a":{"b":{"c":{"d":7}}}}`, "/a/b", "a.b"},
		{"what surrounds keeps its bytes", `{"x" : 1.50, "a":{ },"y":"\u0061"}`, []string{"a", "b"}, `{"x":1.50,"a":{"b":7},"y":"\u0061"}`, "/a/b", ""},

		{"what is there", `{"a":0}`, []string{"a"}, "", "", ""},
		{"an empty text is there", `{"a":""}`, []string{"a"}, "", "", ""},
		{"false is there", `{"a":false}`, []string{"a"}, "", "", ""},
		{"an empty object is there", `{"a":{}}`, []string{"a"}, "", "", ""},
		{"a list is there", `{"a":[null]}`, []string{"a"}, "", "", ""},
		{"below a text", `{"a":"x"}`, []string{"a", "b"}, "", "", ""},
		{"below a number", `{"a":5}`, []string{"a", "b", "c"}, "", "", ""},
		{"below an empty list, which is no object", `{"a":[]}`, []string{"a", "b"}, "", "", ""},
		{"a name in a list", `{"a":[{}]}`, []string{"a", "b"}, "", "", ""},
		{"a position that is not there", `{"a":[{}]}`, []string{"a", "1", "b"}, "", "", ""},
		{"a position that is null", `{"a":[null]}`, []string{"a", "0", "b"}, "", "", ""},
		{"an element that is an empty list", `{"a":[[]]}`, []string{"a", "0"}, "", "", ""},
		{"an element itself", `{"a":[null]}`, []string{"a", "0"}, "", "", ""},
		{"a position in no list", `{}`, []string{"a", "0", "b"}, "", "", ""},
		{"the document", `null`, nil, "", "", ""},
		{"a document that is a list", `[]`, []string{"a"}, "", "", ""},
		{"a document that is a text", `"x"`, []string{"a"}, "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := Edit(mustNode(t, tc.doc))
			if got := len(tc.path) > 0 && e.CanSet(tc.path); got != (tc.want != "") {
				t.Errorf("CanSet: %v", got)
			}
			if got := e.Set(tc.path, []byte("7")); got != (tc.want != "") {
				t.Fatalf("Set: %v", got)
			}
			if tc.want == "" {
				if string(e.Root().Bytes()) != tc.doc || e.Patch() != nil {
					t.Errorf("changed to %s by %v", e.Root().Bytes(), e.Patch())
				}
				return
			}
			if got := string(e.Root().Bytes()); got != tc.want {
				t.Errorf("bytes\n %s\nwant\n %s", got, tc.want)
			}
			if len(e.Patch()) != 1 || e.Patch()[0].Op != "add" || e.Patch()[0].Path != tc.op {
				t.Errorf("patch is %v, want one add at %s", e.Patch(), tc.op)
			}
			if got := applied(t, tc.doc, e.Patch()); !sameJSON(t, got, tc.want) {
				t.Errorf("the patch makes %s", got)
			}
			if e.CanSet(tc.path) || e.Set(tc.path, []byte("8")) || len(e.Patch()) != 1 {
				t.Error("it is set a second time")
			}
			var nulls []string
			for _, path := range e.ExplicitNulls() {
				nulls = append(nulls, FieldPath(path...))
			}
			if strings.Join(nulls, " ") != tc.null {
				t.Errorf("explicit nulls %q, want %q", nulls, tc.null)
			}
		})
	}
}

func TestEditorAppend(t *testing.T) {
	for _, tc := range []struct {
		name, doc string
		path      []string
		at        int
		want, op  string
	}{
		{"to a list", `{"a":[1]}`, []string{"a"}, 1, `{"a":[1,7]}`, "/a/-"},
		{"to a list in a list", `[[1,2]]`, []string{"0"}, 2, `[[1,2,7]]`, "/0/-"},
		{"to the document", `[1]`, nil, 1, `[1,7]`, "/-"},
		{"to no list", `{}`, []string{"a", "b"}, 0, `{"a":{"b":[7]}}`, "/a"},
		{"to null", `{"a":null}`, []string{"a"}, 0, `{"a":[7]}`, "/a"},
		{"to an empty list", `{"a":[]}`, []string{"a"}, 0, `{"a":[7]}`, "/a"},
		{"to an empty list in a list", `{"a":[[]]}`, []string{"a", "0"}, 0, `{"a":[[7]]}`, "/a/0/-"},
		{"to a text", `{"a":"x"}`, []string{"a"}, -1, `{"a":"x"}`, ""},
		{"to an object", `{"a":{}}`, []string{"a"}, -1, `{"a":{}}`, ""},
		{"below a text", `{"a":"x"}`, []string{"a", "b"}, -1, `{"a":"x"}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := Edit(mustNode(t, tc.doc))
			if at := e.Append(tc.path, []byte("7")); at != tc.at {
				t.Errorf("position %d, want %d", at, tc.at)
			}
			if got := string(e.Root().Bytes()); got != tc.want {
				t.Errorf("bytes\n %s\nwant\n %s", got, tc.want)
			}
			if tc.op != "" && (len(e.Patch()) != 1 || e.Patch()[0].Path != tc.op) || tc.op == "" && e.Patch() != nil {
				t.Errorf("patch is %v, want one add at %s", e.Patch(), tc.op)
			}
			if got := applied(t, tc.doc, e.Patch()); !sameJSON(t, got, tc.want) {
				t.Errorf("the patch makes %s", got)
			}
		})
	}
}

func TestEditorFork(t *testing.T) {
	e := Edit(mustNode(t, `{"a":{"b":[1]}}`))
	e.Set([]string{"a", "c"}, []byte(`{"d":[]}`))
	fork := e.Fork()
	fork.Append([]string{"a", "b"}, []byte("2"))
	fork.Set([]string{"a", "c", "d"}, []byte("3"))
	if got := string(e.Root().Bytes()); got != `{"a":{"b":[1],"c":{"d":[]}}}` {
		t.Errorf("the fork changed the original: %s", got)
	}
	if got := string(fork.Root().Bytes()); got != `{"a":{"b":[1,2],"c":{"d":3}}}` {
		t.Errorf("fork is %s", got)
	}
	if len(e.Patch()) != 1 || len(fork.Patch()) != 2 {
		t.Errorf("patches %v and %v", e.Patch(), fork.Patch())
	}
}

func TestWith(t *testing.T) {
	n := mustNode(t, `{ "a":1, "\u0062":{"c":2} }`)
	for _, tc := range []struct{ name, want string }{
		{"b", `{"a":1,"\u0062":[7]}`},
		{"a", `{"a":[7],"\u0062":{"c":2}}`},
		{"x/y", `{"a":1,"\u0062":{"c":2},"x/y":[7]}`},
	} {
		if got := string(n.With(tc.name, []byte("[7]"))); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	if got := string(n.Bytes()); got != `{ "a":1, "\u0062":{"c":2} }` {
		t.Errorf("the original is %s", got)
	}
}

func TestPaths(t *testing.T) {
	for _, tc := range []struct {
		path           []string
		pointer, field string
	}{
		{nil, "", ""},
		{[]string{"spec", "containers", "0", "image"}, "/spec/containers/0/image", "spec.containers[0].image"},
		{[]string{"metadata", "annotations", "gesso.dev/port"}, "/metadata/annotations/gesso.dev~1port", "metadata.annotations[gesso.dev/port]"},
		{[]string{"~1", "a~/b"}, "/~01/a~0~1b", "~1[a~/b]"},
		{[]string{"a", "-1", "-"}, "/a/-1/-", "a.-1.-"},
	} {
		if got := Pointer(tc.path...); got != tc.pointer {
			t.Errorf("pointer of %q is %s, want %s", tc.path, got, tc.pointer)
		}
		if got := FieldPath(tc.path...); got != tc.field {
			t.Errorf("field path of %q is %s, want %s", tc.path, got, tc.field)
		}
	}
	base := append(make([]string, 0, 8), "a")
	if one, two := Join(base, "b"), Join(base, "c"); one[1] != "b" || two[1] != "c" {
		t.Errorf("joined paths share memory: %q %q", one, two)
	}
}

// paths lists the ways into a document, and for each container one that leads nowhere yet.
func paths(n *Node, at []string) [][]string {
	all := [][]string{at, Join(at, "new"), Join(at, "new", "a/b", "~c")}
	for i, e := range n.Elements() {
		all = append(all, paths(e, Join(at, strconv.Itoa(i)))...)
	}
	for name, e := range n.Members() {
		all = append(all, paths(e, Join(at, name))...)
	}
	return all
}

// FuzzEditor edits documents at random and compares with the patch applied to the original.
func FuzzEditor(f *testing.F) {
	for i, doc := range []string{
		`{}`, `{"a":null,"b":[],"c":{"d":[{"e":1},null,[2]]}}`, `{"a":{"":{"~":1,"/":{}}}}`, `[{"a":[]},[]]`, `{"\u0061":{"\ud83d\ude00":"x"}}`,
		`{"spec":{"containers":[{"name":"web","volumeMounts":null}],"volumes":[]}}`, `{"0":{"1":[]},"-":[1]}`, `"x"`,
	} {
		f.Add([]byte(doc), uint64(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		root, err := Parse(data)
		if err != nil || bytes.Contains(data, []byte(`\u`)) && bytes.Contains(data, []byte("ud")) || bytes.Contains(data, []byte("\ufffd")) {
			return // a lone surrogate has no pointer
		}
		choose := func(n int) int {
			seed = seed*6364136223846793005 + 1442695040888963407
			return int(seed >> 33 % uint64(n))
		}
		e := Edit(root)
		values := []string{"1", `"x"`, "[]", "null", `{"a":[{}]}`, `{}`, `[1]`}
		for range 8 {
			ways := paths(e.Root(), nil)
			path, value := ways[choose(len(ways))], []byte(values[choose(len(values))])
			before := slices.Clone(e.Root().Bytes())
			can, ops := e.CanSet(path), len(e.Patch())
			did := false
			if choose(2) == 0 {
				did = e.Set(path, value)
				if did && (!can || !bytes.Equal(e.Root().Get(path...).Bytes(), value)) || !did && can && len(path) > 0 {
					t.Errorf("set %q: %v, could: %v, is %s", path, did, can, e.Root().Get(path...).Bytes())
				}
			} else {
				at := e.Append(path, value)
				did = at >= 0
				if did && !bytes.Equal(e.Root().Get(Join(path, strconv.Itoa(at))...).Bytes(), value) {
					t.Errorf("append %q: position %d is not the new one", path, at)
				}
			}
			if added := len(e.Patch()) - ops; did && added != 1 || !did && (added != 0 || !bytes.Equal(before, e.Root().Bytes())) {
				t.Errorf("%q: did something: %v, with %d operations", path, did, added)
			}
		}
		if root.Type() != Map {
			return // the API server's library patches objects only
		}
		got, want := string(e.Root().Bytes()), applied(t, string(data), e.Patch())
		if !sameJSON(t, got, want) {
			t.Errorf("edited\n %s\npatched\n %s\nby %v", got, want, cmp.Diff("", e.Patch()))
		}
	})
}
