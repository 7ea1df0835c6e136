package value

import "github.com/open-policy-agent/opa/v1/ast"

const (
	reasonNumber = "a number must follow RFC 8259"
	reasonLarge  = "a number is too large"
)

// number reads a number. Its text is its value, as with [ast.ValueFromReader].
func (p *parser) number() *ast.Term {
	from := p.pos
	if !p.digitsOfNumber() {
		return p.fail(reasonNumber)
	}
	text := p.data[from:p.pos]
	if term := ast.InternedIntNumberTermFromString(string(text)); term != nil {
		return term
	}
	number, err := ast.NumberChecked(p.copied(text))
	if err != nil {
		return p.fail(reasonLarge)
	}
	return p.term(number)
}

// digitsOfNumber moves past a number in the grammar of RFC 8259, section 6.
func (p *parser) digitsOfNumber() bool {
	if p.at('-') {
		p.pos++
	}
	if p.at('0') {
		p.pos++
	} else if !p.digits() {
		return false
	}
	if p.at('.') {
		p.pos++
		if !p.digits() {
			return false
		}
	}
	if p.at('e') || p.at('E') {
		p.pos++
		if p.at('+') || p.at('-') {
			p.pos++
		}
		if !p.digits() {
			return false
		}
	}
	return true // a digit after a leading 0 is where the end of the value should be
}

func (p *parser) digits() bool {
	from := p.pos
	for p.pos < len(p.data) && p.data[p.pos] >= '0' && p.data[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > from
}

func (p *parser) at(c byte) bool { return p.pos < len(p.data) && p.data[p.pos] == c }
