package object

import (
	"bytes"
	"slices"
	"strings"
)

// What is edited is copied on the way down to it: a node that is stale belongs to the one document that is being edited, every other node
// may stand in many. Only the document's own node is changed where it is.

// Copy returns a copy that can be edited without touching n. What is not edited in it is shared.
func (n *Node) Copy() *Node {
	if n == nil {
		return nil
	}
	was := n.expand() // once for both
	c := *n
	if n.stale {
		c.level = (*arena)(nil).level(was, n.typ == Map)
		for i, kid := range c.level.kids {
			if kid.stale {
				c.level.kids[i] = kid.Copy()
			}
		}
	}
	return &c
}

// Open makes n, which nobody else must hold, a part of the document into which it is put: it is edited where it is from then on.
func (n *Node) Open() { n.open(nil) }

// open makes n ready to be edited and returns it.
func (n *Node) open(mem *arena) *Node {
	if !n.stale {
		n.level = mem.level(n.expand(), n.typ == Map)
		n.stale = true
	}
	return n
}

// openAt makes the member or element at i ready to be edited and returns it.
func (n *Node) openAt(mem *arena, i int) *Node {
	kids := n.expand().kids
	kid := kids[i]
	if kid.stale || kid.typ != Map && kid.typ != Array {
		return kid
	}
	kid.expand() // once for both
	c := mem.node()
	*c = *kid
	kids[i] = c
	return c.open(mem)
}

// openTo makes what stands at path below n, which is open, ready to be edited and returns it.
func (n *Node) openTo(mem *arena, path []string) *Node {
	for _, token := range path {
		n = n.openAt(mem, n.position(token))
	}
	return n
}

// position returns at which of the kids the way goes on by token, -1 where it ends.
func (n *Node) position(token string) int {
	switch n.Type() {
	case Map:
		return n.expand().find(token)
	case Array:
		return elementAt(token, n.Len())
	default:
		return -1
	}
}

// elementAt reads the position of an element in a list of that length, -1 where token is none.
func elementAt(token string, length int) int {
	at := 0
	for i := range len(token) {
		c := token[i]
		if c < '0' || c > '9' || i > 0 && at == 0 {
			return -1
		}
		if at = at*10 + int(c-'0'); at >= length {
			return -1
		}
	}
	if token == "" {
		return -1
	}
	return at
}

// Step is [Node.Get] of one token.
func (n *Node) Step(token string) *Node {
	if at := n.position(token); at >= 0 {
		return n.At(at)
	}
	return nil
}

// Remove takes away the member or element at path and reports whether it was there.
func (n *Node) Remove(path ...string) bool {
	if len(path) == 0 || n.Get(path...) == nil {
		return false
	}
	parent := n.open(nil).openTo(nil, path[:len(path)-1])
	at, l := parent.position(path[len(path)-1]), parent.expand()
	if parent.typ == Map {
		l.keys = slices.Delete(l.keys, at, at+1)
	}
	l.kids = slices.Delete(l.kids, at, at+1)
	return true
}

// Put makes kid the member or element at path, in the place of what is there. A member that is not there is added, an element is
// not; parents that are missing are made as objects. It reports whether it could.
func (n *Node) Put(kid *Node, path ...string) bool {
	if len(path) == 0 || !n.canPut(path) {
		return false
	}
	parent := n.open(nil)
	for _, token := range path[:len(path)-1] {
		i := parent.position(token)
		if i < 0 || parent.At(i).Type() == Null {
			made := (*arena)(nil).made(Map)
			parent.put(nil, token, made)
			parent = made
			continue
		}
		parent = parent.openAt(nil, i)
	}
	return parent.put(nil, path[len(path)-1], kid)
}

func (n *Node) canPut(path []string) bool {
	for i, token := range path {
		switch n.Type() {
		case Map:
			n = n.member(token)
		case Array:
			if n = n.Step(token); n == nil {
				return false
			}
		default:
			return false
		}
		if n == nil || n.Type() == Null && i < len(path)-1 {
			return true
		}
	}
	return true
}

func (n *Node) put(mem *arena, token string, kid *Node) bool {
	at := n.position(token)
	if at < 0 && n.Type() != Map {
		return false
	}
	l := n.open(mem).expand()
	if at >= 0 {
		l.kids[at] = kid
	} else {
		l.add(token, kid)
	}
	return true
}

// List returns a list of elements.
func List(elements []*Node) *Node {
	return &Node{typ: Array, level: &level{kids: elements}, stale: true}
}

// Memory is what the nodes of one rewriting are made of. The zero value is ready.
type Memory struct{ mem arena }

// Replaced returns a copy of an object or a list in which kids are its members or elements, one for each; those that are nil are left
// out.
func (m *Memory) Replaced(n *Node, kids []*Node) *Node {
	made, was := m.mem.node(), n.expand()
	made.typ, made.stale, made.level = n.typ, true, m.mem.level(was, n.typ == Map)
	l := made.level
	l.keys, l.kids = l.keys[:0], l.kids[:0]
	for i, kid := range kids {
		if kid == nil {
			continue
		}
		l.kids = append(l.kids, kid)
		if n.typ == Map {
			l.keys = append(l.keys, was.keys[i])
		}
	}
	return made
}

