package policies

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// tests reads the Rego tests of a policy, which a set has nothing to do with.
func (s Source) tests(id string) ([]file, []Problem) {
	names, err := fs.Glob(s.FS, path.Join(id, "*_test.rego"))
	if err != nil {
		return nil, []Problem{{Policy: id, File: path.Join(s.Name, id), Reason: readReason(err)}}
	}
	slices.Sort(names)
	var (
		files    []file
		problems []Problem
	)
	for _, name := range names {
		if strings.HasPrefix(path.Base(name), ".") {
			continue
		}
		text, err := fs.ReadFile(s.FS, name)
		if err != nil {
			problems = append(problems, Problem{Policy: id, File: path.Join(s.Name, name), Reason: readReason(err)})
			continue
		}
		files = append(files, file{name: path.Join(s.Name, name), text: text})
	}
	return files, problems
}

// rego runs the Rego tests of one policy.
func (t *testRun) rego(ctx context.Context, source Source, f folder) {
	tests, problems := source.tests(f.id)
	t.problems = append(t.problems, problems...)
	if len(tests) == 0 || len(problems) > 0 {
		return
	}
	results, problems := t.compiler.runTests(ctx, f.id, slices.Concat(f.files, tests), t.Timeout)
	t.problems = append(t.problems, problems...)
	for _, r := range results {
		t.add(r)
	}
}

