package demand

import (
	"slices"
	"strconv"
)

// A place is a part of the input that is read: a node of the trie while it grows. That it exists means that its shape is read.
type place struct {
	id   int
	kids map[string]*place
	elem *place
	// plain: elem was only asked for by a function that wants a scalar here.
	plain bool
	all   bool
	why   []reason
	value *value // a value that is this place and nothing else
}

// reason is a statement and what it does.
type reason struct {
	file string
	row  int
	what string
}

func (r reason) String() string {
	if r.row == 0 {
		return r.what
	}
	return r.file + ":" + strconv.Itoa(r.row) + ": " + r.what
}

// kind of an allocation.
type kind uint8

const (
	array kind = iota
	object
	set
	// overlay is an input or data document of which `with` replaces a part.
	overlay
)

// An alloc is a value that the policy itself builds, or rather all the values that one statement builds in one context.
type alloc struct {
	id   int
	kind kind
	// kids are the members of an object under constant keys, and those that an overlay replaces.
	kids map[string]*value
	// items are the elements of an array that is written out.
	items []*value
	// rest is everything else: elements, and members under keys that are not known.
	rest *value
	// keys are the keys of an object that are not constant texts.
	keys *value
	// base is what an overlay lies over.
	base *value
	// literal is how many elements an array that is written out has, and next the one that is appended next.
	literal, next int
	// scans is how many loops were open when it was made.
	scans int
	all   bool
	why   []reason
	value *value // a value that is this and nothing else
}

// A value is what a local may hold: any of these. Values are interned, so two are equal when they are the same pointer.
type value struct {
	id     int
	places []*place
	allocs []*alloc
	// consts are constants: s and a text, or n and a number.
	consts []string
	// scalar: some text, number, boolean or null.
	scalar bool
	// foreign: a composite value in which nothing of the input is.
	foreign bool
}

// maxConsts is how many constants are told apart before they become just some scalar.
const maxConsts = 32

func (v *value) empty() bool {
	return len(v.places) == 0 && len(v.allocs) == 0 && len(v.consts) == 0 && !v.scalar && !v.foreign
}

// composite reports whether it may be an array, an object or a set.
func (v *value) composite() bool { return len(v.places) > 0 || len(v.allocs) > 0 || v.foreign }

// opaque reports whether it may be a scalar that is not known, or the like.
func (v *value) opaque() bool { return v.scalar || v.composite() }

// values interns.
type values struct {
	byKey map[string]*value
	joins map[[2]int]*value
	// constants by kind and text.
	constants map[constantKey]*value
	none      *value
	some      *value // some scalar
	other     *value // something foreign, or a scalar
	buf       []byte
}

type constantKey struct {
	kind byte
	text string
}

func newValues() *values {
	vs := &values{byKey: map[string]*value{}, joins: map[[2]int]*value{}, constants: map[constantKey]*value{}}
	vs.none = vs.intern(value{})
	vs.some = vs.intern(value{scalar: true})
	vs.other = vs.intern(value{scalar: true, foreign: true})
	return vs
}

func (vs *values) intern(v value) *value {
	key := vs.buf[:0]
	for _, p := range v.places {
		key = strconv.AppendInt(append(key, 'p'), int64(p.id), 36)
	}
	for _, a := range v.allocs {
		key = strconv.AppendInt(append(key, 'a'), int64(a.id), 36)
	}
	for _, c := range v.consts {
		key = strconv.AppendQuote(key, c)
	}
	if v.scalar {
		key = append(key, '!')
	}
	if v.foreign {
		key = append(key, '?')
	}
	vs.buf = key
	if known := vs.byKey[string(key)]; known != nil {
		return known
	}
	v.id = len(vs.byKey)
	made := &v
	vs.byKey[string(key)] = made
	return made
}

func (vs *values) text(s string) *value   { return vs.constant('s', s) }
func (vs *values) number(s string) *value { return vs.constant('n', s) }

func (vs *values) constant(kind byte, s string) *value {
	key := constantKey{kind, s}
	if known := vs.constants[key]; known != nil {
		return known
	}
	made := vs.intern(value{consts: []string{string(kind) + s}})
	vs.constants[key] = made
	return made
}

func (vs *values) place(p *place) *value {
	if p.value == nil {
		p.value = vs.intern(value{places: []*place{p}})
	}
	return p.value
}

func (vs *values) alloc(a *alloc) *value {
	if a.value == nil {
		a.value = vs.intern(value{allocs: []*alloc{a}})
	}
	return a.value
}

// join is what may be either. nil counts as nothing.
func (vs *values) join(a, b *value) *value {
	switch {
	case a == nil || a == vs.none:
		if b == nil {
			return vs.none
		}
		return b
	case b == nil || b == vs.none || a == b:
		return a
	}
	pair := [2]int{min(a.id, b.id), max(a.id, b.id)}
	if known := vs.joins[pair]; known != nil {
		return known
	}
	both := value{
		places: merge(a.places, b.places, func(x, y *place) int { return x.id - y.id }),
		allocs: merge(a.allocs, b.allocs, func(x, y *alloc) int { return x.id - y.id }),
		scalar: a.scalar || b.scalar, foreign: a.foreign || b.foreign,
	}
	if !both.scalar { // some scalar may be any of them
		both.consts = slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.consts, b.consts))))
		if len(both.consts) > maxConsts {
			both.consts, both.scalar = nil, true
		}
	}
	joined := vs.intern(both)
	vs.joins[pair] = joined
	return joined
}

func merge[T any](a, b []*T, compare func(x, y *T) int) []*T {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.SortFunc(all, compare)
	return slices.Compact(all)
}
