package policies

import (
	"regexp"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// wideVerb is a verb with a width or a precision of five digits or more.
var wideVerb = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{5}`)

// boundSprintf bounds the widths of a format, and the text of its arguments as often as an index may repeat them.
func boundSprintf(operands []*ast.Term) error {
	format, _ := operands[0].Value.(ast.String)
	arguments, isArray := operands[1].Value.(*ast.Array)
	if !isArray {
		return nil // its own error
	}
	verbs := strings.Count(string(format), "%")
	if wideVerb.MatchString(string(format)) {
		return errTooWide
	}
	if strings.Contains(string(format), "*") && verbs > 0 {
		wide := arguments.Until(func(item *ast.Term) bool {
			n, ok := integer(item)
			return ok && (!n.IsInt64() || n.Int64() > 9999 || n.Int64() < -9999)
		})
		if wide {
			return errTooWide
		}
	}
	total := weigh(operands[1], 0)
	if strings.Contains(string(format), "[") { // an argument may be repeated
		total *= max(1, verbs)
	}
	return textLimit(total*2 + len(format)) // %q and %x may double a text
}

// boundTemplate bounds the texts that a template string, or print, puts together: each part is a set of values, and each combination of
// them gives one.
func boundTemplate(operands []*ast.Term) error {
	parts, isArray := operands[0].Value.(*ast.Array)
	if !isArray {
		return nil
	}
	combinations := 1
	parts.Until(func(part *ast.Term) bool {
		if set, isSet := part.Value.(ast.Set); isSet && set.Len() > 1 {
			combinations *= set.Len()
		}
		return combinations > maxText
	})
	weight := weigh(operands[0], 0)
	if combinations > 1 && combinations > maxText/max(1, weight) {
		return errTooLong
	}
	return textLimit(weight * combinations)
}

func boundReplace(operands []*ast.Term) error {
	count := occurrences(operands[0], operands[1])
	return textLimit(length(operands[0]) + count*length(operands[2]))
}

func boundReplaceN(operands []*ast.Term) error {
	patterns, isObject := operands[0].Value.(ast.Object)
	if !isObject {
		return nil
	}
	total := length(operands[1])
	patterns.Until(func(old, replacement *ast.Term) bool {
		if n := length(replacement); n > 0 {
			total += n * occurrences(operands[1], old)
		}
		return total > maxText
	})
	return textLimit(total)
}

// boundRegexReplace allows for a match between any two characters, and for a template that repeats the match.
func boundRegexReplace(operands []*ast.Term) error {
	text, _ := operands[0].Value.(ast.String)
	template, _ := operands[2].Value.(ast.String)
	groups := strings.Count(string(template), "$")
	return limit((len(text)+1)*len(template)+groups*len(text), 4*maxText, errTooLong)
}

func boundMarshalOptions(operands []*ast.Term) error {
	for _, name := range []string{"prefix", "indent"} {
		if option := field(operands[1], name); option != nil && length(option) > 16 {
			return errIndentation
		}
	}
	return textLimit(weigh(operands[0], 32))
}

// boundFlatten counts what is in the list and in the lists in it: array.flatten goes no deeper.
func boundFlatten(operands []*ast.Term) error {
	list, isArray := operands[0].Value.(*ast.Array)
	if !isArray {
		return nil // its own error
	}
	total := list.Len()
	list.Until(func(item *ast.Term) bool {
		if inner, isArray := item.Value.(*ast.Array); isArray {
			total += inner.Len()
		}
		return total > maxElements
	})
	return elementLimit(total)
}

// boundSplit is for split and strings.split_n alike: a limit that is given makes it less.
func boundSplit(operands []*ast.Term) error {
	return elementLimit(occurrences(operands[0], operands[1]))
}

// boundPatch bounds the patches, because each may copy all that the ones before it have made.
func boundPatch(operands []*ast.Term) error {
	copies := 0
	if patches, isArray := operands[1].Value.(*ast.Array); isArray {
		patches.Foreach(func(patch *ast.Term) {
			if op, _ := text(field(patch, "op")); op == "copy" {
				copies++
			}
		})
	}
	return limit(copies, 8, errTooMany)
}
