package demand

import "slices"

// kid is the place of a member. Below a place that is read whole there is nothing to tell apart.
func (a *analysis) kid(p *place, name string) *place {
	if p.all {
		return p
	}
	kid := p.kids[name]
	if kid == nil {
		kid = a.newPlace()
		if p.kids == nil {
			p.kids = map[string]*place{}
		}
		p.kids[name] = kid
	}
	return kid
}

// each is the place of every element and member.
func (a *analysis) each(p *place) *place {
	if p.all {
		return p
	}
	p.plain = false
	if p.elem == nil {
		p.elem = a.newPlace()
	}
	return p.elem
}

func (a *analysis) newPlace() *place {
	a.places++
	a.changed = true
	return &place{id: a.places}
}

// whole asks for everything that a value may hold of the input.
func (a *analysis) whole(v *value, why reason) {
	for _, p := range v.places {
		if !p.all {
			p.all, a.changed = true, true
		}
		if !slices.Contains(p.why, why) {
			p.why = append(p.why, why)
		}
	}
	for _, made := range v.allocs {
		if made.all {
			continue
		}
		made.all, a.changed = true, true
		made.why = append(made.why, why)
		a.eachPart(made, func(part *value) { a.whole(part, why) })
	}
}

// eachPart visits what an allocation holds.
func (*analysis) eachPart(made *alloc, visit func(*value)) {
	for _, kid := range made.kids {
		visit(kid)
	}
	for _, item := range made.items {
		visit(item)
	}
	for _, part := range []*value{made.rest, made.keys, made.base} {
		if part != nil {
			visit(part)
		}
	}
}

// put adds to a part of an allocation, which may be asked for as a whole already: a value may reach it in a later pass only.
func (a *analysis) put(made *alloc, part **value, v *value) {
	joined := a.join(*part, v)
	if joined == *part {
		return
	}
	*part, a.changed = joined, true
	if made.all && !a.off[ruleLate] {
		for _, why := range made.why {
			a.whole(v, why)
		}
	}
}

func (a *analysis) putKid(made *alloc, name string, v *value) {
	kid := made.kids[name]
	a.put(made, &kid, v)
	if made.kids == nil {
		made.kids = map[string]*value{}
	}
	made.kids[name] = kid
}

// parts is everything in an allocation but its keys.
func (a *analysis) parts(made *alloc) *value {
	all := a.none
	for _, kid := range made.kids {
		all = a.join(all, kid)
	}
	for _, item := range made.items {
		all = a.join(all, item)
	}
	all = a.join(all, made.rest)
	if made.base != nil {
		_, value := a.scanned(made.base)
		all = a.join(all, value)
	}
	return all
}

// scanned is what the keys and the values of a loop over v may be.
func (a *analysis) scanned(v *value) (keys, items *value) {
	keys, items = a.none, a.none
	for _, p := range v.places {
		keys, items = a.join(keys, a.some), a.join(items, a.place(a.each(p)))
	}
	for _, made := range v.allocs {
		parts := a.parts(made)
		items = a.join(items, parts)
		switch made.kind {
		case set:
			keys = a.join(keys, parts)
		case object:
			for name := range made.kids {
				keys = a.join(keys, a.text(name))
			}
			keys = a.join(keys, made.keys)
			if made.rest != nil {
				keys = a.join(keys, a.some)
			}
		case array, overlay:
			keys = a.join(keys, a.some)
		}
	}
	if v.foreign {
		keys, items = a.join(keys, a.other), a.join(items, a.other)
	}
	return keys, items
}

// dot is what v[key] may be.
func (a *analysis) dot(v, key *value, why reason) *value {
	found := a.none
	for _, p := range v.places {
		for _, constant := range key.consts {
			if constant[0] == 's' {
				found = a.join(found, a.place(a.kid(p, constant[1:])))
			} else {
				found = a.join(found, a.place(a.each(p)))
			}
		}
		if key.opaque() {
			found = a.join(found, a.place(a.each(p)))
		}
	}
	for _, made := range v.allocs {
		found = a.join(found, a.dotAlloc(made, key, why))
	}
	if v.foreign {
		found = a.join(found, a.other)
	}
	return found
}

