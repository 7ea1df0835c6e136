package object_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/gesso-dev/gesso/internal/object"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, from, to, want string }{
		{"the same", `{"a":1,"b":[{"name":"x"}]}`, `{"b":[{"name":"x"}],"a":1}`, ""},
		{"null is nothing", `{"a":null}`, `{}`, ""},
		{"a member", `{"a":1,"b":2}`, `{"a":3,"c":4}`, `replace /a 3; remove /b; add /c 4`},
		{"escaped names", `{"a/b~":1}`, `{}`, `remove /a~1b~0`},
		{"appended", `[{"name":"x"}]`, `[{"name":"x"},{"name":"y"}]`, `add /- {"name":"y"}`},
		{"put in", `[{"name":"x"},{"name":"z"}]`, `[{"name":"x"},{"name":"y"},{"name":"z"}]`, `add /1 {"name":"y"}`},
		{"taken out", `[{"name":"x"},{"name":"y"},{"name":"z"}]`, `[{"name":"x"},{"name":"z"}]`, `remove /1`},
		{"inside an element", `[{"name":"x","v":1},{"name":"y"}]`, `[{"name":"x","v":2},{"name":"y"}]`, `replace /0/v 2`},
		{"inside one that moved up", `[{"name":"x"},{"name":"y","v":1}]`, `[{"name":"y","v":2}]`, `remove /0; replace /0/v 2`},
		{
			"by mount path", `[{"mountPath":"/a","name":"v"}]`, `[{"mountPath":"/b","name":"v"},{"mountPath":"/a","name":"w"}]`,
			`add /0 {"mountPath":"/b","name":"v"}; replace /1/name "w"`,
		},
		{"another type", `{"a":[1]}`, `{"a":{"b":1}}`, `replace /a {"b":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, op := range checkDiff(t, c.from, c.to) {
				got = append(got, strings.TrimSpace(op.Op+" "+op.Path+" "+string(op.Value)))
			}
			if joined := strings.Join(got, "; "); joined != c.want {
				t.Errorf("got %s, want %s", joined, c.want)
			}
		})
	}
}

// checkDiff holds that the patch makes from into to, as the API server applies it.
func checkDiff(tb testing.TB, from, to string) []object.Operation {
	tb.Helper()
	a, b := mustParse(tb, from), mustParse(tb, to)
	ops := object.Diff(a, b)
	if string(a.Bytes()) != from || string(b.Bytes()) != to {
		tb.Fatal("comparing changed what was compared")
	}
	if (len(ops) == 0) != a.Equal(b) {
		tb.Fatalf("%d operations, equal: %v\n%s\n%s", len(ops), a.Equal(b), from, to)
	}
	if len(ops) == 0 {
		return nil
	}
	raw, err := json.Marshal(ops)
	if err != nil {
		tb.Fatal(err)
	}
	patch, err := jsonpatch.DecodePatch(raw)
	if err != nil {
		tb.Fatal(err)
	}
	applied, err := patch.Apply([]byte(from))
	if err != nil {
		tb.Fatalf("apply %s to %s: %v", raw, from, err)
	}
	if got := mustParse(tb, string(applied)); !got.Equal(b) {
		tb.Fatalf("%s\nmakes %s\nof    %s\nwant  %s", raw, applied, from, to)
	}
	return ops
}

func mustParse(tb testing.TB, text string) *object.Node {
	tb.Helper()
	n, err := object.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// FuzzDiff looks for two documents between which the patch does not lead. Both are objects or lists: the root itself is never replaced.
func FuzzDiff(f *testing.F) {
	for _, seed := range []string{
		`{"a":[{"name":"x","v":[1,2]},{"name":"y"}],"b":{"c":null}}`, `{"a":[{"name":"y","v":1},{"name":"x","v":[2,1]}],"b":{}}`,
		`[1,2,3,4]`, `[4,3,2,1]`, `[1,1,2]`, `[2,1,1,1]`, `[{"name":"a"},{"name":"a"},{"mountPath":"/"}]`, `[{"mountPath":"/","name":"a"},{"name":"a","x":1}]`,
		`{"ports":[{"containerPort":1,"protocol":"TCP"},{"containerPort":1,"protocol":"UDP"}]}`, `{"ports":[{"containerPort":1,"protocol":"UDP"}]}`,
	} {
		f.Add(seed, `{"a":[{"name":"x"}]}`)
		f.Add(`[1,{"name":"a"},2]`, seed)
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, from, to string) {
		a, err := object.Parse([]byte(from))
		if err != nil {
			return
		}
		b, err := object.Parse([]byte(to))
		if err != nil || a.Type() != b.Type() || a.Type() != object.Map && a.Type() != object.Array || hasNulls(a) || hasNulls(b) || !plain(from) || !plain(to) {
			return
		}
		checkDiff(t, from, to)
	})
}

// hasNulls reports whether null is anywhere: two documents that differ in it only are the same, to a patch they are not.
func hasNulls(n *object.Node) bool {
	return strings.Contains(string(n.Canonical()), "null") || strings.Contains(string(n.Bytes()), "null")
}

// plain reports whether a document is written as the patch library writes it: it takes apart and puts together what is below a patch.
func plain(text string) bool {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return false
	}
	raw, err := json.Marshal(v)
	var w any
	return err == nil && json.Unmarshal(raw, &w) == nil && reflect.DeepEqual(v, w) && string(mustCanonical(text)) == string(raw)
}

func mustCanonical(text string) []byte {
	n, err := object.Parse([]byte(text))
	if err != nil {
		return nil
	}
	return n.Canonical()
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`{"b":1,"a":{"d":null,"c":[ 1 , 2.0 ]}}`, `{"a":{"c":[1,2.0]},"b":1}`},
		{`"\u0061\/<é"`, `"a/<é"`},
		{"\"\u2028\"", `"` + `\u2028"`},
		{`"\u2028"`, `"` + `\u2028"`},
	} {
		if got := string(mustParse(t, c.in).Canonical()); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	n := mustParse(t, `{"a":{"b":[1,2,3]},"x":null}`)
	c := n.Clone()
	if !c.Remove("a", "b", "1") || c.Remove("a", "b", "7") || c.Remove("a", "z") || c.Remove() {
		t.Error("removed the wrong things")
	}
	if !c.Put(object.Value("v"), "x", "y", "z") || !c.Put(object.Value("w"), "a", "b", "0") || c.Put(object.Value("w"), "a", "b", "2") || c.Put(object.Value("w"), "a", "b", "0", "q") {
		t.Error("put the wrong things")
	}
	if got, want := string(c.Bytes()), `{"a":{"b":["w",3]},"x":{"y":{"z":"v"}}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(n.Bytes()), `{"a":{"b":[1,2,3]},"x":null}`; got != want {
		t.Errorf("the original became %s", got)
	}
}
