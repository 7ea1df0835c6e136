package demand

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	opa "github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/types"
)

// statements are all that a plan may consist of.
var statements = []ir.Stmt{
	&ir.ReturnLocalStmt{}, &ir.CallStmt{}, &ir.CallDynamicStmt{}, &ir.BlockStmt{}, &ir.BreakStmt{}, &ir.DotStmt{}, &ir.LenStmt{}, &ir.ScanStmt{},
	&ir.NotStmt{}, &ir.AssignIntStmt{}, &ir.AssignVarStmt{}, &ir.AssignVarOnceStmt{}, &ir.ResetLocalStmt{}, &ir.MakeNullStmt{},
	&ir.MakeNumberIntStmt{}, &ir.MakeNumberRefStmt{}, &ir.MakeArrayStmt{}, &ir.MakeObjectStmt{}, &ir.MakeSetStmt{}, &ir.EqualStmt{},
	&ir.NotEqualStmt{}, &ir.IsArrayStmt{}, &ir.IsObjectStmt{}, &ir.IsSetStmt{}, &ir.IsDefinedStmt{}, &ir.IsUndefinedStmt{}, &ir.ArrayAppendStmt{},
	&ir.ObjectInsertStmt{}, &ir.ObjectInsertOnceStmt{}, &ir.ObjectMergeStmt{}, &ir.SetAddStmt{}, &ir.WithStmt{}, &ir.NopStmt{},
	&ir.ResultSetAddStmt{},
}

// TestStatements: OPA has no statement that the analysis does not know. One more is the whole input for every policy that has it, and
// perhaps for no good reason.
func TestStatements(t *testing.T) {
	var known []string
	for _, stmt := range statements {
		known = append(known, reflect.TypeOf(stmt).Elem().Name())
		if err := new(flow).of(stmt); err != nil {
			t.Error(err)
		}
	}
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/open-policy-agent/opa/v1/ir").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), strings.TrimSpace(string(dir))+"/ir.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared, values []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			if strings.HasSuffix(n.Name.Name, "Stmt") && n.Name.IsExported() && n.Name.Name != "Stmt" {
				declared = append(declared, n.Name.Name)
			}
		case *ast.FuncDecl:
			if n.Name.Name == "typeHint" && n.Recv != nil {
				if receiver, ok := n.Recv.List[0].Type.(*ast.Ident); ok {
					values = append(values, receiver.Name)
				}
			}
		}
		return true
	})
	slices.Sort(known)
	slices.Sort(declared)
	if diff := cmp.Diff(declared, known); diff != "" {
		t.Errorf("statements of a plan: -OPA +known:\n%s", diff)
	}
	slices.Sort(values)
	if diff := cmp.Diff([]string{"Bool", "Local", "StringIndex"}, values); diff != "" {
		t.Errorf("operands of a plan: -known +OPA:\n%s", diff)
	}
	inner := &ir.Block{}
	inside := map[string]ir.Stmt{"ScanStmt": &ir.ScanStmt{Key: 4, Value: 5, Block: inner}, "NotStmt": &ir.NotStmt{Block: inner}, "WithStmt": &ir.WithStmt{Block: inner}}
	// A statement that is known to flow and not to the analysis itself is an error there, and so is one that nobody knows.
	for _, stmt := range append(slices.Clone(statements), ir.Stmt(unheard{})) {
		_, isUnheard := stmt.(unheard)
		if with := inside[reflect.TypeOf(stmt).String()[len("*ir."):]]; with != nil {
			stmt = with
		}
		program, err := newProgram(writtenPlan([]string{"x"}, stmt))
		if isUnheard != (err != nil) {
			t.Errorf("%T: %v", stmt, err)
		}
		if _, ends := stmt.(*ir.ResultSetAddStmt); err == nil && !ends { // it ends a query, and stands in no function
			if _, err := program.reads([]*function{program.functions["g0.f"]}, nil); err != nil && !isCall(stmt) {
				t.Errorf("%T: %v", stmt, err)
			}
		}
	}
}

// isCall is true for the call of a function of no name.
func isCall(stmt ir.Stmt) bool {
	_, ok := stmt.(*ir.CallStmt)
	return ok
}

// unheard is a statement of an OPA to come.
type unheard struct{ *ir.NopStmt }

