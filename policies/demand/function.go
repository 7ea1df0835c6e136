package demand

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ir"
)

// program is a plan and what is known of its functions whatever they are called with.
type program struct {
	policy    *ir.Policy
	functions map[string]*function
	builtins  map[string]*ir.BuiltinFunc
}

// function is one rule or function of a policy.
type function struct {
	*ir.Func
	// result holds the value of one clause before it is returned; rules that build a set or an object have it too, and never use it.
	result ir.Local
	// shared are the locals, by block, that may be read where another statement than the last one before wrote them.
	shared []map[ir.Local]bool
	// single: a rule or function with one value. OPA stops at the first solution where that value is a constant.
	single bool
	// conflicts: two clauses may hold at once.
	conflicts bool
	// fails: a call may end in an error.
	fails bool
	// once counts the statements that insert into an object or assign, by block and local: two of them may conflict.
	once []map[ir.Local]int
}

func newProgram(policy *ir.Policy) (*program, error) {
	p := &program{policy: policy, functions: map[string]*function{}, builtins: map[string]*ir.BuiltinFunc{}}
	for _, builtin := range policy.Static.BuiltinFuncs {
		p.builtins[builtin.Name] = builtin
	}
	for _, f := range policy.Funcs.Funcs { // what a function calls stands before it
		made, err := p.newFunction(f)
		if err != nil {
			return nil, err
		}
		p.functions[f.Name] = made
	}
	return p, nil
}

func (p *program) newFunction(f *ir.Func) (*function, error) {
	made := &function{Func: f, result: f.Return}
	for _, local := range f.Params {
		made.result = max(made.result, local)
	}
	made.result++
	for _, block := range f.Blocks {
		s := &sharing{shared: map[ir.Local]bool{f.Return: true, made.result: true}, once: map[ir.Local]int{}}
		written := map[ir.Local]bool{}
		for _, local := range f.Params {
			s.shared[local] = true
		}
		if err := s.block(block, written, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		s.once[made.result] = p.assignments(made, block)
		made.shared, made.once = append(made.shared, s.shared), append(made.once, s.once)
		made.single = made.single || s.once[f.Return] > 0 && s.assigns
		made.fails = made.fails || p.fails(block)
	}
	made.conflicts = made.single && p.overlap(made)
	made.fails = made.fails || made.conflicts
	return made, nil
}

// assignments counts how often a clause assigns its value: of an else chain, the branch that does it most often.
func (*program) assignments(f *function, block *ir.Block) int {
	if chain, ok := block.Stmts[0].(*ir.BlockStmt); ok && len(block.Stmts) == 1 {
		most := 0
		for _, branch := range chain.Blocks {
			most = max(most, assigns(branch, f.result))
		}
		return most
	}
	return assigns(block, f.result)
}

// sharing finds the locals of a block that are shared.
type sharing struct {
	shared  map[ir.Local]bool
	once    map[ir.Local]int
	assigns bool
}

// loop is a loop that is open: what it has read before it wrote it.
type loop struct {
	written, early map[ir.Local]bool
	above          *loop
}

func (s *sharing) block(b *ir.Block, written map[ir.Local]bool, in *loop) error {
	for _, stmt := range b.Stmts {
		if err := s.statement(stmt, written, in); err != nil {
			return err
		}
	}
	return nil
}

func (s *sharing) statement(stmt ir.Stmt, written map[ir.Local]bool, in *loop) error {
	f, err := flowOf(stmt)
	if err != nil {
		return err
	}
	for _, local := range f.reads {
		if !written[local] {
			s.shared[local] = true
		}
		for l := in; l != nil && !l.written[local]; l = l.above {
			l.early[local] = true
		}
	}
	for _, local := range f.writes {
		written[local] = true
		for l := in; l != nil; l = l.above {
			l.written[local] = true
		}
	}
	switch stmt := stmt.(type) {
	case *ir.ResetLocalStmt:
		s.shared[stmt.Target] = true
	case *ir.AssignVarOnceStmt:
		s.shared[stmt.Target] = true
		s.assigns = true
		s.once[stmt.Target]++
	case *ir.ObjectInsertOnceStmt:
		s.once[stmt.Object]++
	case *ir.IsDefinedStmt:
		s.shared[stmt.Source] = true
	case *ir.IsUndefinedStmt:
		s.shared[stmt.Source] = true
	case *ir.ScanStmt:
		inner := &loop{written: map[ir.Local]bool{stmt.Key: true, stmt.Value: true}, early: map[ir.Local]bool{}, above: in}
		if err := s.block(stmt.Block, written, inner); err != nil {
			return err
		}
		for local := range inner.early { // carried from one turn to the next
			if inner.written[local] {
				s.shared[local] = true
			}
		}
		return nil
	}
	for _, block := range blocksOf(stmt) {
		if err := s.block(block, written, in); err != nil {
			return err
		}
	}
	return nil
}

// blocksOf returns the blocks inside a statement.
func blocksOf(stmt ir.Stmt) []*ir.Block {
	switch stmt := stmt.(type) {
	case *ir.BlockStmt:
		return stmt.Blocks
	case *ir.NotStmt:
		return []*ir.Block{stmt.Block}
	case *ir.WithStmt:
		return []*ir.Block{stmt.Block}
	case *ir.ScanStmt:
		return []*ir.Block{stmt.Block}
	}
	return nil
}

// find reports whether a statement of a block, however deep, is as asked.
func find(b *ir.Block, is func(ir.Stmt) bool) bool {
	for _, stmt := range b.Stmts {
		if is(stmt) {
			return true
		}
		for _, inner := range blocksOf(stmt) {
			if find(inner, is) {
				return true
			}
		}
	}
	return false
}

// fails reports whether a statement in the block may end in an error.
func (p *program) fails(b *ir.Block) bool {
	return find(b, func(stmt ir.Stmt) bool {
		switch stmt := stmt.(type) {
		case *ir.CallStmt:
			if f := p.functions[stmt.Func]; f != nil {
				return f.fails
			}
			return !neverFails[stmt.Func]
		case *ir.ObjectInsertOnceStmt, *ir.CallDynamicStmt, *ir.WithStmt, *ir.ObjectMergeStmt:
			return true
		}
		return false
	})
}

// neverFails are the functions that take any value.
var neverFails = set64( //nolint:gochecknoglobals // a table
	"equal", "neq", "lt", "lte", "gt", "gte", "internal.member_2", "internal.member_3", "internal.print", "type_name",
	"is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string",
)

func set64(names ...string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[name] = true
	}
	return all
}

