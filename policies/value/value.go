// Package value reads JSON into the values that Rego works on: the whole document, or only what a demand asks for.
//
// It is strict. Invalid UTF-8, control characters in strings, unknown escapes, numbers that RFC 8259 does not know, members that come
// twice and anything after the document are errors; names are compared after their escapes are resolved. Only in what nobody demands it
// looks at no more than strings and brackets, and leaves out what it finds there: whoever takes documents from strangers scans them once
// as a whole first, as internal/object does for every request and every file.
//
// A value never refers to the bytes that it was read from. They may be reused as soon as Parse has returned.
package value

import (
	"strconv"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/demand"
)

// maxDepth bounds nesting, as internal/object does, so that a hostile document cannot exhaust the stack.
const maxDepth = 1000

// SyntaxError says why a document cannot be read. It holds nothing of the document.
type SyntaxError struct {
	Offset int // in bytes
	Reason string
}

func (e *SyntaxError) Error() string { return "offset " + strconv.Itoa(e.Offset) + ": " + e.Reason }

// Parse reads one document. want must be folded (see [demand.Node.Fold]); nil stands for the whole document. What comes out follows the
// promises of [demand.Node]. Errors are of type *[SyntaxError].
func Parse(data []byte, want *demand.Node) (ast.Value, error) {
	p, ours := parsers.Get().(*parser)
	if !ours {
		p = &parser{}
	}
	term, err := p.document(data, want)
	p.release()
	if err != nil {
		return nil, err
	}
	return term.Value, nil
}

// parsers keeps what is left of the slabs, and the stacks, between documents.
var parsers = sync.Pool{New: func() any { return &parser{} }} //nolint:gochecknoglobals // a pool is shared by its nature

// everything is the demand for a whole document.
var everything = &demand.Node{All: true} //nolint:gochecknoglobals // constant

// parser reads one document at a time.
type parser struct {
	slabs

	data  []byte
	pos   int
	depth int
	fault *SyntaxError

	// Stacks of what the open lists and objects hold so far. Both ends of a list and an object are on the same stack, so that neither grows
	// a slice of its own and what is kept has its exact size.
	members [][2]*ast.Term
	items   []*ast.Term
	names   []string // to find a member that comes twice in a large object
	text    []byte   // a string without its escapes
}

// largestStack is how many members or items a parser keeps room for between documents.
const largestStack = 4096

func (p *parser) document(data []byte, want *demand.Node) (*ast.Term, error) {
	if want == nil {
		want = everything
	}
	p.data, p.pos, p.depth, p.fault = data, 0, 0, nil
	p.space()
	term := p.value(want)
	if term != nil {
		if p.space(); p.pos < len(p.data) {
			term = p.fail("something stands after the end of the document")
		}
	}
	if term == nil {
		return nil, p.fault
	}
	return term, nil
}

// release lets go of the document, and of all that refers to its values.
func (p *parser) release() {
	p.data, p.fault = nil, nil
	if cap(p.members) > largestStack || cap(p.items) > largestStack || cap(p.names) > largestStack {
		p.members, p.items, p.names = nil, nil, nil
	}
	p.members, p.items, p.names = emptied(p.members), emptied(p.items), emptied(p.names)
	if cap(p.text) > largestStack {
		p.text = nil
	}
	parsers.Put(p)
}

func emptied[T any](stack []T) []T {
	clear(stack[:cap(stack)])
	return stack[:0]
}

// fail notes the first error and returns nil, which every caller passes on.
func (p *parser) fail(reason string) *ast.Term {
	if p.fault == nil {
		p.fault = &SyntaxError{Offset: min(p.pos, len(p.data)), Reason: reason}
	}
	return nil
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// next moves past white space and returns what stands there, 0 at the end.
func (p *parser) next() byte {
	if p.pos < len(p.data) && p.data[p.pos] > ' ' { // most documents have no white space
		return p.data[p.pos]
	}
	p.space()
	if p.pos == len(p.data) {
		return 0
	}
	return p.data[p.pos]
}

const (
	reasonEnd     = "the document ends too early"
	reasonValue   = "a value should begin here"
	reasonDeep    = "nested too deeply"
	reasonTwice   = "a member comes twice"
	reasonName    = "a member name should begin here"
	reasonColon   = "a member name must be followed by ':'"
	reasonMember  = "a member must be followed by ',' or '}'"
	reasonElement = "an element must be followed by ',' or ']'"
)

// value reads the value at the current position, which is no white space. want is never nil.
func (p *parser) value(want *demand.Node) *ast.Term {
	if p.pos >= len(p.data) {
		return p.fail(reasonEnd)
	}
	switch c := p.data[p.pos]; c {
	case '{':
		if !p.enter() {
			return nil
		}
		return p.object(want)
	case '[':
		if !p.enter() {
			return nil
		}
		return p.list(want)
	case '"':
		raw, ok := p.quoted()
		if !ok {
			return nil
		}
		return p.textTerm(raw)
	case 't':
		return p.literal("true", ast.InternedTerm(true))
	case 'f':
		return p.literal("false", ast.InternedTerm(false))
	case 'n':
		return p.literal("null", ast.InternedNullTerm)
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return p.number()
		}
		return p.fail(reasonValue)
	}
}

