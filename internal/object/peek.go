package object

import "bytes"

// Peek calls visit with the name and the value of each member of an object, in document order, until visit returns false; never for
// another type. Of a tree from [Scan] that nobody has read it makes no nodes: value is a tree of its own, which shares the bytes and
// nothing else. name is only good for the call.
func (n *Node) Peek(visit func(name []byte, value Node) bool) {
	switch {
	case n.Type() != Map:
		return
	case n.doc == nil:
		l := n.expand()
		for i := range l.keys {
			if !visit([]byte(l.keys[i].name), *l.kids[i]) {
				return
			}
		}
		return
	}
	raw, entries, inner, i := n.raw, n.doc.entries, n.at+1, 1
	for range entries[n.at].count {
		i = token(raw, i)
		end := closing(raw, i)
		name := raw[i+1 : end-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = AppendUnescaped(nil, name)
		}
		i = token(raw, end)
		var kid Node
		i, inner = kid.set(raw, i, inner, entries, n.doc)
		if !visit(name, kid) {
			return
		}
	}
}

// Is reports whether n is the string s. It makes no copy of it.
func (n *Node) Is(s string) bool {
	if n.Type() != String {
		return false
	}
	if inner := n.raw[1 : len(n.raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner) == s
	}
	return n.Str() == s
}
