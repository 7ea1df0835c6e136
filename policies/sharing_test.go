package policies

import (
	"fmt"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// TestSharing: what is the same exists once, and nothing that only equals it takes its place.
func TestSharing(t *testing.T) {
	var s sharing
	whole := func(text string) *ast.Term {
		t.Helper()
		term, err := s.whole(decoded(t, `{"x":`+text+`}`)["x"])
		if err != nil {
			t.Fatal(err)
		}
		return term
	}
	for _, text := range []string{`"kube-system"`, `{"a":[1,{"b":"two"}],"c":null}`, `["one",7000]`, `1.50`, `true`} {
		first, second := whole(text), whole(text)
		if first != second {
			t.Errorf("%s exists twice", text)
		}
	}
	for _, pair := range [][2]string{{`7000`, `7000.0`}, {`[7000]`, `[7e3]`}, {`{"a":[{"b":7000}]}`, `{"a":[{"b":7000.0}]}`}, {`"7000"`, `7000`}, {`[1,2]`, `[2,1]`}} {
		if first, second := whole(pair[0]), whole(pair[1]); first == second || second.String() != pair[1] && second.String() == first.String() {
			t.Errorf("%s became %s", pair[1], second)
		}
	}
	for i := range 20_000 { // more than there are places
		text := fmt.Sprintf(`{"a": "%d"}`, i)
		if got := whole(text).String(); got != text {
			t.Fatalf("%s became %s", text, got)
		}
	}
}
