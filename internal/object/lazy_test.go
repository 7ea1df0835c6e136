package object

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
)

// FuzzLazy reads a tree that expands lazily in a random order, beside one that was made whole, and edits clones of both.
func FuzzLazy(f *testing.F) {
	for i, doc := range documents {
		f.Add([]byte(doc), uint64(i))
	}
	f.Add(reviewOfPod(f), uint64(99))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		eager, err := Parse(data)
		if err != nil {
			return
		}
		lazy, err := Scan(data)
		if err != nil {
			t.Fatal(err)
		}
		choose := func(n int) int {
			seed = seed*6364136223846793005 + 1442695040888963407
			return int(seed >> 33 % uint64(n))
		}
		ways := paths(eager, nil)
		for range min(len(ways), 40) {
			compare(t, eager, lazy, ways[choose(len(ways))], choose(8))
		}
		before := slices.Clone(eager.Bytes())
		one, other := eager.Clone(), lazy.Clone()
		values := []string{"1", `"x"`, "[]", "null", `{"a":[{}]}`, `[1]`}
		for range 6 {
			way, value := ways[choose(len(ways))], values[choose(len(values))]
			edit(t, one, other, way, value, choose(4))
			one, other = one.Clone(), other.Clone()
		}
		if !bytes.Equal(one.Bytes(), other.Bytes()) || !bytes.Equal(one.Canonical(), other.Canonical()) {
			t.Errorf("edited\n %s\nwant\n %s", other.Bytes(), one.Bytes())
		}
		if !bytes.Equal(lazy.Bytes(), before) || !bytes.Equal(lazy.Canonical(), eager.Canonical()) || walk(lazy) != walk(eager) {
			t.Errorf("the original changed to %s", lazy.Canonical())
		}
	})
}

// compare asks both trees the same about a place.
func compare(tb testing.TB, eager, lazy *Node, way []string, question int) {
	tb.Helper()
	a, b := eager.Get(way...), lazy.Get(way...)
	ask := map[int]func(n *Node) any{
		0: func(n *Node) any { return n.Len() },
		1: func(n *Node) any { return n.Missing() },
		2: func(n *Node) any { return string(n.Bytes()) },
		3: func(n *Node) any { return string(n.Canonical()) },
		4: func(n *Node) any { return string(n.Clone().Canonical()) },
		5: func(n *Node) any { return string(n.With("new\n", []byte("1"))) },
		6: func(n *Node) any {
			i, ok := n.Int()
			return fmt.Sprint(n.Str(), i, ok, n.IsTrue(), n.Is("x"))
		},
		7: func(n *Node) any {
			all := []string{}
			for name, kid := range n.Members() {
				all = append(all, name, kid.Type().String())
			}
			for i, kid := range n.Elements() {
				all = append(all, strconv.Itoa(i), kid.Type().String())
			}
			return fmt.Sprintf("%q", all)
		},
	}[question]
	if question == 5 && a.Type() != Map {
		return
	}
	if a.Type() != b.Type() || ask(a) != ask(b) {
		tb.Fatalf("question %d at %q: %v, want %v", question, way, ask(b), ask(a))
	}
	if b != lazy.Get(way...) {
		tb.Errorf("another node at %q when asked again", way)
	}
}

// edit does the same to both trees.
func edit(tb testing.TB, eager, lazy *Node, way []string, value string, how int) {
	tb.Helper()
	do := func(n *Node) any {
		switch how {
		case 0:
			return n.Remove(way...)
		case 1:
			return n.Put(MustParse([]byte(value)), way...)
		case 2:
			return Edit(n).Set(way, []byte(value))
		default:
			return Edit(n).Append(way, []byte(value))
		}
	}
	if did, want := do(lazy), do(eager); did != want {
		tb.Errorf("edit %d at %q: %v, want %v", how, way, did, want)
	}
}

// TestAllocations counts what reading allocates, exactly or with a small margin.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	data := reviewOfPod(t)
	scanned := func() *Node {
		root, err := Scan(data)
		if err != nil {
			t.Fatal(err)
		}
		return root
	}
	untouched, read := scanned(), mustNode(t, string(data))
	for _, tc := range []struct {
		name string
		max  float64
		do   func()
	}{
		{"a scan", 2, func() { scanned() }},
		{"what an edge reads", 14, func() { readFew(t, scanned()) }},
		{"a clone that nobody has read", 1, func() { untouched.Clone() }},
		{"a tree", 110, func() { mustNode(t, string(data)) }},
		{"a tree that was read", 0, func() { walk(read) }},
		{"the length of an object", 0, func() { untouched.Len() }},
		{"a text that is compared", 0, func() { read.Get("kind").Is("AdmissionReview") }},
	} {
		if got := testing.AllocsPerRun(50, tc.do); got > tc.max {
			t.Errorf("%s: %v allocations, want at most %v", tc.name, got, tc.max)
		}
	}
	// The index of a Pod's review has about 250 entries of 12 bytes.
	if root := scanned(); cap(root.doc.entries) > 300 || walk(root) < 400 {
		t.Errorf("%d entries for %d values", cap(root.doc.entries), walk(root))
	}
}

// TestCommonNames holds that a name from the table is the one that was read, and that others are, too.
func TestCommonNames(t *testing.T) {
	for _, name := range []string{"", "a", "metadata", "metadat", "f:spec", ".", "terminationMessagePolicy", "terminationMessagePolicies", "naïve", "\x00"} {
		if got := common([]byte(name)); got != name {
			t.Errorf("%q becomes %q", name, got)
		}
	}
	filled := 0
	for _, name := range commonTable {
		if name == "" {
			continue
		}
		filled++
		if common([]byte(name)) != name {
			t.Errorf("%q is not found", name)
		}
	}
	if filled < 300 || filled > len(commonTable)/2 {
		t.Errorf("%d of %d slots are filled", filled, len(commonTable))
	}
	if raceEnabled {
		return
	}
	b := []byte("terminationMessagePolicy")
	if got := testing.AllocsPerRun(50, func() { _ = common(b) }); got > 0 {
		t.Errorf("a common name costs %v allocations", got)
	}
}

// FuzzUnescape compares texts with encoding/json.
func FuzzUnescape(f *testing.F) {
	for _, text := range []string{
		`"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83dx\ude00"`, `"\ud83d\n"`, `"\ud83d\ud83d\ude00"`, `"\"\\\/\b\f\n\r\t"`, `"é\u0000"`, `"\uD83D\uDE00\u00E9"`,
		`"a plain text of some length"`, `""`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := Scan(data)
		if err != nil || root.Type() != String {
			return
		}
		if got, want := root.Str(), decoded(t, data); got != want {
			t.Errorf("%s is %q, want %q", data, got, want)
		}
	})
}

func decoded(tb testing.TB, data []byte) (s string) {
	tb.Helper()
	if err := json.Unmarshal(data, &s); err != nil {
		tb.Fatal(err)
	}
	return s
}
