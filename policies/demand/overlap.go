package demand

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ir"
)

// overlap reports whether two clauses of a function may hold at once, so that their values would have to be compared. It errs on the side
// of true.
func (p *program) overlap(f *function) bool {
	var clauses [][]facts
	for i, block := range f.Blocks {
		if f.once[i][f.Return] == 0 && f.once[i][f.result] == 0 || isDefault(f, block) {
			continue
		}
		if f.once[i][f.result] > 0 { // the assignment to the result of the function stands in a block of its own, but for an else chain
			clauses = append(clauses, p.branches(f, block))
		}
	}
	for i, one := range clauses {
		for _, other := range clauses[i+1:] {
			if !exclude(one, other) {
				return true
			}
		}
	}
	return false
}

// isDefault reports whether a block is that of a default rule: it only counts where no other has a value.
func isDefault(f *function, block *ir.Block) bool {
	if len(block.Stmts) == 0 {
		return false
	}
	undefined, ok := block.Stmts[0].(*ir.IsUndefinedStmt)
	return ok && undefined.Source == f.Return
}

// branches are what holds in each branch of an else chain, or in the clause.
func (p *program) branches(f *function, block *ir.Block) []facts {
	if chain := elseChain(block); chain != nil {
		var all []facts
		for _, branch := range chain.Blocks {
			if assigns(branch, f.result) > 0 {
				all = append(all, p.facts(f, branch))
			}
		}
		return all
	}
	return []facts{p.facts(f, block)}
}

// elseChain returns the statement in which the branches of a clause with else stand, or nil.
func elseChain(block *ir.Block) *ir.BlockStmt {
	if len(block.Stmts) != 1 {
		return nil
	}
	chain, _ := block.Stmts[0].(*ir.BlockStmt)
	return chain
}

// assigns counts the assignments to a local in a block.
func assigns(block *ir.Block, local ir.Local) int {
	n := 0
	find(block, func(stmt ir.Stmt) bool {
		if once, ok := stmt.(*ir.AssignVarOnceStmt); ok && once.Target == local {
			n++
		}
		return false
	})
	return n
}

// facts is what must hold where a clause has a value: statements about its arguments, written out so that the same statement in another
// clause reads the same.
type facts struct {
	all map[string]bool
	// is are the constants that something must equal.
	is map[string]string
	// not are sets of facts of which one at least must not hold.
	not []map[string]bool
	// unclear: a statement was not understood, so there may be more.
	unclear bool
}

// exclude reports whether no branch of one clause can hold together with one of another.
func exclude(one, other []facts) bool {
	for _, x := range one {
		for _, y := range other {
			if !x.excludes(y) && !y.excludes(x) {
				return false
			}
		}
	}
	return true
}

func (x facts) excludes(y facts) bool {
	for what, constant := range x.is {
		if differs(constant, y.is[what]) {
			return true
		}
	}
	for _, all := range x.not {
		held := len(all) > 0
		for fact := range all {
			held = held && y.all[fact]
		}
		if held {
			return true
		}
	}
	return false
}

// differs reports whether two constants are not equal. Numbers may be written in several ways.
func differs(a, b string) bool {
	if a == "" || b == "" || a == b {
		return false
	}
	_, numberA := index(a)
	_, numberB := index(b)
	return a[0] != b[0] || a[0] != 'n' || numberA && numberB && a[1] != '0' && b[1] != '0'
}

// facts goes along the statements that a clause has to get through.
func (p *program) facts(f *function, block *ir.Block) facts {
	w := &factWriter{program: p, text: map[ir.Local]string{}, facts: facts{all: map[string]bool{}, is: map[string]string{}}}
	for _, param := range f.Params {
		w.text[param] = "$" + strconv.Itoa(int(param))
	}
	w.block(block)
	return w.facts
}

type factWriter struct {
	*program
	facts
	text map[ir.Local]string
	// negated: the block is one of a not.
	negated bool
}

func (w *factWriter) block(block *ir.Block) {
	for _, stmt := range block.Stmts {
		w.statement(stmt)
	}
}

