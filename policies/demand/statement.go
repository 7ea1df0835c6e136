package demand

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ir"
)

// statement goes through one statement: those of control first.
func (f *frame) statement(stmt ir.Stmt) error {
	switch stmt := stmt.(type) {
	case *ir.BlockStmt:
		for _, block := range stmt.Blocks {
			if err := f.inner(block); err != nil {
				return err
			}
		}
	case *ir.NotStmt:
		f.nots++
		defer func() { f.nots-- }()
		return f.inner(stmt.Block)
	case *ir.ScanStmt:
		return f.scan(stmt)
	case *ir.WithStmt:
		return f.with(stmt)
	case *ir.CallStmt:
		return f.callStmt(stmt)
	case *ir.CallDynamicStmt:
		return f.callDynamic(stmt)
	case *ir.ReturnLocalStmt:
		if result := f.join(f.call.result, f.get(stmt.Source)); result != f.call.result {
			f.call.result, f.changed = result, true
		}
	case *ir.BreakStmt, *ir.NopStmt, *ir.ResetLocalStmt, *ir.IsArrayStmt, *ir.IsObjectStmt, *ir.IsSetStmt, *ir.IsDefinedStmt, *ir.IsUndefinedStmt:
		// They end a block or do not, by what a shape says.
	default:
		return f.valueStmt(stmt)
	}
	return nil
}

// valueStmt goes through the statements that make, look up, compare and assign values.
func (f *frame) valueStmt(stmt ir.Stmt) error {
	switch stmt := stmt.(type) {
	case *ir.DotStmt:
		f.assign(stmt.Target, f.dot(f.operand(stmt.Source), f.operand(stmt.Key), f.why(stmt, "looks it up in a set")))
	case *ir.LenStmt:
		f.length(f.operand(stmt.Source), f.why(stmt, "counts a set that holds it"))
		f.assign(stmt.Target, f.some)
	case *ir.EqualStmt:
		f.equal(stmt)
	case *ir.NotEqualStmt:
		f.compare(f.operand(stmt.A), f.operand(stmt.B), f.why(stmt, "compares it as a whole"))
		f.passed(stmt)
	case *ir.AssignIntStmt:
		f.assign(stmt.Target, f.number(strconv.FormatInt(stmt.Value, 10)))
	case *ir.MakeNumberIntStmt:
		f.assign(stmt.Target, f.number(strconv.FormatInt(stmt.Value, 10)))
	case *ir.MakeNumberRefStmt:
		f.assign(stmt.Target, f.number(f.plan.Static.Strings[stmt.Index].Value))
	case *ir.MakeNullStmt:
		f.assign(stmt.Target, f.some)
	case *ir.AssignVarStmt:
		f.copy(stmt)
	case *ir.AssignVarOnceStmt:
		f.assignOnce(stmt)
	case *ir.ObjectMergeStmt:
		f.assign(stmt.Target, f.join(f.get(stmt.A), f.get(stmt.B)))
	default:
		return f.allocStmt(stmt)
	}
	return nil
}

// copy assigns one local to another.
func (f *frame) copy(stmt *ir.AssignVarStmt) {
	f.assign(stmt.Target, f.operand(stmt.Source))
	from, isLocal := stmt.Source.Value.(ir.Local)
	if isLocal && from != stmt.Target && !f.isShared(stmt.Target) && f.origin(from) != stmt.Target {
		f.slots[stmt.Target].from = copied{true, from, f.slots[from].writes}
	}
}

// allocStmt goes through the statements that build arrays, objects and sets.
func (f *frame) allocStmt(stmt ir.Stmt) error {
	switch stmt := stmt.(type) {
	case *ir.MakeArrayStmt:
		made := f.make(stmt, array)
		made.literal = int(stmt.Capacity)
		f.assign(stmt.Target, f.alloc(made))
	case *ir.MakeObjectStmt:
		f.assign(stmt.Target, f.alloc(f.make(stmt, object)))
	case *ir.MakeSetStmt:
		f.assign(stmt.Target, f.alloc(f.make(stmt, set)))
	case *ir.ArrayAppendStmt:
		for _, made := range f.get(stmt.Array).allocs {
			f.appendTo(made, f.operand(stmt.Value), stmt)
		}
	case *ir.SetAddStmt:
		for _, made := range f.get(stmt.Set).allocs {
			f.put(made, &made.rest, f.operand(stmt.Value))
		}
	case *ir.ObjectInsertStmt:
		for _, made := range f.get(stmt.Object).allocs {
			f.insert(made, f.operand(stmt.Key), f.operand(stmt.Value), stmt)
		}
	case *ir.ObjectInsertOnceStmt:
		for _, made := range f.get(stmt.Object).allocs {
			value := f.operand(stmt.Value)
			if f.several(stmt, made) && !f.off[ruleConflict] {
				f.whole(value, f.why(stmt, "an object may have it under a key that occurs twice"))
			}
			f.insert(made, f.operand(stmt.Key), value, stmt)
		}
	default:
		return fmt.Errorf("statement %T is not known", stmt)
	}
	return nil
}

