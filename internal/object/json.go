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
// All methods may be called on a nil *Node, which stands for a value that is not there.
type Node struct {
	typ   Type
	raw   []byte
	keys  []key   // Map only, in document order
	kids  []*Node // Map: the values of keys; Array: the elements
	stale bool    // raw no longer says what the node holds: something below was edited
}

// key is a member name: as written (quoted, maybe with escapes) and as meant.
type key struct {
	raw  []byte
	name string
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
		return len(n.kids) == 0
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
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(n.kids) || strconv.Itoa(i) != token {
				return nil
			}
			n = n.kids[i]
		default:
			return nil
		}
	}
	return n
}

func (n *Node) member(name string) *Node {
	for i := range n.keys {
		if n.keys[i].name == name {
			return n.kids[i]
		}
	}
	return nil
}

// Len returns the number of members or elements, 0 for every other type.
func (n *Node) Len() int {
	if n == nil {
		return 0
	}
	return len(n.kids)
}

// Elements yields the positions and elements of a list in order; nothing for another type.
func (n *Node) Elements() iter.Seq2[int, *Node] {
	return func(yield func(int, *Node) bool) {
		if n.Type() != Array {
			return
		}
		for i, kid := range n.kids {
			if !yield(i, kid) {
				return
			}
		}
	}
}

// Members yields the names and values of an object in document order; nothing for another type.
func (n *Node) Members() iter.Seq2[string, *Node] {
	return func(yield func(string, *Node) bool) {
		if n.Type() != Map {
			return
		}
		for i := range n.keys {
			if !yield(n.keys[i].name, n.kids[i]) {
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
// together. The result must not be modified. nil for an absent node.
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
	for i, kid := range n.kids {
		if i > 0 {
			b.WriteByte(',')
		}
		if n.typ == Map {
			b.Write(n.keys[i].raw)
			b.WriteByte(':')
		}
		kid.write(b)
	}
	b.WriteByte(shut)
}

// Clone returns a copy that can be edited without touching n. Bytes are shared, they are never written to.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	c := *n
	c.keys = append([]key(nil), n.keys...)
	c.kids = make([]*Node, len(n.kids))
	for i, kid := range n.kids {
		c.kids[i] = kid.Clone()
	}
	return &c
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
	var s string
	if err := json.Unmarshal(raw, &s); err != nil { // the parser checked the escapes
		panic(fmt.Sprintf("decode string: %v", err))
	}
	return s
}