func (a *analysis) dotAlloc(made *alloc, key *value, why reason) *value {
	switch made.kind {
	case set:
		a.compare(a.parts(made), key, why)
		return a.parts(made)
	case array:
		if key.opaque() {
			return a.parts(made)
		}
		found := a.join(a.none, made.rest)
		for _, constant := range key.consts {
			if i, ok := index(constant); ok && i < len(made.items) {
				found = a.join(found, made.items[i])
			}
		}
		return found
	case object:
		if made.keys != nil {
			a.compare(made.keys, key, why)
		}
	case overlay:
	}
	if key.opaque() {
		return a.parts(made)
	}
	found := a.join(a.none, made.rest)
	for _, constant := range key.consts {
		kid := made.kids[constant[1:]]
		switch {
		case constant[0] != 's':
		case kid != nil:
			found = a.join(found, kid)
			continue
		}
		if made.base != nil {
			found = a.join(found, a.dot(made.base, a.constant(constant[0], constant[1:]), why))
		}
	}
	return found
}

// index reads a constant as the index of an array.
func index(constant string) (int, bool) {
	if constant[0] != 'n' || len(constant) < 2 || len(constant) > 6 {
		return 0, false
	}
	n := 0
	for _, digit := range constant[1:] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		n = n*10 + int(digit-'0')
	}
	return n, true
}

// compare is an equality, an order or a membership: a scalar on one side is told from anything by its type, and of what the policy wrote
// out only as much is read as it wrote.
func (a *analysis) compare(x, y *value, why reason) { a.compareTo(x, y, why, 0) }

// maxNesting is how far into what is written out a comparison looks.
const maxNesting = 8

func (a *analysis) compareTo(x, y *value, why reason, depth int) {
	if a.off[ruleComparison] || !x.composite() || !y.composite() {
		return
	}
	if depth < maxNesting && len(x.places)+len(x.allocs) > 0 && len(y.places)+len(y.allocs) > 0 && !x.foreign && !y.foreign {
		if len(y.places) == 0 && writtenOut(y) {
			a.compareParts(x, y, why, depth)
			return
		}
		if len(x.places) == 0 && writtenOut(x) {
			a.compareParts(y, x, why, depth)
			return
		}
	}
	a.whole(x, why)
	a.whole(y, why)
}

// writtenOut reports whether all that v may be are arrays and objects of which every key is known.
func writtenOut(v *value) bool {
	for _, made := range v.allocs {
		if made.kind != array && made.kind != object || made.keys != nil || made.rest != nil {
			return false
		}
	}
	return true
}

// compareParts compares with arrays and objects that are written out.
func (a *analysis) compareParts(x, written *value, why reason, depth int) {
	a.length(x, why)
	for _, made := range written.allocs {
		for name, kid := range made.kids {
			a.compareTo(a.dot(x, a.text(name), why), kid, why, depth+1)
		}
		_, items := a.scanned(x)
		for _, item := range made.items {
			a.compareTo(items, item, why, depth+1)
		}
	}
}

// length asks for what the number of elements needs.
func (a *analysis) length(v *value, why reason) {
	if !a.off[ruleArrayLength] {
		for _, p := range v.places {
			a.each(p)
		}
	}
	for _, made := range v.allocs {
		switch {
		case made.kind == set && !a.off[ruleSetLength]: // what differs must go on differing
			a.whole(a.parts(made), why)
		case made.kind == overlay:
			a.length(made.base, why)
		}
	}
}

// node is the trie as others see it.
func (p *place) node() *Node {
	if p == nil {
		return nil
	}
	if p.all {
		why := make([]string, len(p.why))
		for i, reason := range p.why {
			why[i] = reason.String()
		}
		return Whole(why...)
	}
	n := &Node{Elem: p.elem.node(), Plain: p.plain}
	for name, kid := range p.kids {
		if n.Kids == nil {
			n.Kids = make(map[string]*Node, len(p.kids))
		}
		n.Kids[name] = kid.node()
	}
	return n
}