// several reports whether an object may get one key twice.
func (f *frame) several(stmt *ir.ObjectInsertOnceStmt, made *alloc) bool {
	if f.call.f.Return == stmt.Object || f.call.f.once[f.block][stmt.Object] > 1 {
		return true
	}
	open := f.scans[min(made.scans, len(f.scans)):]
	key, isLocal := stmt.Key.Value.(ir.Local)
	// The key of the only loop is another in each turn.
	return len(open) > 1 || len(open) == 1 && (len(open[0].sets) > 0 || !isLocal || f.origin(key) != open[0].stmt.Key)
}

// equal compares. What equals a scalar is that scalar.
func (f *frame) equal(stmt *ir.EqualStmt) {
	x, y := f.operand(stmt.A), f.operand(stmt.B)
	f.compare(x, y, f.why(stmt, "compares it as a whole"))
	if local, ok := stmt.A.Value.(ir.Local); ok && x.composite() && !y.composite() {
		f.know(local, y)
	}
	if local, ok := stmt.B.Value.(ir.Local); ok && y.composite() && !x.composite() {
		f.know(local, x)
	}
}

// passed notes what the call of a function that was not false says of its argument.
func (f *frame) passed(stmt *ir.NotEqualStmt) {
	local, isLocal := stmt.A.Value.(ir.Local)
	constant, isBool := stmt.B.Value.(ir.Bool)
	if !isLocal || !isBool || bool(constant) {
		return
	}
	if test := f.slots[local].test; test.is != nil {
		f.know(test.local, test.is)
	}
}

// appendTo adds an element to an array. A set in which two elements are told apart by what is not read would give one element less, or
// another order.
func (f *frame) appendTo(made *alloc, v *value, stmt ir.Stmt) {
	if !f.off[ruleMultiplicity] {
		for _, open := range f.scans[min(made.scans, len(f.scans)):] {
			for _, set := range open.sets {
				f.whole(f.parts(set), f.why(stmt, "makes an array of a set that holds it"))
			}
		}
	}
	if made.next < made.literal {
		if made.next == len(made.items) {
			made.items = append(made.items, f.none)
		}
		f.put(made, &made.items[made.next], v)
		made.next++
		return
	}
	f.put(made, &made.rest, v)
}

// insert adds a member to an object.
func (f *frame) insert(made *alloc, key, v *value, stmt ir.Stmt) {
	if !f.off[ruleObjectKeys] {
		f.whole(key, f.why(stmt, "makes it the key of an object"))
	}
	if key.opaque() {
		f.put(made, &made.keys, key)
		f.put(made, &made.rest, v)
		return
	}
	for _, constant := range key.consts {
		if constant[0] == 's' {
			f.putKid(made, constant[1:], v)
		} else {
			f.put(made, &made.rest, v)
		}
	}
}

// assignOnce is the value of a clause, or of the whole function. Two that differ are an error.
func (f *frame) assignOnce(stmt *ir.AssignVarOnceStmt) {
	v := f.operand(stmt.Source)
	fn := f.call.f
	clauses := stmt.Target == fn.Return && fn.conflicts
	if (len(f.scans) > 0 || clauses || stmt.Target != fn.Return && fn.once[f.block][stmt.Target] > 1) && !f.off[ruleConflict] {
		what := "a rule may have several values"
		if clauses {
			what = "two clauses may hold at once"
		}
		f.whole(v, f.why(stmt, what))
	}
	f.assign(stmt.Target, v)
}

func (f *frame) scan(stmt *ir.ScanStmt) error {
	source := f.get(stmt.Source)
	open := scan{stmt: stmt}
	for _, made := range source.allocs {
		if made.kind == set {
			open.sets = append(open.sets, made)
			if parts := f.parts(made); parts.composite() && f.stops(stmt) && !f.off[ruleOrder] {
				f.whole(parts, f.why(stmt, "may stop in the middle of a set that holds it"))
			}
		}
	}
	keys, items := f.scanned(source)
	f.assign(stmt.Key, keys)
	f.assign(stmt.Value, items)
	f.scans = append(f.scans, open)
	err := f.inner(stmt.Block)
	f.scans = f.scans[:len(f.scans)-1]
	return err
}

