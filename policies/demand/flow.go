package demand

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ir"
)

// flow is what a statement itself reads and writes, without the blocks inside it.
type flow struct{ reads, writes []ir.Local }

// read and operands note locals that are read, write those that are written.
func (f *flow) read(locals ...ir.Local) *flow {
	f.reads = append(f.reads, locals...)
	return f
}

func (f *flow) operands(operands ...ir.Operand) *flow {
	for _, operand := range operands {
		if local, ok := operand.Value.(ir.Local); ok {
			f.reads = append(f.reads, local)
		}
	}
	return f
}

func (f *flow) write(locals ...ir.Local) { f.writes = append(f.writes, locals...) }

// of knows every statement of the plan; one that it does not know ends the analysis.
func (f *flow) of(stmt ir.Stmt) error {
	f.reads, f.writes = f.reads[:0], f.writes[:0]
	switch stmt := stmt.(type) {
	case *ir.ReturnLocalStmt:
		f.read(stmt.Source)
	case *ir.CallStmt:
		f.operands(stmt.Args...).write(stmt.Result)
	case *ir.CallDynamicStmt:
		f.operands(stmt.Path...).read(stmt.Args...).write(stmt.Result)
	case *ir.BlockStmt, *ir.BreakStmt, *ir.NotStmt, *ir.NopStmt:
	case *ir.DotStmt:
		f.operands(stmt.Source, stmt.Key).write(stmt.Target)
	case *ir.LenStmt:
		f.operands(stmt.Source).write(stmt.Target)
	case *ir.ScanStmt:
		f.read(stmt.Source).write(stmt.Key, stmt.Value)
	case *ir.WithStmt:
		f.operands(stmt.Value).read(stmt.Local)
	default:
		return f.ofValue(stmt)
	}
	return nil
}

// ofValue knows the statements that make, assign and change values.
func (f *flow) ofValue(stmt ir.Stmt) error {
	switch stmt := stmt.(type) {
	case *ir.AssignIntStmt:
		f.write(stmt.Target)
	case *ir.AssignVarStmt:
		f.operands(stmt.Source).write(stmt.Target)
	case *ir.AssignVarOnceStmt:
		f.operands(stmt.Source).write(stmt.Target)
	case *ir.ResetLocalStmt:
		f.write(stmt.Target)
	case *ir.MakeNullStmt:
		f.write(stmt.Target)
	case *ir.MakeNumberIntStmt:
		f.write(stmt.Target)
	case *ir.MakeNumberRefStmt:
		f.write(stmt.Target)
	case *ir.MakeArrayStmt:
		f.write(stmt.Target)
	case *ir.MakeObjectStmt:
		f.write(stmt.Target)
	case *ir.MakeSetStmt:
		f.write(stmt.Target)
	default:
		return f.ofChange(stmt)
	}
	return nil
}

// ofChange knows the statements that add to values, and those that hold or do not.
func (f *flow) ofChange(stmt ir.Stmt) error {
	switch stmt := stmt.(type) {
	case *ir.ArrayAppendStmt:
		f.operands(stmt.Value).read(stmt.Array)
	case *ir.ObjectInsertStmt:
		f.operands(stmt.Key, stmt.Value).read(stmt.Object)
	case *ir.ObjectInsertOnceStmt:
		f.operands(stmt.Key, stmt.Value).read(stmt.Object)
	case *ir.ObjectMergeStmt:
		f.read(stmt.A, stmt.B).write(stmt.Target)
	case *ir.SetAddStmt:
		f.operands(stmt.Value).read(stmt.Set)
	case *ir.EqualStmt:
		f.operands(stmt.A, stmt.B)
	case *ir.NotEqualStmt:
		f.operands(stmt.A, stmt.B)
	case *ir.IsArrayStmt:
		f.operands(stmt.Source)
	case *ir.IsObjectStmt:
		f.operands(stmt.Source)
	case *ir.IsSetStmt:
		f.operands(stmt.Source)
	case *ir.IsDefinedStmt:
		f.read(stmt.Source)
	case *ir.IsUndefinedStmt:
		f.read(stmt.Source)
	case *ir.ResultSetAddStmt:
		f.read(stmt.Value)
	default:
		return fmt.Errorf("statement %T is not known", stmt)
	}
	return nil
}
