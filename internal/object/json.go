package object

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
)

// Type is the JSON type of a [Node].
type Type uint8

// The JSON types. Absent is what a nil *Node has: lookups never fail, they lead to an absent node.
const (
	Absent Type = iota
	Null
	Bool
	Number
	String
	Array
	Map
)

func (t Type) String() string {
	return [...]string{"nothing", "null", "a boolean", "a number", "a string", "a list", "an object"}[t]
}

// Node is one JSON value inside a parsed document. It keeps the bytes it was read from, so that what nobody edits is
// written again exactly as it came; fields that no Go type knows survive for that reason.
//
// All methods may be called on a nil *Node, which stands for a value that is not there. Of a tree from [Scan], a node reads what
// it holds when it is first asked for it.
type Node struct {
	raw   []byte
	doc   *document // where doc.entries[at] is about n, as long as level is nil
	level *level    // what an object or a list holds, see expand
	at    uint32
	typ   Type
	stale bool // raw no longer says what the node holds: something below was edited
}

// level is what stands directly in an object or a list.
type level struct {
	keys []key   // Map only, in document order
	kids []*Node // Map: the values of keys; Array: the elements
}

// Type returns the JSON type of n, [Absent] for nil.
func (n *Node) Type() Type {
	if n == nil {
		return Absent
	}
	return n.typ
}

// Missing reports whether n counts as absent for filling: not there, null, or an empty list. The API server drops
// the latter two before admission (typed decoding, omitempty), so that only an offline review ever sees them.
func (n *Node) Missing() bool {
	switch n.Type() {
	case Absent, Null:
		return true
	case Array:
		return n.Len() == 0
	default:
		return false
	}
}

// Get follows member names and list positions (decimal) from n and returns the node there, nil where the way ends early.
func (n *Node) Get(path ...string) *Node {
	for _, token := range path {
		switch n.Type() {
		case Map:
			n = n.member(token)
		case Array:
			kids := n.expand().kids
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(kids) || strconv.Itoa(i) != token {
				return nil
			}
			n = kids[i]
		default:
			return nil
		}
	}
	return n
}

func (n *Node) member(name string) *Node {
	l := n.expand()
	for i := range l.keys {
		if l.keys[i].name == name {
			return l.kids[i]
		}
	}
	return nil
}

// Len returns the number of members or elements, 0 for every other type.
func (n *Node) Len() int {
	switch {
	case n == nil:
		return 0
	case n.level != nil:
		return len(n.level.kids)
	case n.doc != nil:
		return int(n.doc.entries[n.at].count)
	}
	return 0
}

// Elements yields the positions and elements of a list in order; nothing for another type.
func (n *Node) Elements() iter.Seq2[int, *Node] {
	return func(yield func(int, *Node) bool) {
		if n.Type() != Array || n.Len() == 0 {
			return
		}
		for i, kid := range n.expand().kids {
			if !yield(i, kid) {
				return
			}
		}
	}
}

// Members yields the names and values of an object in document order; nothing for another type.
func (n *Node) Members() iter.Seq2[string, *Node] {
	return func(yield func(string, *Node) bool) {
		if n.Type() != Map || n.Len() == 0 {
			return
		}
		l := n.expand()
		for i := range l.keys {
			if !yield(l.keys[i].name, l.kids[i]) {
				return
			}
		}
	}
}

// Text returns the value of a string node and whether n is one.
func (n *Node) Text() (string, bool) {
	if n.Type() != String {
		return "", false
	}
	return unquote(n.raw), true
}

// Str returns the value of a string node, "" for everything else.
func (n *Node) Str() string {
	s, _ := n.Text()
	return s
}

// IsTrue reports whether n is the literal true.
func (n *Node) IsTrue() bool {
	return n.Type() == Bool && n.raw[0] == 't'
}

// Int returns the value of an integer node and whether n is one that fits 64 bits.
func (n *Node) Int() (int64, bool) {
	if n.Type() != Number {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n.raw), 10, 64)
	return i, err == nil
}

// Bytes returns n as JSON: the bytes it was read from, or, where something was edited below, those of the parts put
// together. The result must not be modified, and as far as it was read it is a part of the document's bytes, not a copy. nil for an
// absent node.
func (n *Node) Bytes() []byte {
	if n == nil {
		return nil
	}
	if !n.stale {
		return n.raw
	}
	var b bytes.Buffer
	n.write(&b)
	return b.Bytes()
}

func (n *Node) write(b *bytes.Buffer) {
	if !n.stale {
		b.Write(n.raw)
		return
	}
	open, shut := byte('['), byte(']')
	if n.typ == Map {
		open, shut = '{', '}'
	}
	b.WriteByte(open)
	l := n.expand()
	for i, kid := range l.kids {
		if i > 0 {
			b.WriteByte(',')
		}
		if n.typ == Map {
			l.keys[i].write(b)
			b.WriteByte(':')
		}
		kid.write(b)
	}
	b.WriteByte(shut)
}

// Quote returns s as a JSON string, without escaping HTML: values are read by people in patches and diffs.
func Quote(s string) []byte {
	if plain(s) {
		out := make([]byte, 0, len(s)+2)
		return append(append(append(out, '"'), s...), '"')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // a string always encodes
		panic(fmt.Sprintf("encode string: %v", err))
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// plain reports whether s stands in JSON as it is.
func plain[S string | []byte](s S) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// unquote decodes a JSON string that the parser accepted.
func unquote(raw []byte) string {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	return string(AppendUnescaped(nil, inner))
}