// stops reports whether a loop may end early, so that the order of a set decides which of its elements are looked at, and whether that
// can be told: one that is not looked at raises no error.
func (f *frame) stops(stmt *ir.ScanStmt) bool {
	if !f.fails(stmt.Block) {
		return false
	}
	reset := map[ir.Local]bool{} // flags of what stands inside the loop
	find(stmt.Block, func(inner ir.Stmt) bool {
		if reseting, ok := inner.(*ir.ResetLocalStmt); ok {
			reset[reseting.Target] = true
		}
		return false
	})
	return f.nots > 0 || find(stmt.Block, func(inner ir.Stmt) bool {
		switch inner := inner.(type) {
		case *ir.AssignVarOnceStmt: // one value is enough where it is a constant
			return true
		case *ir.AssignVarStmt: // every, and, or, not
			_, flag := inner.Source.Value.(ir.Bool)
			return flag && !reset[inner.Target]
		}
		return false
	})
}

// with replaces a part of input or data, or all of it.
func (f *frame) with(stmt *ir.WithStmt) error {
	before := f.get(stmt.Local)
	v := f.operand(stmt.Value)
	if len(stmt.Path) > 0 {
		v = f.lay(stmt, before, v)
	}
	f.narrow(stmt.Local, nil)
	f.slots[stmt.Local].is = v
	err := f.inner(stmt.Block)
	f.slots[stmt.Local].is = before
	return err
}

// withKey is the part of a path of a `with` that an overlay stands for.
type withKey struct {
	*ir.WithStmt
	depth int
}

// lay returns base with v at the path of the statement.
func (f *frame) lay(stmt *ir.WithStmt, base, v *value) *value {
	bases := []*value{base}
	for _, i := range stmt.Path[:len(stmt.Path)-1] {
		base = f.dot(base, f.text(f.plan.Static.Strings[i].Value), f.why(stmt, "with"))
		bases = append(bases, base)
	}
	for depth, base := range slices.Backward(bases) {
		made := f.make(withKey{stmt, depth}, overlay)
		f.put(made, &made.base, base)
		f.putKid(made, f.plan.Static.Strings[stmt.Path[depth]].Value, v)
		v = f.alloc(made)
	}
	return v
}

func (f *frame) callStmt(stmt *ir.CallStmt) error {
	args := make([]*value, len(stmt.Args))
	for i, arg := range stmt.Args {
		args[i] = f.operand(arg)
	}
	var (
		result *value
		err    error
	)
	if callee := f.functions[stmt.Func]; callee != nil {
		result, err = f.analysis.call(callee, args)
	} else {
		result, err = f.builtin(stmt, args)
	}
	if err != nil {
		return err
	}
	f.assign(stmt.Result, result)
	if len(stmt.Args) == 0 || f.functions[stmt.Func] != nil {
		return nil
	}
	local, ok := stmt.Args[0].Value.(ir.Local)
	if !ok || local == stmt.Result {
		return nil
	}
	switch stmt.Func {
	case "is_string", "is_number", "is_boolean", "is_null":
		f.slots[stmt.Result].test = test{local, f.intern(value{consts: args[0].consts, scalar: args[0].scalar || args[0].composite()})}
	case "internal.member_2":
		if _, items := f.scanned(args[1]); !items.composite() {
			f.slots[stmt.Result].test = test{local, items}
		}
	}
	return nil
}

// callDynamic calls whatever rule a reference that is only known at run time may name.
func (f *frame) callDynamic(stmt *ir.CallDynamicStmt) error {
	args := make([]*value, len(stmt.Args))
	for i, arg := range stmt.Args {
		args[i] = f.get(arg)
	}
	result := f.none
	for _, declared := range f.plan.Funcs.Funcs {
		if !f.mayName(stmt.Path, declared.Path) || len(declared.Params) != len(args) {
			continue
		}
		one, err := f.analysis.call(f.functions[declared.Name], args)
		if err != nil {
			return err
		}
		result = f.join(result, one)
	}
	f.assign(stmt.Result, result)
	return nil
}

func (f *frame) mayName(path []ir.Operand, name []string) bool {
	if len(path) != len(name) {
		return false
	}
	for i, operand := range path {
		if constant, ok := operand.Value.(ir.StringIndex); ok && f.plan.Static.Strings[constant].Value != name[i] {
			return false
		}
	}
	return true
}
