package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// documents are seeds for fuzzing, and what the tests below go over.
var documents = []string{
	``, `{}`, `[]`, ` { } `, "[\t]", `"x"`, `0`, `{"a":[1,-2.5e3,"x",null,true],"b":{"c":{}}}`, `[[[[]]],[],{"a":[]},[[]]]`,
	`{"a":1,"\u0061":2}`, `{"a\/b":{"\ud83d\ude00":"\"\\\u00e9"},"a":[{"\n":false}]}`, `{"\ud800":1,"\udbff":2}`, "\"\xff\"", `{"a":{"b":1,"b":2}}`,
	` { "a" : 1 , "b" : [ 1 , { "c" : [ ] } , "d,e:f]}" ] , "g" : { "h" : "i" } } `,
	`{"spec":{"containers":[{"name":"web","volumeMounts":null}],"volumes":[]},"metadata":{"labels":{"app":"web","tier.example.com/x":"y"}}}`,
	`{"k:{\"name\":\"web\"}":{".":{},"f:image":{}},"list":[[],[1,[2,[3]]],{}]}`, `01`, `[1,]`, `nul`, "\ufeff1", `{"a":"` + "é😀\u2028" + `"}`,
	`{"a0":0,"a1":1,"a2":2,"a3":3,"a4":4,"a5":5,"a6":6,"a7":7,"a8":8,"a9":9,"b0":[],"b1":{},"b2":2,"b3":3,"b4":4,"b5":5,"b6":6,"b7":{"c":7},"b8":8}`,
}

// depthOf returns how deep a document that encoding/json accepts is nested.
func depthOf(tb testing.TB, data []byte) int {
	tb.Helper()
	depth, deepest := 0, 0
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.Token()
		switch {
		case err != nil:
			return deepest
		case token == json.Delim('{') || token == json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case token == json.Delim('}') || token == json.Delim(']'):
			depth--
		}
	}
}

// inside returns the members' or elements' bytes of an object or a list, by encoding/json.
func inside(tb testing.TB, raw []byte) []json.RawMessage {
	tb.Helper()
	var all []json.RawMessage
	d := json.NewDecoder(bytes.NewReader(raw))
	bracket, err := d.Token()
	for err == nil && d.More() {
		if bracket == json.Delim('{') {
			_, err = d.Token()
		}
		var value json.RawMessage
		err = errors.Join(err, d.Decode(&value))
		all = append(all, value)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// checkIndex compares the entries from at on with the value raw and returns the entry after it.
func checkIndex(tb testing.TB, entries []entry, at int, raw []byte) int {
	tb.Helper()
	if raw[0] != '{' && raw[0] != '[' {
		return at
	}
	kids := inside(tb, raw)
	next := at + 1
	for _, kid := range kids {
		next = checkIndex(tb, entries, next, kid)
	}
	if want := (entry{size: uint32(len(raw)), next: uint32(next), count: uint32(len(kids))}); at >= len(entries) || entries[at] != want {
		tb.Errorf("entry %d of %+v, want %+v: %s", at, entries, want, raw)
	}
	return next
}

// FuzzScan compares what is accepted with encoding/json, which is more lenient in three points only, and the index with what it finds.
func FuzzScan(f *testing.F) {
	for _, doc := range documents {
		f.Add([]byte(doc))
	}
	f.Add(reviewOfPod(f))
	f.Add([]byte(strings.Repeat(`[`, 1000) + strings.Repeat(`]`, 1000)))
	f.Add([]byte(strings.Repeat(`{"a":`, 1001) + `1` + strings.Repeat(`}`, 1001)))
	f.Add(manyMembers(40))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := Scan(data)
		want := json.Valid(data) && utf8.Valid(data) && !duplicates(json.NewDecoder(bytes.NewReader(data))) && depthOf(t, data) <= maxDepth
		if (err == nil) != want {
			t.Fatalf("accepted: %v (%v), want %v", err == nil, err, want)
		}
		if err != nil {
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Errorf("error %v, want a *SyntaxError", err)
			}
			return
		}
		trimmed := bytes.Trim(data, " \t\r\n")
		if !bytes.Equal(root.Bytes(), trimmed) {
			t.Errorf("bytes are %q", root.Bytes())
		}
		if root.Type() != Map && root.Type() != Array {
			return
		}
		if after := checkIndex(t, root.doc.entries, 0, trimmed); after != len(root.doc.entries) {
			t.Errorf("%d entries, want %d", len(root.doc.entries), after)
		}
	})
}