// flow is what a statement itself reads and writes, without the blocks inside it.
type flow struct{ reads, writes []ir.Local }

// flowOf knows every statement of the plan; one that it does not know ends the analysis.
func flowOf(stmt ir.Stmt) (flow, error) {
	switch stmt := stmt.(type) {
	case *ir.ReturnLocalStmt:
		return flow{reads: []ir.Local{stmt.Source}}, nil
	case *ir.CallStmt:
		return flow{reads: locals(stmt.Args...), writes: []ir.Local{stmt.Result}}, nil
	case *ir.CallDynamicStmt:
		return flow{reads: append(locals(stmt.Path...), stmt.Args...), writes: []ir.Local{stmt.Result}}, nil
	case *ir.BlockStmt, *ir.BreakStmt, *ir.NotStmt, *ir.NopStmt:
		return flow{}, nil
	case *ir.DotStmt:
		return flow{reads: locals(stmt.Source, stmt.Key), writes: []ir.Local{stmt.Target}}, nil
	case *ir.LenStmt:
		return flow{reads: locals(stmt.Source), writes: []ir.Local{stmt.Target}}, nil
	case *ir.ScanStmt:
		return flow{reads: []ir.Local{stmt.Source}, writes: []ir.Local{stmt.Key, stmt.Value}}, nil
	case *ir.WithStmt:
		return flow{reads: append(locals(stmt.Value), stmt.Local)}, nil
	}
	return flowOfValue(stmt)
}

// flowOfValue knows the statements that make, assign and change values.
func flowOfValue(stmt ir.Stmt) (flow, error) {
	switch stmt := stmt.(type) {
	case *ir.AssignIntStmt:
		return flow{writes: []ir.Local{stmt.Target}}, nil
	case *ir.AssignVarStmt:
		return flow{reads: locals(stmt.Source), writes: []ir.Local{stmt.Target}}, nil
	case *ir.AssignVarOnceStmt:
		return flow{reads: locals(stmt.Source), writes: []ir.Local{stmt.Target}}, nil
	case *ir.ResetLocalStmt:
		return flow{writes: []ir.Local{stmt.Target}}, nil
	case *ir.MakeNullStmt:
		return flow{writes: []ir.Local{stmt.Target}}, nil
	case *ir.MakeNumberIntStmt:
		return flow{writes: []ir.Local{stmt.Target}}, nil
	case *ir.MakeNumberRefStmt:
		return flow{writes: []ir.Local{stmt.Target}}, nil
	case *ir.MakeArrayStmt:
		return flow{writes: []ir.Local{stmt.Target}}, nil
	case *ir.MakeObjectStmt:
		return flow{writes: []ir.Local{stmt.Target}}, nil
	case *ir.MakeSetStmt:
		return flow{writes: []ir.Local{stmt.Target}}, nil
	case *ir.ArrayAppendStmt:
		return flow{reads: append(locals(stmt.Value), stmt.Array)}, nil
	case *ir.ObjectInsertStmt:
		return flow{reads: append(locals(stmt.Key, stmt.Value), stmt.Object)}, nil
	case *ir.ObjectInsertOnceStmt:
		return flow{reads: append(locals(stmt.Key, stmt.Value), stmt.Object)}, nil
	case *ir.ObjectMergeStmt:
		return flow{reads: []ir.Local{stmt.A, stmt.B}, writes: []ir.Local{stmt.Target}}, nil
	case *ir.SetAddStmt:
		return flow{reads: append(locals(stmt.Value), stmt.Set)}, nil
	}
	return flowOfTest(stmt)
}

// flowOfTest knows the statements that hold or do not.
func flowOfTest(stmt ir.Stmt) (flow, error) {
	switch stmt := stmt.(type) {
	case *ir.EqualStmt:
		return flow{reads: locals(stmt.A, stmt.B)}, nil
	case *ir.NotEqualStmt:
		return flow{reads: locals(stmt.A, stmt.B)}, nil
	case *ir.IsArrayStmt:
		return flow{reads: locals(stmt.Source)}, nil
	case *ir.IsObjectStmt:
		return flow{reads: locals(stmt.Source)}, nil
	case *ir.IsSetStmt:
		return flow{reads: locals(stmt.Source)}, nil
	case *ir.IsDefinedStmt:
		return flow{reads: []ir.Local{stmt.Source}}, nil
	case *ir.IsUndefinedStmt:
		return flow{reads: []ir.Local{stmt.Source}}, nil
	case *ir.ResultSetAddStmt:
		return flow{reads: []ir.Local{stmt.Value}}, nil
	}
	return flow{}, fmt.Errorf("statement %T is not known", stmt)
}

func locals(operands ...ir.Operand) []ir.Local {
	var found []ir.Local
	for _, operand := range operands {
		if local, ok := operand.Value.(ir.Local); ok {
			found = append(found, local)
		}
	}
	return found
}
