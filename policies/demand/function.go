package demand

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ir"
)

// program is a plan and what is known of its functions whatever they are called with.
type program struct {
	plan      *ir.Policy
	functions map[string]*function
	builtins  map[string]*ir.BuiltinFunc
}

// function is one rule or function of a policy.
type function struct {
	*ir.Func
	// result holds the value of one clause before it is returned; rules that build a set or an object have it too, and never use it.
	result ir.Local
	// shared are the locals, by block, that may be read where another statement than the last one before wrote them.
	shared []bits
	// locals is how many there are.
	locals int
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
	p := &program{plan: policy, functions: map[string]*function{}, builtins: map[string]*ir.BuiltinFunc{}}
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
		s := &sharing{once: map[ir.Local]int{}}
		s.shared.add(f.Return)
		s.shared.add(made.result)
		for _, local := range f.Params {
			s.shared.add(local)
		}
		if err := s.block(block, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		s.once[made.result] = p.assignments(made, block)
		made.shared, made.once = append(made.shared, s.shared), append(made.once, s.once)
		made.locals = max(made.locals, s.locals, int(made.result)+1)
		made.single = made.single || s.once[f.Return] > 0 && s.assigns
		made.fails = made.fails || p.fails(block)
	}
	made.conflicts = made.single && p.overlap(made)
	made.fails = made.fails || made.conflicts
	return made, nil
}

// assignments counts how often a clause assigns its value: of an else chain, the branch that does it most often.
func (*program) assignments(f *function, block *ir.Block) int {
	if chain := elseChain(block); chain != nil {
		most := 0
		for _, branch := range chain.Blocks {
			most = max(most, assigns(branch, f.result))
		}
		return most
	}
	return assigns(block, f.result)
}

// bits is a set of locals.
type bits []uint64

func (b bits) has(local ir.Local) bool {
	return int(local)>>6 < len(b) && b[local>>6]&(1<<(local&63)) != 0
}

func (b *bits) add(local ir.Local) {
	for int(local)>>6 >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[local>>6] |= 1 << (local & 63)
}

// sharing finds the locals of a block that are shared.
type sharing struct {
	shared, written bits
	once            map[ir.Local]int
	assigns         bool
	locals          int
	flow            flow
}

// loop is a loop that is open: what it has read before it wrote it.
type loop struct {
	written, early bits
	above          *loop
}

func (s *sharing) block(b *ir.Block, in *loop) error {
	for _, stmt := range b.Stmts {
		if err := s.statement(stmt, in); err != nil {
			return err
		}
	}
	return nil
}

func (s *sharing) statement(stmt ir.Stmt, in *loop) error {
	if err := s.flow.of(stmt); err != nil {
		return err
	}
	for _, local := range s.flow.reads {
		if !s.written.has(local) {
			s.shared.add(local)
		}
		for l := in; l != nil && !l.written.has(local); l = l.above {
			l.early.add(local)
		}
	}
	for _, local := range s.flow.writes {
		s.locals = max(s.locals, int(local)+1)
		s.written.add(local)
		for l := in; l != nil; l = l.above {
			l.written.add(local)
		}
	}
	switch stmt := stmt.(type) {
	case *ir.ResetLocalStmt:
		s.shared.add(stmt.Target)
	case *ir.AssignVarOnceStmt:
		s.shared.add(stmt.Target)
		s.assigns = true
		s.once[stmt.Target]++
	case *ir.ObjectInsertOnceStmt:
		s.once[stmt.Object]++
	case *ir.IsDefinedStmt:
		s.shared.add(stmt.Source)
	case *ir.IsUndefinedStmt:
		s.shared.add(stmt.Source)
	case *ir.ScanStmt:
		return s.scan(stmt, in)
	}
	return eachBlock(stmt, func(block *ir.Block) error { return s.block(block, in) })
}

func (s *sharing) scan(stmt *ir.ScanStmt, in *loop) error {
	inner := &loop{above: in}
	inner.written.add(stmt.Key)
	inner.written.add(stmt.Value)
	if err := s.block(stmt.Block, inner); err != nil {
		return err
	}
	for i, early := range inner.early { // carried from one turn to the next
		if i < len(inner.written) && early&inner.written[i] != 0 {
			for bit := range 64 {
				if local := ir.Local(i<<6 + bit); inner.early.has(local) && inner.written.has(local) {
					s.shared.add(local)
				}
			}
		}
	}
	return nil
}

// eachBlock visits the blocks inside a statement.
func eachBlock(stmt ir.Stmt, visit func(*ir.Block) error) error {
	switch stmt := stmt.(type) {
	case *ir.BlockStmt:
		for _, block := range stmt.Blocks {
			if err := visit(block); err != nil {
				return err
			}
		}
	case *ir.NotStmt:
		return visit(stmt.Block)
	case *ir.WithStmt:
		return visit(stmt.Block)
	case *ir.ScanStmt:
		return visit(stmt.Block)
	}
	return nil
}

// find reports whether a statement of a block, however deep, is as asked.
func find(b *ir.Block, is func(ir.Stmt) bool) bool {
	for _, stmt := range b.Stmts {
		if is(stmt) {
			return true
		}
		found := false
		_ = eachBlock(stmt, func(inner *ir.Block) error { found = found || find(inner, is); return nil })
		if found {
			return true
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
