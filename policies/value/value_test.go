package value

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/demand"
)

func TestWhole(t *testing.T) {
	large := `{`
	for i := range 100 {
		large += fmt.Sprintf(`"k%d":%d,`, i, i*1000)
	}
	for name, document := range map[string]string{
		"a review":            string(review(t)),
		"scalars":             ` [null, true ,false,"",0,-0,-1,511,513,1.0,1e3,1E-3,123456789012345678901234567890,-1.50e+10] `,
		"empty":               `{"a":{},"b":[],"c":[[],{}]}`,
		"white space":         "\t{ \"a\"\r\n:\n[ 1 ,\t2 ] , \"b\" : { } }\n",
		"escapes":             `["\"\\\/\b\f\n\r\t","\u0041\u00e9\u20AC","\ud83d\ude00","\ud800","\udc00\ud800","\ud800\u0041","\ud800\\u0041","x\u0000y"]`,
		"beyond ASCII":        `{"é":"日本語","a":"ü","` + strings.Repeat("ä", 40) + `":"` + strings.Repeat("abcdefgé", 9) + `","del":"` + "\x7f" + `"}`,
		"every place":         `["","a","ab","abc","abcd","abcde","abcdef","abcdefg\n","abcdefgh","abcdefgh\"i","abcdefghijklmnopé"]`,
		"a long text":         `"` + strings.Repeat("x", 3*textPiece) + `"`,
		"many texts":          `["` + strings.Repeat(strings.Repeat("y", 1000)+`","`, 20) + `"]`,
		"a long list":         `[` + strings.Repeat("[7000],", 5*pointerPiece) + `0]`,
		"a large object":      large + `"end":null}`,
		"deep":                strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
		"a number for a name": `{"1":1,"true":true,"null":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(document), nil)
			if err != nil {
				t.Fatal(err)
			}
			if want := reference(t, []byte(document)); !same(want, got) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	large := `{`
	for i := range 100 {
		large += fmt.Sprintf(`"k%d":%d,`, i, i)
	}
	for name, tc := range map[string]struct {
		document string
		want     SyntaxError
	}{
		"nothing":                     {"", SyntaxError{0, reasonEnd}},
		"white space":                 {" \n", SyntaxError{2, reasonEnd}},
		"two documents":               {"{} {}", SyntaxError{3, "something stands after the end of the document"}},
		"a word":                      {"nil", SyntaxError{0, reasonValue}},
		"half a word":                 {"tru", SyntaxError{0, reasonValue}},
		"a long word":                 {"[truely]", SyntaxError{5, reasonElement}},
		"a stray bracket":             {"]", SyntaxError{0, reasonValue}},
		"an open object":              {`{"a":1`, SyntaxError{6, reasonMember}},
		"an open list":                {`[1,`, SyntaxError{3, reasonEnd}},
		"an open string":              {`"abc`, SyntaxError{4, reasonEnd}},
		"an open escape":              {`"abc\`, SyntaxError{4, reasonEnd}},
		"a comma at the end":          {`[1,]`, SyntaxError{3, reasonValue}},
		"a comma before the end":      {`{"a":1,}`, SyntaxError{7, reasonName}},
		"no colon":                    {`{"a" 1}`, SyntaxError{5, reasonColon}},
		"no value":                    {`{"a":}`, SyntaxError{5, reasonValue}},
		"no comma":                    {`[1 2]`, SyntaxError{3, reasonElement}},
		"a bare name":                 {`{a:1}`, SyntaxError{1, reasonName}},
		"a closed list in an object":  {`{"a":1]`, SyntaxError{6, reasonMember}},
		"a number that begins with 0": {`[01]`, SyntaxError{2, reasonElement}},
		"a plus":                      {`+1`, SyntaxError{0, reasonValue}},
		"a minus":                     {`-`, SyntaxError{1, reasonNumber}},
		"a point first":               {`.5`, SyntaxError{0, reasonValue}},
		"a point last":                {`5.`, SyntaxError{2, reasonNumber}},
		"an empty exponent":           {`1e+`, SyntaxError{3, reasonNumber}},
		"a huge exponent":             {`1e999999999`, SyntaxError{11, reasonLarge}},
		"hexadecimal":                 {`0x10`, SyntaxError{1, "something stands after the end of the document"}},
		"a control character":         {"\"a\x01\"", SyntaxError{2, reasonControl}},
		"a line feed":                 {"\"abcdefghij\n\"", SyntaxError{11, reasonControl}},
		"an unknown escape":           {`"\x"`, SyntaxError{1, reasonEscape}},
		"three digits":                {`"\u12"`, SyntaxError{1, reasonHex}},
		"no digit":                    {`"\u12g4"`, SyntaxError{1, reasonHex}},
		"invalid UTF-8":               {"\"ab\xff\"", SyntaxError{4, reasonUTF8}},
		"half a rune":                 {"\"ab\xc3\"", SyntaxError{4, reasonUTF8}},
		"a surrogate in UTF-8":        {"\"\xed\xa0\x80\"", SyntaxError{4, reasonUTF8}},
		"a byte order mark":           {"\ufeff{}", SyntaxError{0, reasonValue}},
		"a name twice":                {`{"a":1,"b":2,"a":1}`, SyntaxError{13, reasonTwice}},
		"a name twice, escaped":       {`{"image":1,"\u0069mage":2}`, SyntaxError{11, reasonTwice}},
		"a name twice among many":     {large + `"k7":7}`, SyntaxError{len(large) + 7, reasonTwice}},
		"a name twice, next":          {large + `"x":7,"x":7}`, SyntaxError{len(large) + 12, reasonTwice}},
		"too deep":                    {strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), SyntaxError{maxDepth, reasonDeep}},
		"too deep, objects":           {strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1), SyntaxError{5 * maxDepth, reasonDeep}},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := Parse([]byte(tc.document), nil)
			fault, ours := errors.AsType[*SyntaxError](err)
			if !ours || *fault != tc.want || v != nil {
				t.Errorf("got %v, %v; want %v", v, err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "abc") {
				t.Errorf("%q repeats the document", err)
			}
		})
	}
	t.Run("truncated", func(t *testing.T) {
		document := []byte(`{"a":["x\u0041é",-1.5e3,true,{"b":null}]}`)
		for i := range document {
			if v, err := Parse(document[:i], nil); err == nil {
				t.Errorf("%s: got %v", document[:i], v)
			}
		}
	})
}

func TestProjected(t *testing.T) {
	root := func(make func(*demand.Node)) *demand.Node {
		n := &demand.Node{}
		make(n)
		return n
	}
	for name, tc := range map[string]struct {
		document string
		want     *demand.Node
		result   string // "" for an error
	}{
		"nothing of an object":     {`{"a":1}`, root(func(*demand.Node) {}), `{}`},
		"nothing of a list":        {`[1,{"a":2}]`, root(func(*demand.Node) {}), `[]`},
		"a scalar":                 {`"x"`, root(func(*demand.Node) {}), `"x"`},
		"one member":               {`{"a":1,"b":{"c":2,"d":3}}`, root(func(n *demand.Node) { n.Kid("b", "d") }), `{"b":{"d":3}}`},
		"the shape of a member":    {`{"a":{"b":1},"c":[1],"d":null}`, root(func(n *demand.Node) { n.Kid("a"); n.Kid("c"); n.Kid("d"); n.Kid("e") }), `{"a":{},"c":[],"d":null}`},
		"every element":            {`[{"a":1,"b":2},null,3,[4],{}]`, root(func(n *demand.Node) { n.Each().Kid("a") }), `[{"a":1},null,3,[],{}]`},
		"every member":             {`{"x":{"a":1,"b":2},"y":[1],"z":"s"}`, root(func(n *demand.Node) { n.Each().Kid("a") }), `{"x":{"a":1},"y":[],"z":"s"}`},
		"every member and one":     {`{"x":{"a":1,"b":2},"y":{"a":1,"b":2}}`, root(func(n *demand.Node) { n.Each().Kid("a"); n.Kid("y", "b") }), `{"x":{"a":1},"y":{"a":1,"b":2}}`},
		"a member of a list":       {`{"a":[{"b":1}]}`, root(func(n *demand.Node) { n.Kid("a", "b") }), `{"a":[]}`},
		"a whole member":           {`{"a":{"b":[1,{"c":2}]},"d":1}`, root(func(n *demand.Node) { n.Kid("a").All = true }), `{"a":{"b":[1,{"c":2}]}}`},
		"an escaped name":          {`{"\u0061":{"\"b":1},"A":2}`, root(func(n *demand.Node) { n.Kid("a", `"b`) }), `{"a":{"\"b":1}}`},
		"a demanded name twice":    {`{"a":1,"\u0061":2}`, root(func(n *demand.Node) { n.Kid("a") }), ""},
		"another name twice":       {`{"b":1,"a":1,"b":2}`, root(func(n *demand.Node) { n.Kid("a") }), `{"a":1}`},
		"braces in strings":        {`{"x":{"y":"}]\\\"}","z":["{"]},"a":1}`, root(func(n *demand.Node) { n.Kid("a") }), `{"a":1}`},
		"a backslash at the end":   {`{"x":"\\","y":"\\\\\"","a":1}`, root(func(n *demand.Node) { n.Kid("a") }), `{"a":1}`},
		"all sorts are skipped":    {` { "x" : true , "y" : false , "z" : null , "n" : -1.5e3 , "o" : { } , "l" : [ ] , "a" : 1 } `, root(func(n *demand.Node) { n.Kid("a") }), `{"a":1}`},
		"a word is skipped":        {`{"x":nil,"a":1}`, root(func(n *demand.Node) { n.Kid("a") }), ""},
		"brackets that do not fit": {`{"x":[{]},"a":1}`, root(func(n *demand.Node) { n.Kid("a") }), ""},
		"a bracket missing":        {`{"x":[{},"a":1}`, root(func(n *demand.Node) { n.Kid("a") }), ""},
		"a string open":            {`{"x":["],"a":1}`, root(func(n *demand.Node) { n.Kid("a") }), ""},
		"a bad name":               {"{\"x\xff\":1,\"a\":1}", root(func(n *demand.Node) { n.Kid("a") }), ""},
		"deep below nothing":       {`{"x":` + strings.Repeat("[", maxDepth-1) + strings.Repeat("]", maxDepth-1) + `,"a":1}`, root(func(n *demand.Node) { n.Kid("a") }), `{"a":1}`},
		"too deep below nothing":   {`{"x":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `,"a":1}`, root(func(n *demand.Node) { n.Kid("a") }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(tc.document), tc.want.Fold())
			if tc.result == "" {
				if err == nil {
					t.Errorf("got %v", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := reference(t, []byte(tc.result)); !same(want, got) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if want := project(reference(t, []byte(tc.document)), tc.want); tc.result != "" && !strings.Contains(name, "twice") && !same(want, got) {
				t.Errorf("the reference of this test says %v", want)
			}
		})
	}
	t.Run("a review", func(t *testing.T) {
		got, err := Parse(review(t), usual())
		if err != nil {
			t.Fatal(err)
		}
		if want := project(reference(t, review(t)), usual()); !same(want, got) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	})
}

// TestNoAlias: the bytes of a request go back into a pool while its values are still in use.
func TestNoAlias(t *testing.T) {
	for name, want := range map[string]*demand.Node{"whole": nil, "projected": usual()} {
		data := review(t)
		got, err := Parse(data, want)
		if err != nil {
			t.Fatal(err)
		}
		before := got.String()
		for i := range data {
			data[i] = '#'
		}
		for range 10 { // the pieces serve other documents in the meantime
			if _, err := Parse([]byte(`["other",{"text":"`+strings.Repeat("z", 900)+`"}]`), nil); err != nil {
				t.Fatal(err)
			}
		}
		if after := got.String(); after != before {
			t.Errorf("%s: the value has changed from %s\nto %s", name, before, after)
		}
	}
}

// TestConcurrent is for the race detector: parsers come from a pool.
func TestConcurrent(t *testing.T) {
	data := review(t)
	want := reference(t, data)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20 {
				if got, err := Parse(data, nil); err != nil || !same(want, got) {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}

// TestKeptNothing: what a parser keeps between documents holds no values.
func TestKeptNothing(t *testing.T) {
	p := &parser{}
	if _, err := p.document(review(t), nil); err != nil {
		t.Fatal(err)
	}
	p.release()
	for _, member := range p.members[:cap(p.members)] {
		if member != [2]*ast.Term{} {
			t.Fatal("a member is left")
		}
	}
	for _, item := range p.items[:cap(p.items)] {
		if item != nil {
			t.Fatal("an item is left")
		}
	}
	for _, name := range p.names[:cap(p.names)] {
		if name != "" {
			t.Fatal("a name is left")
		}
	}
}

// TestAllocations holds the counts, which do not depend on the machine.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	data := review(t)
	for name, tc := range map[string]struct {
		want  *demand.Node
		limit float64
	}{"whole": {nil, 1000}, "projected": {usual(), 200}, "nothing": {(&demand.Node{}).Fold(), 1}} {
		got := testing.AllocsPerRun(100, func() {
			if _, err := Parse(data, tc.want); err != nil {
				t.Fatal(err)
			}
		})
		if got > tc.limit {
			t.Errorf("%s: %.0f allocations, at most %.0f are accepted", name, got, tc.limit)
		}
		t.Logf("%s: %.0f allocations", name, got)
	}
}
