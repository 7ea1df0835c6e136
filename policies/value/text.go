package value

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/internal/object"
)

const (
	reasonControl = "a control character in a string"
	reasonUTF8    = "invalid UTF-8 in a string"
	reasonEscape  = "an unknown escape in a string"
	reasonHex     = `\u must be followed by four hexadecimal digits`
)

// textTerm returns a string as a term: one that exists already for what is common, else a new one.
func (p *parser) textTerm(text []byte) *ast.Term {
	if len(text) <= longestCommon {
		if term := common[string(text)]; term != nil {
			return term
		}
	}
	return p.term(ast.String(p.copied(text)))
}

// quoted reads a string and returns it without its escapes. The result is overwritten by the next call, or is a part of the document.
func (p *parser) quoted() (text []byte, ok bool) {
	p.pos++
	from, escaped, ascii := p.pos, false, true
	for {
		p.pos += plainBytes(p.data[p.pos:])
		if p.pos >= len(p.data) {
			p.fail(reasonEnd)
			return nil, false
		}
		switch c := p.data[p.pos]; {
		case c == '"':
			text = p.data[from:p.pos]
			if !ascii && !utf8.Valid(text) {
				p.fail(reasonUTF8)
				return nil, false
			}
			p.pos++
			if escaped {
				p.text = object.AppendUnescaped(p.text[:0], text)
				text = p.text
			}
			return text, true
		case c == '\\':
			if escaped = true; !p.escape() {
				return nil, false
			}
		case c < ' ':
			p.fail(reasonControl)
			return nil, false
		default:
			ascii = false
			for p.pos++; p.pos < len(p.data) && p.data[p.pos] >= utf8.RuneSelf; p.pos++ { // the rest of them
			}
		}
	}
}

// plainBytes counts the bytes before the first that needs a look: a quote, a backslash, a control character, or one beyond ASCII. It takes
// eight at a time: the top bit of each byte of found says that this byte is one of those. A borrow can set it for a byte that is none, but
// only behind one that is.
func plainBytes(data []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(data)-n >= 8; n += 8 {
		word := binary.LittleEndian.Uint64(data[n:])
		quote, backslash := word^(ones*'"'), word^(ones*'\\')
		found := (word | (word-ones*' ')&^word | (quote-ones)&^quote | (backslash-ones)&^backslash) & tops
		if found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for ; n < len(data); n++ {
		if c := data[n]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			break
		}
	}
	return n
}

// escape moves past an escape.
func (p *parser) escape() bool {
	rest := p.data[p.pos+1:]
	if len(rest) == 0 {
		p.fail(reasonEnd)
		return false
	}
	switch rest[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.pos += 2
	case 'u':
		if len(rest) < 5 || object.Hex4(rest[1:5]) < 0 {
			p.fail(reasonHex)
			return false
		}
		p.pos += 6
	default:
		p.fail(reasonEscape)
		return false
	}
	return true
}

// distinct reports whether no two members have the same name.
func (p *parser) distinct(members [][2]*ast.Term) bool {
	p.names = p.names[:0]
	for i := range members {
		name, _ := members[i][0].Value.(ast.String)
		p.names = append(p.names, string(name))
	}
	slices.Sort(p.names)
	for i := range p.names[1:] {
		if p.names[i] == p.names[i+1] {
			return false
		}
	}
	return true
}

// Text returns a text as a term: one that exists already for what is common in requests, such as the name of a field.
func Text(text string) *ast.Term {
	if len(text) <= longestCommon {
		if term := common[text]; term != nil {
			return term
		}
	}
	return ast.StringTerm(text)
}
