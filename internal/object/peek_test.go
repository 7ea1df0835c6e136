package object

import (
	"slices"
	"testing"
)

// TestPeekSeesWhatMembersSees holds that both ways to read an object find the same, of scanned and of parsed trees, and that what was
// peeked at can be read and edited by itself.
func TestPeekSeesWhatMembersSees(t *testing.T) {
	for _, text := range []string{
		`{}`, `{ }`, `[]`, `7`, `"x"`, `null`,
		`{"a":1}`, `{"a":-1.5e3,"b":true,"c":false,"d":null}`, " {\n\"a\" : [ 1 , {\"x\":[]} ] , \"b\":\t{\"y\":\"\\\"}\"},\"c\":12 } ",
		`{"\u0061b":"\u00e9","c\\":"\\\\","":{}}`, `{"a":{},"b":[],"c":{"d":{"e":[{"f":"g"},{"f":"h"}]}},"i":"j"}`,
	} {
		for name, parse := range map[string]func([]byte) (*Node, error){"scan": Scan, "parse": Parse} {
			n, err := parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			var values []Node
			n.Peek(func(name []byte, value Node) bool {
				got = append(got, string(name), string(value.Bytes()), value.Str(), value.Type().String())
				values = append(values, value)
				return true
			})
			var want []string
			var kids []*Node
			for name, value := range n.Members() {
				want = append(want, name, string(value.Bytes()), value.Str(), value.Type().String())
				kids = append(kids, value)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s %s: peek sees %q, want %q", name, text, got, want)
			}
			for i := range values {
				if !values[i].Equal(kids[i]) || values[i].Len() != kids[i].Len() {
					t.Errorf("%s %s: value %d is %s, want %s", name, text, i, values[i].Bytes(), kids[i].Bytes())
				}
				Edit(&values[i]).Set([]string{"new"}, []byte("1"))
			}
		}
	}
	n, err := Scan([]byte(`{"a":{"b":1},"c":2}`))
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	n.Peek(func(_ []byte, value Node) bool {
		calls++
		Edit(&value).Set([]string{"new"}, []byte("1"))
		if want := `{"b":1,"new":1}`; string(value.Bytes()) != want {
			t.Errorf("edited is %s, want %s", value.Bytes(), want)
		}
		return false
	})
	if calls != 1 || n.level != nil || string(n.Bytes()) != `{"a":{"b":1},"c":2}` {
		t.Errorf("%d calls, want 1; the tree is %s and read: %v", calls, n.Bytes(), n.level != nil)
	}
}

func TestIs(t *testing.T) {
	for text, want := range map[string]bool{`"a/b"`: true, `"a\/b"`: true, `"a\u002fb"`: true, `"a/b "`: false, `""`: false, `7`: false, `null`: false} {
		if got := MustParse([]byte(text)).Is("a/b"); got != want {
			t.Errorf("%s is a/b: %v, want %v", text, got, want)
		}
	}
	if (*Node)(nil).Is("") {
		t.Error("nothing is a string")
	}
}
