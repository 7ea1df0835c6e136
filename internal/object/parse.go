package object

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that a hostile document cannot exhaust the stack. Kubernetes objects stay far below it:
// the deepest of the built-in API types nests about 30 levels.
const maxDepth = 1000

// SyntaxError says why a document is not the strict JSON that Gesso accepts and where.
type SyntaxError struct {
	Line, Column int    // both from 1; Column counts bytes
	Path         string // JSON pointer to the value being read, "" at the top
	Reason       string
}

func (e *SyntaxError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
	}
	path := e.Path
	if len(path) > 200 { // nobody reads a path of a thousand levels
		path = path[:200] + "…"
	}
	return fmt.Sprintf("line %d, column %d: at %s: %s", e.Line, e.Column, path, e.Reason)
}

// Parse reads one JSON value and nothing after it. It is strict where encoding/json is lenient: a member name that
// comes twice and invalid UTF-8 are errors, because two readers of one document must never see two objects.
// The nodes refer to data, which must not be modified afterwards. Errors are of type *[SyntaxError].
func Parse(data []byte) (*Node, error) {
	p := parser{data: data}
	p.space()
	n, err := p.value()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(data) {
		return nil, p.fail("unexpected %s after the end of the value", p.here())
	}
	return n, nil
}

type parser struct {
	data []byte
	pos  int
	path []string
}

func (p *parser) fail(format string, args ...any) *SyntaxError {
	before := p.data[:min(p.pos, len(p.data))]
	return &SyntaxError{
		Line:   1 + bytes.Count(before, []byte{'\n'}),
		Column: len(before) - bytes.LastIndexByte(before, '\n'),
		Path:   Pointer(p.path...),
		Reason: fmt.Sprintf(format, args...),
	}
}

