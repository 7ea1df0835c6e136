package demand

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// scribe writes random Rego: rules and functions that read the input, build values of what they read, and compare, count and loop over
// them. Much of it does not compile; what does is like nothing that a person would write.
type scribe struct {
	*rand.Rand
	vars  []string
	calls []string // the functions and rules that stand before
	depth int
	next  int
}

func (s *scribe) one(of ...string) string { return of[s.IntN(len(of))] }

func (s *scribe) fresh() string {
	s.next++
	return fmt.Sprintf("v%d", s.next)
}

// ref is a value that is there already.
func (s *scribe) ref() string {
	base := "input"
	if len(s.vars) > 0 && s.IntN(3) > 0 {
		base = s.one(s.vars...)
	} else {
		base += s.one(".a", ".b", ".items", ".list", `["a"]`)
	}
	for range s.IntN(3) {
		base += s.one(".b", ".c", ".name", ".kind", ".list", "[0]", `["b"]`)
	}
	return base
}

// term is any value.
func (s *scribe) term() string {
	if s.depth > 2 {
		return s.ref()
	}
	s.depth++
	defer func() { s.depth-- }()
	switch s.IntN(20) {
	case 0:
		return s.one(`"b"`, `"c"`, "1", "null", "true", "{}", "[]", "set()")
	case 1:
		return "[" + s.term() + ", " + s.term() + "]"
	case 2:
		return "{" + s.term() + "}"
	case 3:
		return `{"b": ` + s.term() + `, "c": ` + s.term() + "}"
	case 4:
		return "{" + s.term() + ": " + s.term() + "}"
	case 5:
		return s.comprehension("[", "]", "")
	case 6:
		return s.comprehension("{", "}", "")
	case 7:
		return s.comprehension("{", "}", s.one(s.vars...)+": ")
	case 8:
		return "object.get(" + s.object() + `, ` + s.one(`"b"`, `["b", "c"]`, s.ref()) + ", " + s.term() + ")"
	case 9:
		if s.IntN(2) == 0 {
			return "array.concat(" + s.array() + ", " + s.array() + ")"
		}
		return "object.union(" + s.object() + ", " + s.object() + ")"
	case 10:
		if called := s.call(); called != "" {
			return called
		}
	case 11:
		return "(" + s.set() + s.one(" | ", " & ", " - ") + s.set() + ")"
	case 12:
		if s.IntN(3) == 0 {
			return "object.keys(" + s.object() + ")"
		}
		return s.one("array.reverse", "sort", "max") + "(" + s.array() + ")"
	}
	return s.ref()
}

// call is a call of a function, or a rule, that stands before: Rego has no recursion.
func (s *scribe) call() string {
	if len(s.calls) == 0 {
		return ""
	}
	name := s.one(s.calls...)
	if name == "p" || name == "q" {
		return name
	}
	return name + "(" + s.term() + ")"
}

func (s *scribe) set() string {
	if s.IntN(2) == 0 || s.depth > 2 {
		return "{" + s.term() + "}"
	}
	return s.comprehension("{", "}", "")
}

func (s *scribe) object() string {
	if s.IntN(2) == 0 {
		return s.ref()
	}
	return `{"b": ` + s.term() + "}"
}

func (s *scribe) array() string {
	if s.IntN(2) == 0 {
		return s.ref()
	}
	return "[" + s.term() + ", " + s.ref() + "]"
}

func (s *scribe) comprehension(open, end, key string) string {
	s.depth++
	defer func() { s.depth-- }()
	held := s.vars
	defer func() { s.vars = held }()
	body := s.body(1 + s.IntN(2))
	return open + key + s.term() + " | " + body + end
}