// TestFunctions: every function of OPA reads all of what it declares as more than scalars and lists of them, or it is one of the special
// ones, which are few and known.
func TestFunctions(t *testing.T) {
	for _, builtin := range opa.Builtins {
		program := &program{plan: &ir.Policy{Static: &ir.Static{}}, builtins: map[string]*ir.BuiltinFunc{builtin.Name: {Name: builtin.Name, Decl: builtin.Decl}}}
		for i, arg := range builtin.Decl.FuncArgs().Args {
			for _, inSet := range []bool{false, true} {
				a := &analysis{values: newValues(), program: program, contexts: map[contextKey]*call{}}
				f := &frame{analysis: a, call: &call{f: &function{}}}
				root := a.newPlace()
				given := a.place(root)
				if inSet {
					given = a.alloc(&alloc{id: 1, kind: set, rest: given})
				}
				args := make([]*value, len(builtin.Decl.FuncArgs().Args))
				for j := range args {
					args[j] = a.some
				}
				args[i] = given
				if _, err := f.builtin(&ir.CallStmt{Func: builtin.Name}, args); err != nil {
					t.Fatal(err)
				}
				wants := deep(arg, inSet)
				if special[builtin.Name] == nil && wants != readsAll(root) {
					t.Errorf("%s, argument %d, %s, in a set %t: reads all: %t", builtin.Name, i+1, arg, inSet, !wants)
				}
			}
		}
	}
	for name := range special {
		if opa.BuiltinMap[name] == nil {
			t.Errorf("%s is no function of OPA", name)
		}
	}
	for name := range neverFails {
		if opa.BuiltinMap[name] == nil {
			t.Errorf("%s is no function of OPA", name)
		}
	}
	for _, name := range []string{"walk", "json.marshal", "sprintf", "object.remove", "minus"} { // no oversight
		if special[name] != nil {
			t.Errorf("%s reads only a part of its arguments", name)
		}
	}
}

// readsAll reports whether a place, or its elements, are read whole.
func readsAll(p *place) bool { return p != nil && (p.all || readsAll(p.elem)) }

// deep reports whether a type may hold more than scalars and lists of scalars. inSet asks for sets, else for what JSON can be.
func deep(t types.Type, inSet bool) bool {
	switch t := unwrap(t).(type) {
	case types.Null, types.Boolean, types.Number, types.String:
		return false
	case *types.Array:
		for i := range t.Len() {
			if deep(t.Select(i), false) {
				return true
			}
		}
		return t.Dynamic() != nil && deep(t.Dynamic(), false)
	case *types.Set:
		return inSet && deep(t.Of(), false) || inSet && !scalars(t)
	case types.Any:
		return len(t) == 0 || slices.ContainsFunc(t, func(one types.Type) bool { return deep(one, inSet) })
	}
	return true
}

// TestUnsure: where the analysis cannot know it asks for everything, and says why.
func TestUnsure(t *testing.T) {
	compiler := compile(t, map[string]string{"x.rego": "package x\ndeny contains \"x\" if input.a\np[x].b := 1 if some x in input.c\n"})
	ref := opa.MustParseRef
	nodes := Analyse(t.Context(), compiler, []opa.Ref{ref("data.x.deny")}, []opa.Ref{ref("data.x.absent")}, []opa.Ref{ref("data.x.deny"), ref("data.x.q")}, nil)
	for i, all := range []bool{false, true, true, false} {
		if nodes[i].All != all {
			t.Errorf("%d: %+v", i, nodes[i])
		}
	}
	if got := Analyse(t.Context(), compiler); len(got) != 0 {
		t.Errorf("nothing asked, %v answered", got)
	}
	if why := nodes[1].Why; len(why) != 1 || !strings.Contains(why[0], "data.x.absent is not one rule") {
		t.Errorf("%q", why)
	}
}

// TestConcurrent: several goroutines may analyse one compiled set, and evaluate it meanwhile.
func TestConcurrent(t *testing.T) {
	compiler := compile(t, libraryModules(t, "image-tag"))
	entries := verdicts(compiler, "image-tag")
	want := Analyse(t.Context(), compiler, entries)[0]
	s := newSubject(t, "image-tag", compiler, entries)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if diff := cmp.Diff(want, Analyse(t.Context(), compiler, entries)[0]); diff != "" {
				t.Errorf("-first +other:\n%s", diff)
			}
			s.judge(t.Context(), opa.NewObject())
			newSubject(t, "again", compiler, entries)
		})
	}
	group.Wait()
}
