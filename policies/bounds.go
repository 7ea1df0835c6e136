package policies

import (
	"math/big"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// An evaluation can be stopped between two calls of built-in functions, but for few of them within one: a single call of numbers.range
// could take all memory there is, and one of product could take minutes. So every function whose result, or whose work, may be out of
// proportion to what it is given is bounded here, and what cannot be bounded is refused in capabilities.json.
const (
	// maxText is the longest text, in bytes, that a function may give: more than a request may have.
	maxText = 4 << 20
	// maxElements is the largest collection that a function may give.
	maxElements = 100_000
	// maxParsed is the longest text that is parsed into values, which are many times larger.
	maxParsed = 512 << 10
	// maxDigits is the largest number, in digits, that is calculated with. 1e308 is the largest that a manifest can hold in a cluster.
	maxDigits = 1000
)

// boundError is why a function was not called. It holds nothing of the arguments.
type boundError string

func (e boundError) Error() string { return string(e) }

const (
	errTooLong     = boundError("gives more than 4 MiB of text")
	errTooMany     = boundError("gives more than 100000 elements")
	errTooLarge    = boundError("calculates with more than 1000 digits")
	errTooMuch     = boundError("parses more than 512 KiB")
	errTooWide     = boundError("pads to more than 9999 characters")
	errIndentation = boundError("indents by more than 16 characters")
)

// bounds maps functions to what is checked before each call.
func bounds() map[string]func(operands []*ast.Term) error {
	all := map[string]func([]*ast.Term) error{
		"numbers.range":      boundRange,
		"numbers.range_step": boundRange,
		"product":            boundProduct,
		"bits.lsh":           boundShift,

		"concat":                    func(o []*ast.Term) error { return textLimit(weigh(o[1], 0) + length(o[0])*elements(o[1])) },
		"sprintf":                   boundSprintf,
		"internal.template_string":  boundTemplate,
		"internal.print":            boundTemplate,
		"replace":                   boundReplace,
		"strings.replace_n":         boundReplaceN,
		"regex.replace":             boundRegexReplace,
		"json.marshal":              func(o []*ast.Term) error { return textLimit(weigh(o[0], 0)) },
		"json.marshal_with_options": boundMarshalOptions,
		"yaml.marshal":              func(o []*ast.Term) error { return textLimit(weigh(o[0], 4)) },
		"json.patch":                boundPatch,

		"array.concat":                     func(o []*ast.Term) error { return elementLimit(elements(o[0]) + elements(o[1])) },
		"array.flatten":                    boundFlatten,
		"split":                            boundSplit,
		"strings.split_n":                  boundSplit,
		"indexof_n":                        func(o []*ast.Term) error { return elementLimit(occurrences(o[0], o[1])) },
		"regex.split":                      func(o []*ast.Term) error { return elementLimit(length(o[1])) },
		"regex.find_n":                     func(o []*ast.Term) error { return elementLimit(length(o[1])) },
		"regex.find_all_string_submatch_n": func(o []*ast.Term) error { return elementLimit(length(o[1])) },

		"base64.encode": nil, "base64url.encode": nil, "base64url.encode_no_pad": nil, "hex.encode": nil, "urlquery.encode": nil,
		"lower": nil, "upper": nil, "strings.reverse": nil, "array.reverse": nil, "array.slice": nil, "sort": nil, "union": nil, "or": nil,
		"intersection": nil, "object.union": nil, "object.union_n": nil, "object.remove": nil, "object.filter": nil, "json.filter": nil, "json.remove": nil,
	}
	for _, name := range []string{"json.unmarshal", "json.is_valid", "yaml.unmarshal", "yaml.is_valid", "urlquery.decode_object", "crypto.x509.parse_certificates", "crypto.x509.parse_certificate_request", "io.jwt.decode"} {
		all[name] = func(o []*ast.Term) error { return limit(length(o[0]), maxParsed, errTooMuch) }
	}
	for _, name := range []string{"plus", "minus", "mul", "div", "rem", "abs", "ceil", "floor", "round", "format_int", "bits.and", "bits.or", "bits.xor", "bits.negate", "bits.rsh", "sum"} {
		all[name] = boundNumbers
	}
	return all
}

// bindBounds puts the bounds around OPA's own functions. OPA keeps those in one table for the whole process and asks it first, so a
// bounded function cannot stand beside it; it happens once, before the first policy is compiled, and nothing else here evaluates Rego.
var bindBounds = sync.OnceFunc(func() { //nolint:gochecknoglobals // OPA's table is global, see above
	for name, check := range bounds() {
		topdown.RegisterBuiltinFunc(name, bounded(topdown.GetBuiltin(name), check))
	}
})

func bounded(f topdown.BuiltinFunc, check func([]*ast.Term) error) topdown.BuiltinFunc {
	return func(ctx topdown.BuiltinContext, operands []*ast.Term, iter func(*ast.Term) error) error {
		if check != nil {
			if err := check(operands); err != nil {
				return err
			}
		}
		return f(ctx, operands, func(result *ast.Term) error {
			if result != nil {
				switch value := result.Value.(type) {
				case ast.String:
					produced.Add(int64(len(value)))
				case *ast.Array:
					produced.Add(int64(value.Len()) * 64)
				case ast.Object:
					produced.Add(int64(value.Len()) * 64)
				case ast.Set:
					produced.Add(int64(value.Len()) * 64)
				}
			}
			return iter(result)
		})
	}
}

func limit(n, most int, err boundError) error {
	if n > most {
		return err
	}
	return nil
}

func textLimit(n int) error    { return limit(n, maxText, errTooLong) }
func elementLimit(n int) error { return limit(n, maxElements, errTooMany) }

// length of a text in bytes, or 0: what is no text is the function's own error.
func length(term *ast.Term) int {
	s, _ := term.Value.(ast.String)
	return len(s)
}

// elements is the number of elements of a collection, or 0.
func elements(term *ast.Term) int {
	if collection, ok := term.Value.(interface{ Len() int }); ok {
		return collection.Len()
	}
	return 0
}

func occurrences(whole, part *ast.Term) int {
	s, _ := whole.Value.(ast.String)
	sep, _ := part.Value.(ast.String)
	return strings.Count(string(s), string(sep))
}

// weigh is about how long the text of a value is, and more than maxText as soon as it is more than that: a value of few parts may repeat
// them, each in the next, until its text would fill any memory. indent is how far each level of nesting moves a line.
func weigh(term *ast.Term, indent int) int {
	w := weigher{indent: indent}
	w.add(term, 0)
	return w.sum
}

type weigher struct{ sum, indent int }

func (w *weigher) add(term *ast.Term, depth int) {
	w.sum += 2 + depth*w.indent
	if w.sum > maxText {
		return
	}
	switch value := term.Value.(type) {
	case ast.String:
		w.sum += len(value)
	case ast.Number:
		w.sum += digits(value)
	case *ast.Array:
		value.Until(func(item *ast.Term) bool { w.add(item, depth+1); return w.sum > maxText })
	case ast.Set:
		value.Until(func(item *ast.Term) bool { w.add(item, depth+1); return w.sum > maxText })
	case ast.Object:
		value.Until(func(key, item *ast.Term) bool {
			w.add(key, depth+1)
			w.add(item, depth+1)
			return w.sum > maxText
		})
	default:
		w.sum += 5
	}
}

// digits is how many the number has when it is written without an exponent.
func digits(n ast.Number) int {
	text := string(n)
	at := strings.IndexAny(text, "eE")
	if at < 0 {
		return len(text)
	}
	exponent := strings.TrimLeft(text[at+1:], "+-0")
	if len(exponent) > 9 {
		return maxText + 1
	}
	size := at
	power := 0
	for _, c := range exponent {
		power = power*10 + int(c-'0')
	}
	return size + power
}

// boundNumbers checks the operands that are numbers, and the elements of those that are collections.
func boundNumbers(operands []*ast.Term) error {
	tooLarge := func(item *ast.Term) bool {
		n, isNumber := item.Value.(ast.Number)
		return isNumber && digits(n) > maxDigits
	}
	for _, operand := range operands {
		large := false
		switch value := operand.Value.(type) {
		case ast.Number:
			large = tooLarge(operand)
		case *ast.Array:
			large = value.Until(tooLarge)
		case ast.Set:
			large = value.Until(tooLarge)
		}
		if large {
			return errTooLarge
		}
	}
	return nil
}

// boundProduct bounds the product by the sum of the digits: OPA multiplies integers exactly, and the product of a range takes minutes.
func boundProduct(operands []*ast.Term) error {
	total := 0
	count := func(item *ast.Term) bool {
		if n, isNumber := item.Value.(ast.Number); isNumber {
			total += digits(n)
		}
		return total > 10*maxDigits
	}
	switch list := operands[0].Value.(type) {
	case *ast.Array:
		list.Until(count)
	case ast.Set:
		list.Until(count)
	}
	return limit(total, 10*maxDigits, errTooLarge)
}

func boundShift(operands []*ast.Term) error {
	if err := boundNumbers(operands); err != nil {
		return err
	}
	shift, ok := integer(operands[1])
	if ok && shift.Cmp(big.NewInt(maxDigits)) > 0 {
		return errTooLarge
	}
	return nil
}

func integer(term *ast.Term) (*big.Int, bool) {
	n, isNumber := term.Value.(ast.Number)
	if !isNumber || digits(n) > maxDigits {
		return nil, false
	}
	r, ok := new(big.Rat).SetString(string(n))
	if !ok || !r.IsInt() {
		return nil, false
	}
	return r.Num(), true
}

func boundRange(operands []*ast.Term) error {
	if err := boundNumbers(operands); err != nil {
		return err
	}
	from, ok1 := integer(operands[0])
	to, ok2 := integer(operands[1])
	if !ok1 || !ok2 {
		return nil // its own error
	}
	count := new(big.Int).Sub(to, from)
	count.Abs(count)
	if len(operands) > 2 {
		if step, ok := integer(operands[2]); ok && step.Sign() > 0 {
			count.Quo(count, step)
		}
	}
	if count.Cmp(big.NewInt(maxElements)) >= 0 {
		return errTooMany
	}
	return nil
}
