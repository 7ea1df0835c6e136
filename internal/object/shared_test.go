package object

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestCopiesShare holds that an edit of one document is seen in no other, however they came from each other.
func TestCopiesShare(t *testing.T) {
	t.Parallel()
	const doc = `{"a":{"b":{"c":1,"l":[{"x":1},{"x":2}]}},"z":0}`
	first := mustNode(t, doc)
	if first.Copy().Get("a", "b") != first.Get("a", "b") {
		t.Error("a copy copies what nobody edits")
	}
	edit := Edit(first.Copy())
	edit.Set([]string{"a", "b", "l", "0", "y"}, []byte(`2`))
	opened := edit.Open([]string{"a", "b"})
	second := edit.Root().Bytes()
	fork := edit.Fork()
	fork.Set([]string{"a", "b", "d"}, []byte(`3`))
	fork.Append([]string{"a", "b", "l"}, []byte(`{}`))
	third := edit.Root().Copy()
	third.Remove("a", "b", "l", "0")
	third.Put(Value("new"), "a", "b", "c")
	for _, c := range []struct {
		name string
		node *Node
		want string
	}{
		{"first", first, doc},
		{"edited", edit.Root(), `{"a":{"b":{"c":1,"l":[{"x":1,"y":2},{"x":2}]}},"z":0}`},
		{"forked", fork.Root(), `{"a":{"b":{"c":1,"l":[{"x":1,"y":2},{"x":2},{}],"d":3}},"z":0}`},
		{"taken from", third, `{"a":{"b":{"c":"new","l":[{"x":2}]}},"z":0}`},
	} {
		if got := string(c.node.Canonical()); got != string(mustNode(t, c.want).Canonical()) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if !bytes.Equal(edit.Root().Bytes(), second) {
		t.Errorf("edited became %s", edit.Root().Bytes())
	}
	edit.Set([]string{"a", "b", "e"}, []byte(`4`))
	if opened.Get("e") == nil || edit.Root().Get("a", "b") != opened {
		t.Error("a node that was opened is no longer the one in the document")
	}
}

// TestSharedValue holds that one node may be filled in at many places, each of which is edited by itself.
func TestSharedValue(t *testing.T) {
	t.Parallel()
	value := Constant([]byte(`{"k":1}`))
	edit := Edit(mustNode(t, `{}`))
	for _, name := range []string{"a", "b"} {
		edit.SetNode(value, []string{name})
	}
	edit.Set([]string{"a", "n"}, []byte(`2`))
	if got, want := string(edit.Root().Bytes()), `{"a":{"k":1,"n":2},"b":{"k":1}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if string(value.Bytes()) != `{"k":1}` {
		t.Errorf("the value became %s", value.Bytes())
	}
}

// TestReplaced holds what is left out and put in, and that the node it is made of stays.
func TestReplaced(t *testing.T) {
	t.Parallel()
	var m Memory
	n := mustNode(t, `{"a":1,"b":2,"c":3}`)
	if got, want := string(m.Replaced(n, []*Node{nil, Value("x"), n.Get("c")}).Bytes()), `{"b":"x","c":3}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(m.With(n, "b", nil).Bytes()), `{"a":1,"c":3}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(n.Bytes()); got != `{"a":1,"b":2,"c":3}` || n.Len() != 3 {
		t.Errorf("the original became %s", got)
	}
}

func FuzzAppendQuote(f *testing.F) {
	for _, s := range []string{"", "a", `"`, `\`, `a"b\c`, "\n", "é", "<&>", "\u2028", "\x7f", "\xff"} {
		f.Add(s, s)
	}
	f.Add(`"a"`, "é")
	f.Fuzz(func(t *testing.T, s, other string) {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(s); err != nil {
			t.Fatal(err)
		}
		want := bytes.TrimRight(b.Bytes(), "\n")
		if got := AppendQuote([]byte("x"), s); string(got[1:]) != string(want) {
			t.Errorf("%q is written %s, want %s", s, got[1:], want)
		}
		if one, two := Value(s), Value(other); one.Equal(two) != bytes.Equal(one.Canonical(), two.Canonical()) {
			t.Errorf("%s and %s: equal %v", one.raw, two.raw, one.Equal(two))
		}
	})
}