// TestEveryByte puts every byte and some sequences at every place of a string: eight bytes are looked at together.
func TestEveryByte(t *testing.T) {
	inserts := []string{`\"`, `\\`, `\\\"`, `\u00e9`, `\n`, "é", "\u2028", "😀", "\xc3\xa9\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", `\u12x4`}
	for c := range 256 {
		inserts = append(inserts, string([]byte{byte(c)}))
	}
	around := strings.Repeat("~", 20)
	for _, insert := range inserts {
		for at := range len(around) + 1 {
			for _, doc := range []string{
				`"` + around[:at] + insert + around[at:] + `"`,
				`{"` + around[:at] + insert + around[at:] + `":[0],"` + around[at:] + insert + `":"` + insert + around[at:] + `"}`,
			} {
				root, err := Scan([]byte(doc))
				want := json.Valid([]byte(doc)) && utf8.ValidString(doc) && !duplicates(json.NewDecoder(strings.NewReader(doc)))
				if (err == nil) != want {
					t.Fatalf("%q: %v, want %v", doc, err, want)
				}
				if want {
					compareWithStandard(t, root, doc)
				}
			}
		}
	}
}

// compareWithStandard compares all names and texts with those of encoding/json.
func compareWithStandard(tb testing.TB, root *Node, doc string) {
	tb.Helper()
	var value any
	if err := json.Unmarshal([]byte(doc), &value); err != nil {
		tb.Fatal(err)
	}
	if members, ok := value.(map[string]any); ok {
		if root.Len() != len(members) {
			tb.Errorf("%q: %d members, want %d", doc, root.Len(), len(members))
		}
		for name, member := range root.Members() {
			text, _ := members[name].(string)
			if _, ok := members[name]; !ok || member.Str() != text {
				tb.Errorf("%q: member %q is %q, want %q", doc, name, member.Str(), text)
			}
		}
	} else if root.Str() != value {
		tb.Errorf("%q: %q, want %q", doc, root.Str(), value)
	}
}

// TestScanErrors holds that a syntax error says the same whichever of the two parsers met it. Its texts are in TestParseErrors.
func TestScanErrors(t *testing.T) {
	many := string(manyMembers(40))
	for _, tc := range []struct{ name, doc, want string }{
		{"a name twice, and a comma too many", `{"a":1,"a":2,}`, `line 1, column 8: member "a" comes twice`},
		{"a name twice, and nothing closed", `{"b":[{"a":1,"a":[{"c"`, `line 1, column 14: at /b/0: member "a" comes twice`},
		{"names twice on two levels: the first counts", `{"a":1,"a":{"b":1,"b":2}}`, `line 1, column 8: member "a" comes twice`},
		{"a name twice, then one without a colon", `{"a":1,"a" 2}`, `line 1, column 8: member "a" comes twice`},
		{"an error in a name, which is not there yet", `{"a":1,"a`, `line 1, column 10: unexpected end of input in a string`},
		{"one of many, not closed", many[:len(many)-1] + `,"member-00000007-of-many":[`, `line 1, column 1122: member "member-00000007-of-many" comes twice`},
		{
			"the first of many", many[:len(many)-1] + `,"a":[{"\u0061":0},{}],"member-00000000-of-many":0,"a":0}`,
			`line 1, column 1144: member "member-00000000-of-many" comes twice`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for name, parse := range map[string]func([]byte) (*Node, error){"Scan": Scan, "Parse": Parse} {
				if root, err := parse([]byte(tc.doc)); err == nil || err.Error() != tc.want || root != nil {
					t.Errorf("%s: error\n %v\nwant\n %s", name, err, tc.want)
				}
			}
		})
	}
}

// TestScanAfterError holds that nothing of a document stays in the memory that the next one uses.
func TestScanAfterError(t *testing.T) {
	for _, broken := range []string{`[[[[{"a":1,"b":`, `{"a":1,"a":2}`, `[1,2`, `"`} {
		if _, err := Scan([]byte(broken)); err == nil {
			t.Fatalf("%s is accepted", broken)
		}
		root, err := Scan([]byte(`{"a":[1,{"b":2}]}`))
		if err != nil || len(root.doc.entries) != 3 || root.Get("a", "1", "b").Type() != Number {
			t.Errorf("after %s: %v, %+v", broken, err, root)
		}
		if _, err := Scan([]byte(`]`)); err == nil || err.Error() != `line 1, column 1: unexpected ']' where a value should begin` {
			t.Errorf("after %s: %v", broken, err)
		}
	}
}

// TestIndexIsItsOwn holds that the index of a document stays when others are scanned, also one too large to be copied.
func TestIndexIsItsOwn(t *testing.T) {
	for _, count := range []int{10, maxSpare + 1} {
		var trees []*Node
		for i := range 3 {
			doc := "[" + strings.Repeat(fmt.Sprintf(`[%s],`, strings.Repeat(`[],`, i)+"{}"), count) + "[]]"
			root, err := Scan([]byte(doc))
			if err != nil {
				t.Fatal(err)
			}
			trees = append(trees, root)
		}
		for i, root := range trees {
			if got, want := walk(root), 2+count*(2+i); got != want {
				t.Errorf("document %d has %d values, want %d", i, got, want)
			}
		}
	}
}