// enter steps into a list or an object.
func (p *parser) enter() bool {
	if p.depth == maxDepth {
		p.fail(reasonDeep)
		return false
	}
	p.depth++
	p.pos++
	return true
}

func (p *parser) literal(text string, term *ast.Term) *ast.Term {
	end := p.pos + len(text)
	if end > len(p.data) || string(p.data[p.pos:end]) != text {
		return p.fail(reasonValue)
	}
	p.pos = end
	return term
}

// object reads the members of an object; the current position is behind its brace.
func (p *parser) object(want *demand.Node) *ast.Term {
	from := len(p.members)
	for first := true; ; first = false {
		c := p.next()
		if c == '}' && first {
			break
		}
		if c != '"' {
			return p.fail(reasonName)
		}
		if !p.member(want, from) {
			return nil
		}
		if c = p.next(); c == '}' {
			break
		}
		if c != ',' {
			return p.fail(reasonMember)
		}
		p.pos++
	}
	p.pos++
	p.depth--
	members := p.members[from:]
	p.members = p.members[:from]
	if len(members) == 0 {
		return ast.InternedEmptyObject
	}
	if len(members) > fewMembers && !p.distinct(members) {
		return p.fail(reasonTwice)
	}
	return p.term(ast.NewObject(members...)) // it copies the members
}

// member reads one member and keeps it where it is demanded. Those of its object begin at from on the stack.
func (p *parser) member(want *demand.Node, from int) bool {
	at := p.pos
	name, ok := p.quoted()
	if !ok {
		return false
	}
	kid := want
	if !want.All {
		if kid = want.Kids[string(name)]; kid == nil {
			kid = want.Elem
		}
	}
	var key *ast.Term
	if kid != nil {
		if key = p.textTerm(name); !p.isNew(key, from) {
			p.pos = at
			p.fail(reasonTwice)
			return false
		}
	}
	if p.next() != ':' {
		p.fail(reasonColon)
		return false
	}
	p.pos++
	p.next()
	if kid == nil {
		return p.skip()
	}
	value := p.value(kid)
	if value == nil {
		return false
	}
	p.members = append(p.members, [2]*ast.Term{key, value})
	return true
}

// fewMembers is how many names are compared with each other one by one.
const fewMembers = 16

// isNew reports whether an object has no member of that name yet. For large objects distinct finds out at their end.
func (p *parser) isNew(key *ast.Term, from int) bool {
	members := p.members[from:]
	if len(members) > fewMembers {
		return true
	}
	name, _ := key.Value.(ast.String)
	for i := range members {
		if other, _ := members[i][0].Value.(ast.String); other == name {
			return false
		}
	}
	return true
}

// list reads the elements of a list; the current position is behind its bracket.
func (p *parser) list(want *demand.Node) *ast.Term {
	each := want
	if !want.All {
		each = want.Elem
	}
	from := len(p.items)
	for first := true; ; first = false {
		c := p.next()
		if c == ']' && first {
			break
		}
		if each == nil {
			if !p.skip() {
				return nil
			}
		} else {
			item := p.value(each)
			if item == nil {
				return nil
			}
			p.items = append(p.items, item)
		}
		if c = p.next(); c == ']' {
			break
		}
		if c != ',' {
			return p.fail(reasonElement)
		}
		p.pos++
	}
	p.pos++
	p.depth--
	items := p.items[from:]
	p.items = p.items[:from]
	if len(items) == 0 {
		return ast.InternedEmptyArray
	}
	return p.term(ast.NewArray(p.pointers(items)...)) // it keeps the slice
}
