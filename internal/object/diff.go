package object

import (
	"slices"
	"strconv"
)

// Diff returns the JSON patch (RFC 6902) that makes from into to: nil where they say the same. Lists are compared from both ends, so
// that what was put in or taken out in one place costs no more than that; a null that becomes absent is no difference.
func Diff(from, to *Node) []Operation {
	d := &differ{}
	d.node(nil, from, to)
	return d.ops
}

// maxPairs bounds how many pairs of elements are compared to find those that moved. A list of which more differs is replaced.
const maxPairs = 1 << 16

type differ struct{ ops []Operation }

func (d *differ) node(path []string, from, to *Node) {
	switch {
	case from.Equal(to):
	case from.Type() == Map && to.Type() == Map:
		d.members(path, from, to)
	case from.Type() == Array && to.Type() == Array:
		d.elements(path, from, to)
	default:
		d.add("replace", path, to)
	}
}

func (d *differ) members(path []string, from, to *Node) {
	for name, was := range from.Members() {
		is := to.Get(name)
		switch {
		case is != nil:
			d.node(Join(path, name), was, is)
		case was.Type() != Null:
			d.remove(Join(path, name))
		}
	}
	for name, is := range to.Members() {
		if from.Get(name) == nil && is.Type() != Null {
			d.add("add", Join(path, name), is)
		}
	}
}

// elements compares two lists. Elements that are the same at both ends stay; of those between, as many as there are on both sides
// are compared in pairs by name, and the rest is taken out or put in.
func (d *differ) elements(path []string, from, to *Node) {
	head, a, b := 0, from.expand().kids, to.expand().kids
	for len(a) > 0 && len(b) > 0 && a[0].sameElement(b[0]) {
		d.node(Join(path, strconv.Itoa(head)), a[0], b[0])
		head, a, b = head+1, a[1:], b[1:]
	}
	tail := 0
	for tail < len(a) && tail < len(b) && a[len(a)-1-tail].Equal(b[len(b)-1-tail]) {
		tail++
	}
	a, b = a[:len(a)-tail], b[:len(b)-tail]
	if len(a)*len(b) > maxPairs {
		d.add("replace", path, to)
		return
	}
	d.between(path, head, a, b, tail == 0)
}

// between compares what lies between the ends of two lists, from position head on. atEnd is whether nothing comes after it.
func (d *differ) between(path []string, head int, a, b []*Node, atEnd bool) {
	at := func(i int) []string { return Join(path, strconv.Itoa(head+i)) }
	// What does not come again goes first, from the end, so that positions before it stay.
	kept := slices.Clone(a)
	for i, e := range slices.Backward(a) {
		if !slices.ContainsFunc(b, e.sameElement) {
			d.remove(at(i))
			kept = slices.Delete(kept, i, i+1)
		}
	}
	for i, is := range b {
		if i < len(kept) && kept[i].sameElement(is) {
			d.node(at(i), kept[i], is)
			continue
		}
		if later := slices.IndexFunc(kept[min(i, len(kept)):], is.sameElement); later >= 0 { // it moved: rare, so plainly
			d.remove(at(i + later))
			kept = slices.Delete(kept, i+later, i+later+1)
		}
		if i == len(kept) && atEnd {
			d.add("add", Join(path, "-"), is)
		} else {
			d.add("add", at(i), is)
		}
		kept = slices.Insert(kept, i, is)
	}
	for i := len(kept) - 1; i >= len(b); i-- {
		d.remove(at(i))
	}
}

// sameElement reports whether two elements of lists are versions of one: they have one name or one mount path, or are the same.
func (n *Node) sameElement(other *Node) bool {
	if n.Type() == Map && other.Type() == Map {
		for _, key := range [...]string{"mountPath", "name", "containerPort"} {
			mine, theirs := n.Get(key), other.Get(key)
			if mine != nil || theirs != nil {
				return mine.Equal(theirs)
			}
		}
	}
	return n.Equal(other)
}

func (d *differ) remove(path []string) {
	d.ops = append(d.ops, Operation{Op: "remove", Path: Pointer(path...)})
}

func (d *differ) add(op string, path []string, value *Node) {
	d.ops = append(d.ops, Operation{Op: op, Path: Pointer(path...), Value: slices.Clone(value.Bytes())})
}