// TestReader holds that each document of a Reader is read as if it were the first.
func TestReader(t *testing.T) {
	var r Reader
	for _, doc := range []string{
		string(reviewOfPod(t)), `{"a":[{}]}`, `1`, `[[],[[]]]`, `{"a":`, `{"a":{"b":[]}}`, "[" + strings.Repeat("[],", maxSpare+1) + "[]]", `[{"a":1}]`, `"x"`, string(reviewOfPod(t)),
	} {
		root, err := r.Scan([]byte(doc))
		want, wantErr := Parse([]byte(doc))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if err == nil && (root.Len() != want.Len() || walk(root) != walk(want) || !bytes.Equal(root.Canonical(), want.Canonical())) {
			t.Errorf("it is %.100s, want %.100s", root.Canonical(), want.Canonical())
		}
	}
}

// alike writes an object of n members of which the names have one length, beginning and end, and so one fingerprint.
func alike(b *bytes.Buffer, n int, escape string) {
	for i := range n {
		fmt.Fprintf(b, `%c"beginning-%s%08d-at the end":%d`, "{,"[min(i, 1)], escape, i, i)
	}
	b.WriteByte('}')
}

// TestManyNames holds that the work for an object grows with its names alone, also where somebody chose names that look alike.
func TestManyNames(t *testing.T) {
	for _, tc := range []struct {
		objects, names int
		escape         string
	}{{1, 100_000, ""}, {1, 100_000, `\u0061`}, {1000, fewNames, ""}, {1000, fewNames, `\u0061`}, {1000, fewNames + 1, ""}} {
		var doc bytes.Buffer
		doc.WriteByte('[')
		for i := range tc.objects {
			if i > 0 {
				doc.WriteByte(',')
			}
			alike(&doc, tc.names, tc.escape)
		}
		doc.WriteByte(']')
		s := newScanner(doc.Bytes())
		if s.compared = 0; !s.scan() {
			t.Fatal(s.err())
		}
		// The hash has another seed in every process: how often names meet in the table is chance, but not among very many.
		if all := tc.objects * tc.names; s.members != all || s.compared > 3*all || tc.names > 1000 && s.compared < all/10 {
			t.Errorf("%+v: %d names are compared %d times", tc, s.members, s.compared)
		}
		s.free()
		twice := slices.Concat(doc.Bytes()[:doc.Len()-2], []byte(`,"beginning-a00000031-at the end":0}]`))
		if _, err := Scan(twice); (err != nil) != (tc.escape != "") {
			t.Errorf("%+v, and one twice: %v", tc, err)
		}
	}
}

// TestStringsAreCopies holds that names and texts do not change when the input is used for something else.
func TestStringsAreCopies(t *testing.T) {
	for _, doc := range append([]string{string(reviewOfPod(t))}, documents...) {
		data := []byte(doc)
		root, err := Scan(data)
		if err != nil {
			continue
		}
		var got, want []string
		collect := func(n *Node, all *[]string) {
			for name, kid := range n.Members() {
				*all = append(*all, name, kid.Str())
			}
			for _, kid := range n.Elements() {
				*all = append(*all, kid.Str())
			}
		}
		var visit func(a, b *Node)
		visit = func(a, b *Node) {
			collect(a, &got)
			collect(b, &want)
			for name, kid := range a.Members() {
				visit(kid, b.Get(name))
			}
			for i, kid := range a.Elements() {
				visit(kid, b.Get(fmt.Sprint(i)))
			}
		}
		visit(root, mustNode(t, doc))
		for i := range data {
			data[i] = '#'
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("texts are\n %q\nwant\n %q", got, want)
		}
	}
}

// TestParseIsRead holds that reading a tree of Parse, or a clone of it, writes nothing: many may read it. The race detector watches.
func TestParseIsRead(t *testing.T) {
	root := mustNode(t, string(reviewOfPod(t)))
	for name, n := range map[string]*Node{"parsed": root, "cloned": root.Clone(), "own": MustParse([]byte(`{"a":[{"b":{}},[]],"c":{},"d":1}`))} {
		var whole func(n *Node)
		whole = func(n *Node) {
			if n.doc != nil || (n.Type() == Map || n.Type() == Array) != (n.level != nil) {
				t.Fatalf("%s: %s is not read yet", name, n.Bytes())
			}
			for _, kid := range n.expand().kids {
				whole(kid)
			}
		}
		whole(n)
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				if walk(n) != walk(n.Clone()) || !n.Equal(n.Clone()) || len(n.Canonical()) == 0 || n.Get("a", "0").Len() > 1 || n.Get("d").Len() != 0 {
					t.Errorf("%s: read wrongly", name)
				}
				_ = n.With("c", []byte("1"))
			})
		}
		readers.Wait()
	}
}

// TestClonesAreApart holds that a clone of a tree that nobody has read is a tree of its own: two goroutines may read one each.
func TestClonesAreApart(t *testing.T) {
	root, err := Scan(reviewOfPod(t))
	if err != nil {
		t.Fatal(err)
	}
	want := walk(mustNode(t, string(reviewOfPod(t))))
	clones := []*Node{root, root.Clone(), root.Get("request", "object").Clone(), root.Clone()}
	var readers sync.WaitGroup
	for i, n := range clones {
		readers.Go(func() {
			if got := walk(n); i != 2 && got != want {
				t.Errorf("clone %d has %d values, want %d", i, got, want)
			}
		})
	}
	readers.Wait()
}
