package demand

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
	"golang.org/x/tools/txtar"
)

// subject is a policy that is judged on whole and on projected inputs.
type subject struct {
	name     string
	compiler *ast.Compiler
	entries  []ast.Ref
	query    rego.PreparedEvalQuery
	words    []string
	needs    rule
	inputs   []ast.Value // always tried
}

// newSubject prepares a policy. Errors of built-in functions are errors, as in the product.
func newSubject(t testing.TB, name string, compiler *ast.Compiler, entries []ast.Ref) *subject {
	t.Helper()
	s := &subject{name: name, compiler: compiler, entries: entries}
	var body ast.Body
	for i, entry := range entries {
		body.Append(ast.Equality.Expr(ast.VarTerm(fmt.Sprintf("x%d", i)), ast.NewTerm(entry)))
	}
	var err error
	s.query, err = rego.New(rego.ParsedQuery(body), rego.Compiler(compiler), rego.StrictBuiltinErrors(true)).PrepareForEval(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	policy, err := plan(t.Context(), compiler, [][]ast.Ref{entries})
	if err != nil { // then all of the input is read
		return s
	}
	for _, constant := range policy.Static.Strings {
		if len(constant.Value) < 40 {
			s.words = append(s.words, constant.Value)
		}
	}
	return s
}

// judge returns what the policy says: its values, or the kind of its error.
func (s *subject) judge(ctx context.Context, input ast.Value) string {
	results, err := s.query.Eval(ctx, rego.EvalParsedInput(input), rego.EvalGenerateJSON(func(term *ast.Term, _ *rego.EvalContext) (any, error) {
		return term.String(), nil
	}))
	if failure, ok := errors.AsType[*topdown.Error](err); ok {
		return "error " + failure.Code
	}
	if err != nil {
		return "error " + err.Error()
	}
	if len(results) == 0 {
		return "undefined"
	}
	var all []string
	for i := range s.entries {
		all = append(all, fmt.Sprint(results[0].Bindings[fmt.Sprintf("x%d", i)]))
	}
	return strings.Join(all, " ")
}

// silent reports whether nothing was found.
func (s *subject) silent(verdict string) bool {
	return strings.Trim(strings.ReplaceAll(verdict, "set()", ""), " ") == ""
}

// differ returns how the verdict on the projected input differs, or "". Which of two errors comes first may depend on the order of a set.
func (s *subject) differ(ctx context.Context, node *Node, input ast.Value) (difference string, found bool) {
	whole := s.judge(ctx, input)
	projected := s.judge(ctx, project(input, node))
	if whole != projected {
		return fmt.Sprintf("%s on %s:\nwhole     %s\nprojected %s\nby        %s", s.name, input, whole, projected, project(input, node)), true
	}
	return "", !s.silent(whole)
}

// pairs is how many inputs each policy is tried with: n, or that share of GESSO_PAIRS, which a nightly run sets to a million and more.
func pairs(t testing.TB, n, policies int) int {
	t.Helper()
	text := os.Getenv("GESSO_PAIRS")
	if text == "" {
		return n
	}
	all, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("GESSO_PAIRS: %v", err)
	}
	return max(n, all/policies)
}

func (s *subject) generator(seed uint64) *generator {
	h := fnv.New64a()
	h.Write([]byte(s.name))
	return &generator{Rand: rand.New(rand.NewPCG(h.Sum64(), seed)), words: s.words}
}

// adversarial reads the policies that were written to mislead.
func adversarial(t testing.TB) []*subject {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/adversarial.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all []*subject
	for _, file := range archive.Files {
		name, kind, _ := strings.Cut(file.Name, ".")
		if kind == "json" {
			s := all[len(all)-1]
			if s.name != name {
				t.Fatalf("%s does not follow its policy", file.Name)
			}
			var input any
			if err := json.Unmarshal(file.Data, &input); err != nil {
				t.Fatalf("%s: %v", file.Name, err)
			}
			value, err := ast.InterfaceToValue(input)
			if err != nil {
				t.Fatal(err)
			}
			s.inputs = append(s.inputs, value)
			continue
		}
		text := string(file.Data)
		compiler := compile(t, map[string]string{file.Name: "package adversarial." + name + "\n" + text})
		s := newSubject(t, name, compiler, []ast.Ref{ast.MustParseRef("data.adversarial." + name + ".deny")})
		if needs, ok := strings.CutPrefix(text, "# needs: "); ok {
			needs, _, _ = strings.Cut(needs, "\n")
			s.needs = rule(needs)
		}
		all = append(all, s)
	}
	if len(all) < 60 {
		t.Fatalf("only %d policies", len(all))
	}
	return all
}