// With returns a copy of an object in which the member name is value; without it where that is nil.
func (m *Memory) With(n *Node, name string, value *Node) *Node {
	var buf [32]*Node
	kids := append(buf[:0], n.expand().kids...)
	if at := n.position(name); at >= 0 {
		kids[at] = value
	}
	return m.Replaced(n, kids)
}

// Value returns the node of a string.
func Value(s string) *Node { return &Node{typ: String, raw: Quote(s)} }

// appendTo appends n as JSON.
func (n *Node) appendTo(b []byte) []byte {
	if !n.stale {
		return append(b, n.raw...)
	}
	open, shut := byte('['), byte(']')
	if n.typ == Map {
		open, shut = '{', '}'
	}
	b = append(b, open)
	l := n.expand()
	for i, kid := range l.kids {
		if i > 0 {
			b = append(b, ',')
		}
		if n.typ == Map {
			b = append(l.keys[i].appendTo(b), ':')
		}
		b = kid.appendTo(b)
	}
	return append(b, shut)
}

func (k *key) appendTo(b []byte) []byte {
	if k.spelling != nil {
		return append(b, *k.spelling...)
	}
	return append(append(append(b, '"'), k.name...), '"')
}

// AppendQuote appends s as [Quote] writes it.
func AppendQuote(b []byte, s string) []byte {
	start, from := len(b), 0
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return append(b[:start], Quote(s)...)
		case c == '"' || c == '\\':
			b = append(append(b, s[from:i]...), '\\', c)
			from = i + 1
		}
	}
	return append(append(b, s[from:]...), '"')
}

// Canonical returns n as JSON of which there is one only: names sorted, no space, strings escaped in one way, members that are null
// left out, as the API server leaves them out. Numbers keep their digits.
func (n *Node) Canonical() []byte { return n.AppendCanonical(nil) }

// AppendCanonical appends what [Node.Canonical] returns.
func (n *Node) AppendCanonical(b []byte) []byte {
	switch n.Type() {
	case Absent:
		return append(b, "null"...)
	case String:
		if plain(n.raw[1 : len(n.raw)-1]) {
			return append(b, n.raw...)
		}
		return AppendQuote(b, unquote(n.raw))
	case Array:
		b = append(b, '[')
		for i, kid := range n.expand().kids {
			if i > 0 {
				b = append(b, ',')
			}
			b = kid.AppendCanonical(b)
		}
		return append(b, ']')
	case Map:
		var buf [32]int
		l := n.expand()
		b = append(b, '{')
		for i, at := range n.InOrder(buf[:0]) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(AppendQuote(b, l.keys[at].name), ':')
			b = l.kids[at].AppendCanonical(b)
		}
		return append(b, '}')
	default:
		return append(b, n.raw...)
	}
}

// InOrder appends the positions of the members of an object that are not null, in the order of their names.
func (n *Node) InOrder(order []int) []int {
	l, sorted := n.expand(), true
	for i, kid := range l.kids {
		if kid.Type() == Null {
			continue
		}
		if len(order) > 0 && l.keys[order[len(order)-1]].name > l.keys[i].name {
			sorted = false
		}
		order = append(order, i)
	}
	if !sorted {
		slices.SortFunc(order, func(i, j int) int { return strings.Compare(l.keys[i].name, l.keys[j].name) })
	}
	return order
}

// MemberAt returns the name and the value of the member at a position.
func (n *Node) MemberAt(at int) (string, *Node) {
	l := n.expand()
	return l.keys[at].name, l.kids[at]
}

// At returns the member or element at a position.
func (n *Node) At(i int) *Node { return n.expand().kids[i] }

// linear is up to how many members of an object are looked through for each other.
const linear = 64

// Equal reports whether two nodes say the same: order and escapes of members do not count, nor does null against nothing.
func (n *Node) Equal(other *Node) bool {
	switch {
	case n == other:
		return true
	case n.Type() != other.Type():
		return false
	case n.Type() == Absent, !n.stale && !other.stale && bytes.Equal(n.raw, other.raw):
		return true
	}
	switch n.typ {
	case Array:
		return slices.EqualFunc(n.expand().kids, other.expand().kids, (*Node).Equal)
	case Map:
		if n.Len() > linear {
			return bytes.Equal(n.Canonical(), other.Canonical())
		}
		return n.sameMembers(other)
	case String:
		// Where there is one spelling only, another one is another text: a record is long and full of quotes.
		return (!inOneSpelling(n.raw) || !inOneSpelling(other.raw)) && n.Str() == other.Str()
	default:
		return false
	}
}

// inOneSpelling reports whether a string is written as [Quote] writes it.
func inOneSpelling(raw []byte) bool {
	inner := raw[1 : len(raw)-1]
	for i := 0; i < len(inner); i++ {
		switch c := inner[i]; {
		case c < ' ' || c > '~':
			return false
		case c == '\\':
			if i++; inner[i] != '"' && inner[i] != '\\' {
				return false
			}
		}
	}
	return true
}

func (n *Node) sameMembers(other *Node) bool {
	mine, theirs, count := n.expand(), other.expand(), 0
	for i, kid := range mine.kids {
		if kid.Type() == Null {
			continue
		}
		count++
		if at := theirs.find(mine.keys[i].name); at < 0 || !kid.Equal(theirs.kids[at]) {
			return false
		}
	}
	for _, kid := range theirs.kids {
		if kid.Type() != Null {
			count--
		}
	}
	return count == 0
}
