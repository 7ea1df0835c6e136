package object

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// key is a member name.
type key struct {
	name     string
	spelling *string // as written, with the quotes, where that is more than name between quotes
}

func (k *key) write(b *bytes.Buffer) {
	if k.spelling != nil {
		b.WriteString(*k.spelling)
		return
	}
	b.WriteByte('"')
	b.WriteString(k.name)
	b.WriteByte('"')
}

// keyOf is the key of a member that is new.
func keyOf(name string) key {
	if plain(name) {
		return key{name: name}
	}
	spelling := string(Quote(name))
	return key{name: name, spelling: &spelling}
}

// find returns the position of a member, -1 where there is none.
func (l *level) find(name string) int {
	return slices.IndexFunc(l.keys, func(k key) bool { return k.name == name })
}

// add puts a member at the end of an object that has none of this name.
func (l *level) add(name string, kid *Node) {
	l.keys, l.kids = append(l.keys, keyOf(name)), append(l.kids, kid)
}

// expand returns what an object or a list holds. Where nobody has asked yet, it reads it first. It is never nil; for a value of
// another type it belongs to nobody.
func (n *Node) expand() *level {
	switch {
	case n == nil:
		return &level{}
	case n.level != nil:
		return n.level
	case n.typ != Map && n.typ != Array:
		return &level{}
	case n.doc == nil: // made by an edit
		n.level = &level{}
		return n.level
	}
	entries := n.doc.entries
	l := newLevel(int(entries[n.at].count), n.typ == Map)
	n.read(l, entries, n.doc)
	n.level, n.doc = l, nil
	return l
}

// read fills l, which has nodes for all that n holds, from the bytes of n. They were checked: only its own strings, numbers and
// words are looked at, and the index leads over lists and objects. doc is what the nodes read themselves from later, if they do.
func (n *Node) read(l *level, entries []entry, doc *document) {
	raw, inner := n.raw, n.at+1
	i := 1
	for k, kid := range l.kids {
		i = token(raw, i)
		if n.typ == Map {
			end := closing(raw, i)
			l.keys[k] = readKey(raw[i:end])
			i = token(raw, end)
		}
		i, inner = kid.set(raw, i, inner, entries, doc)
	}
}

// set makes n the value at i of raw and returns its end. inner is the entry of the next list or object from there on.
func (n *Node) set(raw []byte, i int, inner uint32, entries []entry, doc *document) (end int, next uint32) {
	n.typ = types[raw[i]]
	end = i + 1
	switch n.typ {
	case String:
		end = closing(raw, i)
	case Map, Array:
		n.doc, n.at = doc, inner
		end = i + int(entries[inner].size)
		inner = entries[inner].next
	default:
		for raw[end] > ' ' && raw[end] != ',' && raw[end] != ']' && raw[end] != '}' {
			end++
		}
	}
	n.raw = raw[i:end:end]
	return end, inner
}

// token returns the position of the next string, number, word or bracket.
func token(raw []byte, i int) int {
	for raw[i] <= ' ' || raw[i] == ',' || raw[i] == ':' {
		i++
	}
	return i
}

// closing returns the end of the valid string that begins at i.
func closing(raw []byte, i int) int {
	for i++; ; {
		if i+8 <= len(raw) {
			w := binary.LittleEndian.Uint64(raw[i:])
			quote, backslash := w^ones*'"', w^ones*'\\'
			stop := (quote-ones)&^quote&highs | (backslash-ones)&^backslash&highs
			if stop == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(stop) / 8
		}
		switch raw[i] {
		case '"':
			return i + 1
		case '\\':
			i += 2
		default:
			i++
		}
	}
}

// readKey makes a key of a member name as written. Its strings do not refer to raw.
func readKey(raw []byte) key {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return key{name: common(inner)}
	}
	spelling := string(raw)
	return key{name: string(AppendUnescaped(nil, inner)), spelling: &spelling}
}

// newLevel makes a level with count nodes, in one piece of memory where they are few.
func newLevel(count int, named bool) *level {
	switch {
	case count == 0:
		return new(level)
	case count == 1:
		var few struct {
			level
			nodes [1]Node
			kids  [1]*Node
			keys  [1]key
		}
		return few.with(count, named, few.nodes[:], few.kids[:], few.keys[:])
	case count <= 4:
		var few struct {
			level
			nodes [4]Node
			kids  [4]*Node
			keys  [4]key
		}
		return few.with(count, named, few.nodes[:], few.kids[:], few.keys[:])
	case count <= 8:
		var few struct {
			level
			nodes [8]Node
			kids  [8]*Node
			keys  [8]key
		}
		return few.with(count, named, few.nodes[:], few.kids[:], few.keys[:])
	case count <= 16:
		var few struct {
			level
			nodes [16]Node
			kids  [16]*Node
			keys  [16]key
		}
		return few.with(count, named, few.nodes[:], few.kids[:], few.keys[:])
	}
	var keys []key
	if named {
		keys = make([]key, count)
	}
	return new(level).with(count, named, make([]Node, count), make([]*Node, count), keys)
}

// with makes l a level of the first count nodes.
func (l *level) with(count int, named bool, nodes []Node, kids []*Node, keys []key) *level {
	l.kids = kids[:count]
	if named {
		l.keys = keys[:count]
	}
	for i := range l.kids {
		l.kids[i] = &nodes[i]
	}
	return l
}

// tree makes all nodes of the document at once.
func (s *scanner) tree() *Node {
	f := slab{
		entries: s.entries,
		levels:  make([]level, len(s.entries)),
		nodes:   make([]Node, s.values+1),
		kids:    make([]*Node, s.values),
		keys:    make([]key, s.members),
	}
	root := &f.nodes[0]
	f.nodes = f.nodes[1:]
	*root = Node{typ: types[s.data[s.from]], raw: s.data[s.from:s.to:s.to]}
	f.expand(root)
	return root
}

// slab is the memory for all nodes of a document.
type slab struct {
	entries []entry
	levels  []level
	nodes   []Node
	kids    []*Node
	keys    []key
}

func (f *slab) expand(n *Node) {
	if n.typ != Map && n.typ != Array {
		return
	}
	count := int(f.entries[n.at].count)
	l := &f.levels[n.at]
	l.kids, f.kids = f.kids[:count:count], f.kids[count:]
	for i := range l.kids {
		l.kids[i] = &f.nodes[i]
	}
	f.nodes = f.nodes[count:]
	if n.typ == Map {
		l.keys, f.keys = f.keys[:count:count], f.keys[count:]
	}
	n.read(l, f.entries, nil)
	n.level = l
	for _, kid := range l.kids {
		f.expand(kid)
	}
}

// Clone returns a copy that can be edited without touching n. Bytes are shared, they are never written to. What nobody has read
// yet of a tree from [Scan] costs nothing to copy.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	c := new(Node)
	n.cloneTo(c)
	return c
}

func (n *Node) cloneTo(c *Node) {
	*c = *n
	if n.level == nil {
		return
	}
	c.level = newLevel(len(n.level.kids), n.typ == Map)
	copy(c.level.keys, n.level.keys)
	for i, kid := range n.level.kids {
		kid.cloneTo(c.level.kids[i])
	}
}