// TestAdversarial: policies written to mislead say the same on the whole input and on what is kept of it.
func TestAdversarial(t *testing.T) {
	subjects := adversarial(t)
	found := 0
	for _, s := range subjects {
		node := Analyse(t.Context(), s.compiler, s.entries)[0]
		for _, why := range node.Why {
			if strings.Contains(why, "gave up") {
				t.Errorf("%s: %s", s.name, why)
			}
		}
		n := s.try(t, node, pairs(t, 60, len(subjects)))
		if n == 0 {
			t.Errorf("%s never says anything: the inputs miss it", s.name)
		}
		found += n
	}
	t.Logf("%d policies, %d verdicts that are not empty", len(subjects), found)
}

// try judges a policy on inputs and returns on how many it had something to say.
func (s *subject) try(t *testing.T, node *Node, inputs int) int {
	t.Helper()
	folded := node.Fold()
	g := s.generator(1)
	found := 0
	one := func(input ast.Value) bool {
		difference, said := s.differ(t.Context(), folded, input)
		if difference != "" {
			t.Errorf("%s", difference)
			return false
		}
		if said {
			found++
		}
		return true
	}
	for _, input := range s.inputs {
		if !one(input) {
			return 1
		}
	}
	for range inputs {
		if !one(g.input(node)) {
			return 1
		}
	}
	return found
}

// TestSabotage: each rule of the analysis is needed. Without it the policies that name it are judged differently on some input. Those that
// no policy needs, as far as is known, are in TestLate.
func TestSabotage(t *testing.T) {
	rules := map[rule]int{
		ruleComparison: 0, ruleArrayLength: 0, ruleSetLength: 0, ruleMultiplicity: 0, ruleOrder: 0, ruleConflict: 0, ruleObjectKeys: 0,
		ruleBuiltin: 0, ruleScalar: 0, ruleResult: 0,
	}
	for _, s := range adversarial(t) {
		if s.needs == "" {
			continue
		}
		if _, known := rules[s.needs]; !known {
			t.Errorf("%s needs %q, which is no rule", s.name, s.needs)
			continue
		}
		rules[s.needs]++
		if !s.caught(t) {
			t.Errorf("%s is judged the same without the rule %q", s.name, s.needs)
		}
	}
	for rule, policies := range rules {
		if policies == 0 {
			t.Errorf("no policy needs the rule %q", rule)
		}
	}
}

// caught reports whether an input tells the policy without its rule from the policy with it.
func (s *subject) caught(t *testing.T) bool {
	t.Helper()
	whole := Analyse(t.Context(), s.compiler, s.entries)[0]
	node := analyse(t.Context(), s.compiler, map[rule]bool{s.needs: true}, [][]ast.Ref{s.entries})[0].Fold()
	for _, input := range s.inputs {
		if difference, _ := s.differ(t.Context(), node, input); difference != "" {
			return true
		}
	}
	g := s.generator(2)
	for range 3000 {
		if difference, _ := s.differ(t.Context(), node, g.input(whole)); difference != "" {
			return true
		}
	}
	return false
}

// FuzzAdversarial lets go's fuzzing choose the policy and the seed of the input.
func FuzzAdversarial(f *testing.F) {
	subjects := adversarial(f)
	nodes := make([]*Node, len(subjects))
	for i, s := range subjects {
		nodes[i] = Analyse(f.Context(), s.compiler, s.entries)[0]
		f.Add(uint16(i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, policy uint16, seed uint64) {
		i := int(policy) % len(subjects)
		s := subjects[i]
		g := s.generator(seed)
		input := g.input(nodes[i])
		for range 3 {
			if difference, _ := s.differ(t.Context(), nodes[i].Fold(), input); difference != "" {
				t.Fatal(difference)
			}
			input = g.mutate(input, 0)
		}
	})
}

// TestLibrary: the policies of the library on inputs made from what they read. Their samples are judged by the package above.
func TestLibrary(t *testing.T) {
	ids := library(t)
	found := 0
	for _, id := range ids {
		compiler := compile(t, libraryModules(t, id))
		s := newSubject(t, id, compiler, verdicts(compiler, id))
		node := Analyse(t.Context(), compiler, s.entries)[0]
		if node.All {
			t.Errorf("%s reads all of its input: %q", id, node.Why)
		}
		found += s.try(t, node, pairs(t, 15, len(ids)))
	}
	t.Logf("%d policies, %d verdicts that are not empty", len(ids), found)
	if found < len(ids) {
		t.Error("hardly any input is judged")
	}
}