// runTests runs the test rules in files, strictly compiled with the shared helpers and with what policies may use.
func (c *compiler) runTests(ctx context.Context, id string, files []file, timeout time.Duration) ([]TestResult, []Problem) {
	modules := map[string]*ast.Module{}
	for _, module := range c.lib {
		modules[module.Package.Location.File] = module
	}
	var problems []Problem
	for _, f := range files {
		module, err := c.parse(f)
		switch {
		case err != nil:
			problems = append(problems, c.regoProblems(id, f.name, err)...)
		case module == nil:
			problems = append(problems, Problem{Policy: id, File: f.name, Line: 1, Reason: "is empty"})
		default:
			modules[f.name] = module
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	found, err := c.testRunner(modules, "", false, timeout).run(ctx)
	if err != nil {
		return nil, c.regoProblems(id, files[0].name, err)
	}
	var results []TestResult
	for _, r := range found {
		detailed := r
		if topdown.IsCancel(r.Error) {
			r.Error = fmt.Errorf("took longer than %s", timeout)
		} else if r.Fail || r.Error != nil { // run again, with a trace, which takes many times longer
			pattern := "^" + regexp.QuoteMeta(r.Package+"."+r.Name) + "$"
			if again, err := c.testRunner(modules, pattern, true, timeout).run(ctx); err == nil && len(again) == 1 {
				detailed = again[0]
			}
		}
		results = append(results, testResults(id, r, detailed)...)
	}
	return results, nil
}

type testRunner struct{ *tester.Runner }

func (c *compiler) testRunner(modules map[string]*ast.Module, filter string, trace bool, timeout time.Duration) testRunner {
	capabilities := c.list.capabilities()
	for _, builtin := range ast.CapabilitiesForThisVersion().Builtins {
		if builtin.Name == "internal.test_case" { // what the runner itself puts into tables of cases
			capabilities.Builtins = append(capabilities.Builtins, builtin)
		}
	}
	return testRunner{tester.NewRunner().
		SetCompiler(ast.NewCompiler().WithCapabilities(capabilities).WithStrict(true).WithEnablePrintStatements(true)).
		SetStore(inmem.New()).SetModules(modules).CapturePrintOutput(true).RaiseBuiltinErrors(true).SetTimeout(timeout).
		Filter(filter).EnableTracing(trace).SetParallel(runtime.GOMAXPROCS(0))}
}

func (r testRunner) run(ctx context.Context) ([]*tester.Result, error) {
	store := inmem.New()
	r.SetStore(store)
	var found []*tester.Result
	err := storage.Txn(ctx, store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := r.RunTests(ctx, txn)
		if err != nil {
			return err
		}
		for result := range results {
			found = append(found, result)
		}
		return nil
	})
	return found, err
}

// testResults makes one result of a rule, or of each of its cases.
func testResults(id string, r, detailed *tester.Result) []TestResult {
	result := TestResult{
		Policy: id, Kind: "rego", Name: r.Name, File: r.Location.File, Line: r.Location.Row,
		Passed: r.Pass() || r.Skip, Skipped: r.Skip, Seconds: r.Duration.Seconds(), Output: string(r.Output),
	}
	if len(r.SubResults) == 0 || r.Error != nil {
		if !result.Passed {
			result.Failure = explain(detailed.Trace, r.Location, cmp.Or(detailed.Error, r.Error))
		}
		return []TestResult{result}
	}
	var list []TestResult
	var walk func(prefix string, cases, detailed tester.SubResultMap)
	walk = func(prefix string, cases, detailed tester.SubResultMap) {
		for _, name := range slices.Sorted(maps.Keys(cases)) {
			sub, more := cases[name], detailed[name]
			if more == nil {
				more = sub
			}
			if len(sub.SubResults) > 0 {
				walk(prefix+"/"+name, sub.SubResults, more.SubResults)
				continue
			}
			one := result
			one.Name, one.Passed = prefix+"/"+name, !sub.Fail
			if sub.Fail {
				one.Failure = explain(more.Trace, r.Location, nil)
			}
			list = append(list, one)
		}
	}
	walk(r.Name, r.SubResults, detailed.SubResults)
	return list
}

// explain finds in a trace the expression of a test that was not true, and the values around it. The trace ends where the test, or the
// case, ended, so it is the last one in the test's file that failed.
func explain(trace []*topdown.Event, rule *ast.Location, err error) *TestFailure {
	failure := &TestFailure{Reason: "is not true", File: rule.File, Line: rule.Row}
	at := len(trace) - 1
	for ; at >= 0; at-- {
		if e := trace[at]; e.Op == topdown.FailOp && e.HasExpr() && e.Location != nil && e.Location.File == rule.File {
			break
		}
	}
	if at >= 0 {
		e := trace[at]
		failure.Line, failure.Expression = e.Location.Row, strings.TrimSpace(string(e.Location.Text))
		failure.Reason = "is not true: " + oneLine(failure.Expression)
		var text bytes.Buffer
		if topdown.PrettyEvent(&text, e, topdown.PrettyEventOpts{PrettyVars: true}) == nil {
			failure.Variables = strings.TrimRight(text.String(), "\n")
		}
		failure.Expected, failure.Got = sides(e)
		for i := at; i >= 0 && failure.Input == nil; i-- {
			failure.Input = asJSON(trace[i].Input())
		}
	}
	if err != nil {
		failure.Reason = oneLine(err.Error())
		if e, ok := errors.AsType[*topdown.Error](err); ok && e.Location != nil {
			failure.File, failure.Line = e.Location.File, e.Location.Row
		}
	}
	return failure
}

// sides are the two sides of a comparison that was not true. What the author expects is the side that is written down, or that comes
// from a case of a table; else the right one.
func sides(e *topdown.Event) (expected, got json.RawMessage) {
	expr, ok := e.Node.(*ast.Expr)
	if !ok || !expr.IsCall() || len(expr.Operands()) != 2 {
		return nil, nil
	}
	if name := expr.Operator().String(); name != ast.Equality.Name && name != ast.Equal.Name {
		return nil, nil
	}
	left, right := expr.Operand(0), expr.Operand(1)
	if written(left) && !written(right) {
		left, right = right, left
	}
	return asJSON(valueOf(e, right)), asJSON(valueOf(e, left))
}

// written reports whether a side of a comparison is what the author expects: a value, or the field of a case.
func written(term *ast.Term) bool {
	if ref, isRef := term.Value.(ast.Ref); isRef {
		_, local := ref[0].Value.(ast.Var)
		return local && len(ref) > 1 && !ref.HasPrefix(ast.DefaultRootRef) && !ref.HasPrefix(ast.InputRootRef)
	}
	_, isVar := term.Value.(ast.Var)
	return !isVar
}

// valueOf is the value of a term at an event, or nil.
func valueOf(e *topdown.Event, term *ast.Term) *ast.Term {
	if e.Locals == nil {
		return nil
	}
	switch value := term.Value.(type) {
	case ast.Var:
		if found := e.Locals.Get(value); found != nil {
			return ast.NewTerm(found)
		}
		return nil
	case ast.Ref:
		head, isVar := value[0].Value.(ast.Var)
		if !isVar {
			return nil
		}
		base := e.Locals.Get(head)
		if base == nil {
			return nil
		}
		found, err := base.Find(value[1:])
		if err != nil {
			return nil
		}
		return ast.NewTerm(found)
	}
	if term.IsGround() {
		return term
	}
	return nil
}

func asJSON(term *ast.Term) json.RawMessage {
	if term == nil || !term.IsGround() {
		return nil
	}
	value, err := ast.JSON(term.Value)
	if err != nil {
		return nil
	}
	text, err := marshal(value)
	if err != nil {
		return nil
	}
	return text
}
