package demand

import (
	"slices"
	"testing"

	"github.com/open-policy-agent/opa/v1/ir"
)

// written builds a plan of one function by hand: OPA plans no function that needs some rules of the analysis, as far as is known, and may
// begin to. The locals 0 and 1 are input and data, 2 is the result, 3 that of a clause.
func writtenPlan(strings []string, stmts ...ir.Stmt) *ir.Policy {
	static := &ir.Static{}
	for _, s := range strings {
		static.Strings = append(static.Strings, &ir.StringConst{Value: s})
	}
	blocks := []*ir.Block{{Stmts: stmts}, {Stmts: []ir.Stmt{&ir.ReturnLocalStmt{Source: 2}}}}
	return &ir.Policy{Static: static, Funcs: &ir.Funcs{Funcs: []*ir.Func{{Name: "g0.f", Params: []ir.Local{0, 1}, Return: 2, Blocks: blocks}}}}
}

func local(l ir.Local) ir.Operand      { return ir.Operand{Value: l} }
func text(i ir.StringIndex) ir.Operand { return ir.Operand{Value: i} }

// TestLate: what reaches a local in the next turn of a loop only, or an array after that was read, is read all the same.
func TestLate(t *testing.T) {
	items, other := 0, 1
	for _, test := range []struct {
		name  string
		needs rule
		stmts []ir.Stmt
	}{
		{"carried to the next turn", ruleFixpoint, []ir.Stmt{
			&ir.DotStmt{Source: local(0), Key: text(ir.StringIndex(items)), Target: 4},
			&ir.DotStmt{Source: local(0), Key: text(ir.StringIndex(other)), Target: 5},
			&ir.ScanStmt{Source: 4, Key: 6, Value: 7, Block: &ir.Block{Stmts: []ir.Stmt{
				&ir.EqualStmt{A: local(8), B: local(5)},
				&ir.AssignVarStmt{Source: local(7), Target: 8},
			}}},
		}},
		{"carried over a first value", ruleFixpoint, []ir.Stmt{
			&ir.DotStmt{Source: local(0), Key: text(ir.StringIndex(items)), Target: 4},
			&ir.DotStmt{Source: local(0), Key: text(ir.StringIndex(other)), Target: 5},
			&ir.MakeNullStmt{Target: 8},
			&ir.ScanStmt{Source: 4, Key: 6, Value: 7, Block: &ir.Block{Stmts: []ir.Stmt{
				&ir.EqualStmt{A: local(8), B: local(5)},
				&ir.AssignVarStmt{Source: local(7), Target: 8},
			}}},
		}},
		{"carried over a value that was tested", ruleFixpoint, []ir.Stmt{
			&ir.DotStmt{Source: local(0), Key: text(ir.StringIndex(items)), Target: 4},
			&ir.DotStmt{Source: local(0), Key: text(ir.StringIndex(other)), Target: 5},
			&ir.DotStmt{Source: local(5), Key: text(ir.StringIndex(other)), Target: 8},
			&ir.EqualStmt{A: local(8), B: text(ir.StringIndex(other))},
			&ir.ScanStmt{Source: 4, Key: 6, Value: 7, Block: &ir.Block{Stmts: []ir.Stmt{
				&ir.EqualStmt{A: local(8), B: local(5)},
				&ir.AssignVarStmt{Source: local(7), Target: 8},
			}}},
		}},
		{"appended after the comparison", ruleLate, []ir.Stmt{
			&ir.DotStmt{Source: local(0), Key: text(ir.StringIndex(items)), Target: 4},
			&ir.DotStmt{Source: local(0), Key: text(ir.StringIndex(other)), Target: 5},
			&ir.MakeArrayStmt{Target: 8},
			&ir.EqualStmt{A: local(8), B: local(1)},
			&ir.ScanStmt{Source: 4, Key: 6, Value: 7, Block: &ir.Block{Stmts: []ir.Stmt{&ir.ArrayAppendStmt{Array: 8, Value: local(7)}}}},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			program, err := newProgram(writtenPlan([]string{"items", "other"}, test.stmts...))
			if err != nil {
				t.Fatal(err)
			}
			read := func(off map[rule]bool) bool {
				node, err := program.reads([]*function{program.functions["g0.f"]}, off)
				if err != nil {
					t.Fatal(err)
				}
				var paths []string
				for path := range node.Paths() {
					paths = append(paths, path)
				}
				return slices.Contains(paths, "items.*.**")
			}
			if !read(nil) {
				t.Error("the elements are not read")
			}
			if read(map[rule]bool{test.needs: true}) {
				t.Errorf("the elements are read without the rule %q too", test.needs)
			}
		})
	}
}