// line is one expression of a body.
func (s *scribe) line() string {
	switch s.IntN(14) {
	case 0, 1, 2:
		from, v := s.term(), s.fresh()
		s.vars = append(slices.Clip(s.vars), v)
		return "some " + v + " in " + from
	case 3:
		from, k, v := s.term(), s.fresh(), s.fresh()
		s.vars = append(slices.Clip(s.vars), k, v)
		return "some " + k + ", " + v + " in " + from
	case 4, 5:
		from, v := s.term(), s.fresh()
		s.vars = append(slices.Clip(s.vars), v)
		return v + " := " + from
	case 6:
		return "not " + s.test()
	case 7:
		from, v := s.term(), s.fresh()
		held := s.vars
		s.vars = append(slices.Clip(s.vars), v)
		defer func() { s.vars = held }()
		return "every " + v + " in " + from + " { _ = " + v + "; " + s.test() + " }"
	case 8:
		if called := s.call(); called != "" {
			return called + " with input." + s.one("a", "items", "a.b") + " as " + s.term()
		}
	case 9:
		v := s.fresh()
		from := s.ref()
		s.vars = append(slices.Clip(s.vars), v)
		return v + " := " + from + s.one("[_]", "[_]", "[_].name")
	}
	return s.test()
}

func (s *scribe) test() string {
	switch s.IntN(8) {
	case 0:
		return s.one("is_object", "is_array", "is_string", "is_number", "lower") + "(" + s.ref() + ")"
	case 1:
		return "count(" + s.term() + ") " + s.one("==", ">", "<") + " " + s.one("0", "1", "2")
	case 2:
		return s.term() + " in " + s.term()
	case 3:
		return s.ref()
	case 4:
		return "startswith(" + s.ref() + `, "b")`
	}
	return s.ref() + s.one(" == ", " != ", " == ", " < ") + s.one(s.term(), s.ref(), `"b"`, "1")
}

func (s *scribe) body(lines int) string {
	var all []string
	before := len(s.vars)
	for range lines {
		all = append(all, s.line())
	}
	for _, v := range s.vars[before:] { // what is not used does not compile
		all = append(all, "_ = "+v)
	}
	return strings.Join(all, "; ")
}

// rule writes a rule with a body of its own. $ is a value.
func (s *scribe) rule(head string, vars ...string) string {
	s.vars = append([]string{"input"}, vars...)
	body := s.body(1 + s.IntN(3))
	for strings.Contains(head, "$") {
		head = strings.Replace(head, "$", s.term(), 1)
	}
	return head + " if { " + body + " }\n"
}

// module writes a policy.
func (s *scribe) module() string {
	text := "package random\n"
	text += s.rule("h(x) := $", "x") + s.rule("h(x) := $", "x")
	s.calls = append(s.calls, "h")
	text += s.rule("g(x)", "x")
	s.calls = append(s.calls, "g")
	text += strings.TrimSuffix(s.rule("f(x) := $", "x"), "\n") + " else := " + s.one("x", "x.b", "[x]") + "\n"
	s.calls = append(s.calls, "f")
	text += s.rule("q contains $")
	s.calls = append(s.calls, "q")
	text += s.rule(s.one("p[$] := $", "p contains $", "p := $", "p[$] contains $"))
	s.calls = append(s.calls, "p")
	for range 1 + s.IntN(3) {
		text += s.rule("deny contains $")
	}
	return text
}

// TestRandom: random Rego that compiles says the same on the whole input and on what is kept of it.
func TestRandom(t *testing.T) {
	wanted := 120
	inputs := pairs(t, 25, wanted)
	if inputs > 1000 { // rather more policies than many inputs
		wanted, inputs = wanted*inputs/1000, 1000
	}
	compiled, written, found := 0, 0, 0
	for seed := uint64(0); compiled < wanted; seed++ {
		if written++; written > 50*wanted {
			t.Fatalf("only %d of %d policies compile", compiled, written)
		}
		s := &scribe{Rand: rand.New(rand.NewPCG(seed, 3))}
		text := s.module()
		module, err := ast.ParseModuleWithOpts("random.rego", text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			continue
		}
		compiler := ast.NewCompiler()
		if compiler.Compile(map[string]*ast.Module{"random.rego": module}); compiler.Failed() {
			continue
		}
		compiled++
		subject := newSubject(t, fmt.Sprint("random", seed), compiler, []ast.Ref{ast.MustParseRef("data.random.deny")})
		node := Analyse(t.Context(), compiler, subject.entries)[0]
		found += subject.try(t, node, inputs)
		if t.Failed() {
			t.Fatal(text)
		}
	}
	t.Logf("%d written, %d compiled, %d verdicts that are not empty", written, compiled, found)
	if found < wanted {
		t.Errorf("only %d of %d verdicts say anything: the policies are too odd", found, compiled*inputs)
	}
}
