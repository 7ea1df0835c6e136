package value

import (
	"bytes"

	"github.com/open-policy-agent/opa/v1/ast"
)

// skip moves past a value that nobody demands. It allocates nothing.
func (p *parser) skip() bool {
	if p.pos >= len(p.data) {
		p.fail(reasonEnd)
		return false
	}
	var term *ast.Term
	switch c := p.data[p.pos]; c {
	case '{', '[':
		return p.skipComposite()
	case '"':
		return p.skipText()
	case 't':
		term = p.literal("true", ast.InternedNullTerm)
	case 'f':
		term = p.literal("false", ast.InternedNullTerm)
	case 'n':
		term = p.literal("null", ast.InternedNullTerm)
	default:
		if !p.digitsOfNumber() {
			p.fail(reasonValue)
			return false
		}
		return true
	}
	return term != nil
}

// skipText moves past a string.
func (p *parser) skipText() bool {
	for p.pos++; ; p.pos++ {
		i := bytes.IndexByte(p.data[p.pos:], '"')
		if i < 0 {
			p.pos = len(p.data)
			p.fail(reasonEnd)
			return false
		}
		backslashes := 0
		for backslashes < i && p.data[p.pos+i-1-backslashes] == '\\' {
			backslashes++
		}
		if p.pos += i; backslashes%2 == 0 {
			p.pos++
			return true
		}
	}
}

// skipComposite moves past a list or an object: over its strings, to the bracket that closes it, with every bracket closed by its like.
func (p *parser) skipComposite() bool {
	var braces [maxDepth/64 + 1]uint64 // a bit for each level: a brace opened it
	depth := p.depth
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; c {
		case '"':
			if !p.skipText() {
				return false
			}
			continue
		case '{', '[':
			if depth == maxDepth {
				p.fail(reasonDeep)
				return false
			}
			bit := uint64(1) << (depth % 64)
			if c == '{' {
				braces[depth/64] |= bit
			} else {
				braces[depth/64] &^= bit
			}
			depth++
		case '}', ']':
			depth--
			if opened := braces[depth/64]>>(depth%64)&1 == 1; opened != (c == '}') {
				p.fail("a bracket is closed by another one")
				return false
			}
			if depth == p.depth {
				p.pos++
				return true
			}
		}
		p.pos++
	}
	p.fail(reasonEnd)
	return false
}
