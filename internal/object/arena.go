package object

import (
	"strings"
)

// arena hands out the memory of one edit in few pieces: the nodes that are made or copied, and the bytes and texts of the patch. What it
// has handed out is never handed out again. A nil arena asks for each piece by itself.
type arena struct {
	nodes  []Node
	levels []level
	keys   []key
	kids   []*Node
	bytes  []byte
	text   strings.Builder
	pieces int // how large the next pieces of memory are, in nodes
}

// grow returns how many nodes the next piece of memory is for.
func (a *arena) grow() int {
	a.pieces = min(max(2*a.pieces, 8), 64)
	return a.pieces
}

// room are the members or elements for which a list that is copied has room.
const room = 4

func (a *arena) node() *Node {
	if a == nil {
		return &Node{}
	}
	if len(a.nodes) == 0 {
		a.nodes = make([]Node, a.grow())
	}
	n := &a.nodes[0]
	a.nodes = a.nodes[1:]
	return n
}

// made returns a node that holds nothing yet.
func (a *arena) made(typ Type) *Node {
	n := a.node()
	n.typ, n.stale, n.level = typ, true, a.level(&level{}, typ == Map)
	return n
}

// level returns a copy of l with room for some more.
func (a *arena) level(l *level, named bool) *level {
	if a == nil {
		a = &arena{levels: make([]level, 1), kids: make([]*Node, len(l.kids)+room)}
		if named {
			a.keys = make([]key, len(l.keys)+room)
		}
	}
	if len(a.levels) == 0 {
		a.levels = make([]level, max(8, a.pieces))
	}
	copied := &a.levels[0]
	a.levels = a.levels[1:]

	n := len(l.kids) + room
	if len(a.kids) < n {
		a.kids = make([]*Node, max(6*max(8, a.pieces), n))
	}
	copied.kids = append(a.kids[:0:n], l.kids...)
	a.kids = a.kids[n:]
	if named {
		if len(a.keys) < n {
			a.keys = make([]key, max(5*max(8, a.pieces), n))
		}
		copied.keys = append(a.keys[:0:n], l.keys...)
		a.keys = a.keys[n:]
	}
	return copied
}

// from returns what was appended to the bytes since they had a length.
func (a *arena) from(start int) []byte { return a.bytes[start:len(a.bytes):len(a.bytes)] }

// start begins something in the bytes and returns where.
func (a *arena) start() int {
	if cap(a.bytes)-len(a.bytes) < 256 {
		a.bytes = make([]byte, 0, 1024)
	}
	return len(a.bytes)
}

// quote returns s as JSON.
func (a *arena) quote(s string) []byte {
	at := a.start()
	a.bytes = AppendQuote(a.bytes, s)
	return a.from(at)
}

// pointer returns a path as a JSON pointer.
func (a *arena) pointer(path []string, more ...string) string {
	from := a.begin()
	writePointer(&a.text, path)
	writePointer(&a.text, more)
	return a.text.String()[from:]
}

// fieldPath returns a path the way Kubernetes names fields.
func (a *arena) fieldPath(path, more []string) string {
	from := a.begin()
	writeFieldPath(&a.text, from, path)
	writeFieldPath(&a.text, from, more)
	return a.text.String()[from:]
}

// begin begins a text and returns where.
func (a *arena) begin() int {
	if a.text.Len() == 0 {
		a.text.Grow(1024)
	}
	return a.text.Len()
}