// here names what stands at the current position, for messages.
func (p *parser) here() string {
	if p.pos >= len(p.data) {
		return "end of input"
	}
	r, _ := utf8.DecodeRune(p.data[p.pos:])
	return strconv.QuoteRune(r)
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

func (p *parser) value() (*Node, error) {
	if p.pos >= len(p.data) {
		return nil, p.fail("unexpected end of input")
	}
	start := p.pos
	switch c := p.data[p.pos]; {
	case (c == '{' || c == '[') && len(p.path) == maxDepth:
		return nil, p.fail("nested deeper than %d levels", maxDepth)
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '"':
		if err := p.str(); err != nil {
			return nil, err
		}
		return &Node{typ: String, raw: p.data[start:p.pos]}, nil
	case c == '-' || c >= '0' && c <= '9':
		if err := p.number(); err != nil {
			return nil, err
		}
		return &Node{typ: Number, raw: p.data[start:p.pos]}, nil
	}
	for _, lit := range [...]struct {
		text string
		typ  Type
	}{{"true", Bool}, {"false", Bool}, {"null", Null}} {
		if bytes.HasPrefix(p.data[p.pos:], []byte(lit.text)) {
			p.pos += len(lit.text)
			return &Node{typ: lit.typ, raw: p.data[start:p.pos]}, nil
		}
	}
	return nil, p.fail("unexpected %s where a value should begin", p.here())
}

func (p *parser) object() (*Node, error) {
	n := &Node{typ: Map}
	start := p.pos
	var seen map[string]struct{} // only for objects too large for a linear search
	for p.pos++; ; p.pos++ {
		p.space()
		if len(n.keys) == 0 && p.at('}') {
			break
		}
		if !p.at('"') {
			return nil, p.fail("unexpected %s where a member name should begin", p.here())
		}
		k, err := p.memberName(n, &seen)
		if err != nil {
			return nil, err
		}
		p.space()
		if !p.at(':') {
			return nil, p.fail("unexpected %s after member name %q, want ':'", p.here(), k.name)
		}
		p.pos++
		p.space()
		p.path = append(p.path, k.name)
		kid, err := p.value()
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		n.keys, n.kids = append(n.keys, k), append(n.kids, kid)
		p.space()
		if p.at('}') {
			break
		}
		if !p.at(',') {
			return nil, p.fail("unexpected %s in an object, want ',' or '}'", p.here())
		}
	}
	p.pos++
	n.raw = p.data[start:p.pos]
	return n, nil
}

// memberName reads the name of the next member of n, which must be new. seen holds the names so far once they are many.
func (p *parser) memberName(n *Node, seen *map[string]struct{}) (key, error) {
	from := p.pos
	if err := p.str(); err != nil {
		return key{}, err
	}
	k := key{raw: p.data[from:p.pos]}
	k.name = unquote(k.raw)
	if *seen == nil && len(n.keys) > 16 {
		*seen = make(map[string]struct{}, 64)
		for i := range n.keys {
			(*seen)[n.keys[i].name] = struct{}{}
		}
	}
	if _, twice := (*seen)[k.name]; twice || *seen == nil && n.member(k.name) != nil {
		p.pos = from
		return key{}, p.fail("member %q comes twice", k.name)
	}
	if *seen != nil {
		(*seen)[k.name] = struct{}{}
	}
	return k, nil
}

func (p *parser) array() (*Node, error) {
	n := &Node{typ: Array}
	start := p.pos
	for p.pos++; ; p.pos++ {
		p.space()
		if len(n.kids) == 0 && p.at(']') {
			break
		}
		p.path = append(p.path, strconv.Itoa(len(n.kids)))
		kid, err := p.value()
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		n.kids = append(n.kids, kid)
		p.space()
		if p.at(']') {
			break
		}
		if !p.at(',') {
			return nil, p.fail("unexpected %s in a list, want ',' or ']'", p.here())
		}
	}
	p.pos++
	n.raw = p.data[start:p.pos]
	return n, nil
}

func (p *parser) at(c byte) bool { return p.pos < len(p.data) && p.data[p.pos] == c }

// str moves past a string and checks its characters and escapes.
func (p *parser) str() error {
	for p.pos++; p.pos < len(p.data); {
		switch c := p.data[p.pos]; {
		case c == '"':
			p.pos++
			return nil
		case c == '\\':
			if err := p.escape(); err != nil {
				return err
			}
		case c < 0x20:
			return p.fail("control character %q in a string", c)
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, size := utf8.DecodeRune(p.data[p.pos:])
			if r == utf8.RuneError && size == 1 {
				return p.fail("invalid UTF-8 in a string")
			}
			p.pos += size
		}
	}
	return p.fail("unexpected end of input in a string")
}

func (p *parser) escape() error {
	rest := p.data[p.pos+1:]
	if len(rest) == 0 {
		return p.fail("unexpected end of input in a string")
	}
	switch rest[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.pos += 2
		return nil
	case 'u':
		if len(rest) < 5 || !hex(rest[1:5]) {
			return p.fail(`\u must be followed by four hexadecimal digits`)
		}
		p.pos += 6
		return nil
	}
	return p.fail("unknown escape \\%c in a string", rest[0])
}

func hex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// number moves past a number in the grammar of RFC 8259, section 6.
func (p *parser) number() error {
	if p.at('-') {
		p.pos++
	}
	switch {
	case p.at('0'):
		p.pos++
	case !p.digits():
		return p.fail("unexpected %s in a number", p.here())
	}
	if p.at('.') {
		p.pos++
		if !p.digits() {
			return p.fail("unexpected %s in a number", p.here())
		}
	}
	if p.at('e') || p.at('E') {
		p.pos++
		if p.at('+') || p.at('-') {
			p.pos++
		}
		if !p.digits() {
			return p.fail("unexpected %s in a number", p.here())
		}
	}
	if p.pos < len(p.data) && p.data[p.pos] >= '0' && p.data[p.pos] <= '9' {
		return p.fail("a number must not begin with 0")
	}
	return nil
}

func (p *parser) digits() bool {
	from := p.pos
	for p.pos < len(p.data) && p.data[p.pos] >= '0' && p.data[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > from
}