func (w *factWriter) statement(stmt ir.Stmt) {
	switch stmt := stmt.(type) {
	case *ir.ScanStmt:
		delete(w.text, stmt.Key)
		delete(w.text, stmt.Value)
		w.unclear = true
		w.block(stmt.Block) // what follows stands inside the loop
	case *ir.NotStmt:
		w.negation(stmt.Block)
	case *ir.EqualStmt:
		w.equal(w.operand(stmt.A), w.operand(stmt.B))
	case *ir.NotEqualStmt:
		w.notEqual(w.operand(stmt.A), w.operand(stmt.B))
	case *ir.DotStmt:
		w.set(stmt.Target, together(w.operand(stmt.Source), "[", w.operand(stmt.Key), "]"), true)
	case *ir.CallStmt:
		parts := make([]string, 0, 2*len(stmt.Args)+2)
		parts = append(parts, stmt.Func+"(")
		for _, arg := range stmt.Args {
			parts = append(parts, w.operand(arg), ",")
		}
		w.set(stmt.Result, together(append(parts, ")")...), true)
	case *ir.AssignVarStmt:
		w.set(stmt.Target, w.operand(stmt.Source), false)
	case *ir.MakeNullStmt:
		w.set(stmt.Target, "null", false)
	case *ir.MakeNumberRefStmt:
		w.set(stmt.Target, "n"+w.plan.Static.Strings[stmt.Index].Value, false)
	case *ir.MakeNumberIntStmt:
		w.set(stmt.Target, "n"+strconv.FormatInt(stmt.Value, 10), false)
	case *ir.MakeArrayStmt:
		w.set(stmt.Target, "[", false)
	case *ir.ArrayAppendStmt:
		w.set(stmt.Array, together(w.text[stmt.Array], w.operand(stmt.Value), ","), false)
	default:
		w.other(stmt)
	}
}

// other is a statement of which nothing is written down: what it writes is not known afterwards.
func (w *factWriter) other(stmt ir.Stmt) {
	switch stmt := stmt.(type) {
	case *ir.ResetLocalStmt, *ir.NopStmt, *ir.AssignVarOnceStmt:
		return
	case *ir.IsDefinedStmt:
		if isConstant(w.text[stmt.Source]) {
			return
		}
	case *ir.IsUndefinedStmt:
	}
	w.unclear = true
	w.forget(stmt)
}

func (w *factWriter) forget(stmt ir.Stmt) {
	var f flow
	if f.of(stmt) == nil {
		for _, local := range f.writes {
			delete(w.text, local)
		}
	}
	if added, ok := stmt.(*ir.ArrayAppendStmt); ok {
		delete(w.text, added.Array)
	}
	_ = eachBlock(stmt, func(block *ir.Block) error {
		for _, inner := range block.Stmts {
			w.forget(inner)
		}
		return nil
	})
}

// negation notes what does not hold, if all of it is understood.
func (w *factWriter) negation(block *ir.Block) {
	if w.negated {
		w.unclear = true
		return
	}
	inner := &factWriter{program: w.program, text: maps.Clone(w.text), negated: true, facts: facts{all: map[string]bool{}, is: map[string]string{}}}
	inner.block(block)
	if !inner.unclear {
		w.not = append(w.not, inner.all)
	}
}

func (w *factWriter) set(local ir.Local, text string, mayBeUndefined bool) {
	if text == "" {
		delete(w.text, local)
		w.unclear = true
		return
	}
	w.text[local] = text
	if mayBeUndefined {
		w.all["defined "+text] = true
	}
}

// equal notes an equality, with the constant last.
func (w *factWriter) equal(a, b string) {
	if a == "" || b == "" {
		w.unclear = true
		return
	}
	if isConstant(a) {
		a, b = b, a
	}
	w.all[a+" == "+b] = true
	if isConstant(b) {
		w.is[a] = b
	}
}

func (w *factWriter) notEqual(a, b string) {
	if a == "" || b == "" {
		w.unclear = true
		return
	}
	if isConstant(a) {
		a, b = b, a
	}
	fact := a + " != " + b
	w.all[fact] = true
	w.not = append(w.not, map[string]bool{a + " == " + b: true})
	for _, name := range []string{"array", "boolean", "null", "number", "object", "set", "string"} {
		if of, ok := strings.CutPrefix(a, "is_"+name+"("); ok && b == "bfalse" {
			w.is["type_name("+of] = "s" + strconv.Quote(name)
		}
	}
}

func (w *factWriter) operand(o ir.Operand) string {
	switch v := o.Value.(type) {
	case ir.Local:
		return w.text[v]
	case ir.StringIndex:
		return "s" + strconv.Quote(w.plan.Static.Strings[v].Value)
	case ir.Bool:
		return "b" + strconv.FormatBool(bool(v))
	}
	return ""
}

// isConstant tells s"text", n1, btrue and null from calls, arguments and lookups.
func isConstant(text string) bool {
	switch {
	case text == "null" || text == "btrue" || text == "bfalse":
		return true
	case strings.HasPrefix(text, `s"`):
		_, err := strconv.Unquote(text[1:])
		return err == nil
	case len(text) > 1 && text[0] == 'n':
		_, err := strconv.ParseFloat(text[1:], 64)
		return err == nil
	}
	return false
}

// together writes parts, or nothing where one of them is not known.
func together(parts ...string) string {
	if slices.Contains(parts, "") {
		return ""
	}
	return strings.Join(parts, "")
}
