package demand

import (
	"errors"
	"slices"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ir"
)

const (
	maxContexts = 4000
	maxPasses   = 50
)

var (
	errContexts = errors.New("too many calls differ")
	errPasses   = errors.New("it takes too many passes")
)

// analysis is what some entry points read, while it is found out.
type analysis struct {
	*values
	*program
	off      map[rule]bool
	places   int
	allocs   int
	changed  bool
	pass     int
	contexts map[contextKey]*call
	free     [][]slot
}

type contextKey struct {
	f    *function
	args string
}

// call is a function with certain arguments.
type call struct {
	f      *function
	args   []*value
	pass   int // the pass in which it was done last
	result *value
	// shared are the locals that keep what they had, by block.
	shared map[sharedKey]*value
	made   map[ir.Stmt]*alloc
}

type sharedKey struct {
	block int
	local ir.Local
}

// reads analyses some functions as entry points and returns what they read of the input.
func (p *program) reads(entries []*function, off map[rule]bool) (*Node, error) {
	a := &analysis{values: newValues(), program: p, off: off, contexts: map[contextKey]*call{}}
	root := a.newPlace()
	for a.pass = 1; ; a.pass++ {
		a.changed = false
		for _, f := range entries {
			args := make([]*value, len(f.Params))
			for i := range args {
				args[i] = a.other
			}
			args[ir.Input] = a.place(root)
			result, err := a.call(f, args)
			if err != nil {
				return nil, err
			}
			if !off[ruleResult] {
				a.whole(result, p.reason(f.location(), "the result holds it"))
			}
		}
		if !a.changed || off[ruleFixpoint] {
			return root.node(), nil
		}
		if a.pass == maxPasses {
			return nil, errPasses
		}
	}
}

// location of a function is that of its first statement.
func (f *function) location() *ir.Location {
	for _, block := range f.Blocks {
		for _, stmt := range block.Stmts {
			if at := stmt.GetLocation(); at.Row > 0 {
				return at
			}
		}
	}
	return &ir.Location{}
}

func (p *program) reason(at *ir.Location, what string) reason {
	r := reason{row: at.Row, what: what}
	if at.File >= 0 && at.File < len(p.plan.Static.Files) {
		r.file = p.plan.Static.Files[at.File].Value
	}
	return r
}

// call returns what a function may give.
func (a *analysis) call(f *function, args []*value) (*value, error) {
	key := make([]byte, 0, 8*len(args))
	for _, arg := range args {
		key = strconv.AppendInt(append(key, ' '), int64(arg.id), 36)
	}
	c := a.contexts[contextKey{f, string(key)}]
	if c == nil {
		if len(a.contexts) == maxContexts {
			return nil, errContexts
		}
		c = &call{f: f, args: args, result: a.none}
		a.contexts[contextKey{f, string(key)}] = c
		a.changed = true
	}
	if c.pass == a.pass {
		return c.result, nil
	}
	c.pass = a.pass
	run := &frame{analysis: a, call: c, slots: a.slots(f.locals)}
	for i, param := range f.Params {
		run.slots[param].is = args[i]
	}
	for i, block := range f.Blocks {
		run.block = i
		if err := run.do(block); err != nil {
			return nil, err
		}
		run.undo(0)
		clear(run.slots[f.result+1:]) // the next block begins to count its locals again
		run.writes = run.writes[:0]
	}
	a.free = append(a.free, run.slots)
	return c.result, nil
}

// slots returns what n locals need.
func (a *analysis) slots(n int) []slot {
	if last := len(a.free) - 1; last >= 0 {
		slots := a.free[last]
		a.free = a.free[:last]
		if cap(slots) >= n {
			slots = slots[:n]
			clear(slots)
			return slots
		}
	}
	return make([]slot, n, max(n, 64))
}

// frame is a call while its statements are gone through.
type frame struct {
	*analysis
	call   *call
	block  int
	slots  []slot
	writes []written
	known  []known
	scans  []scan
	nots   int
}

// slot is what is known of a local.
type slot struct {
	is *value
	// narrow is what it can only be after the tests that stand before, in this block.
	narrow *value
	// test: it is the result of a function that says something of another local.
	test test
	// from is the local that it was assigned from, where that is not assigned anew since then.
	from copied
	// writes counts how often it was assigned.
	writes int
}

type copied struct {
	ok     bool
	local  ir.Local
	writes int
}

// known is what narrow was before it was changed.
type known struct {
	local  ir.Local
	before *value
}

// test is the result of a function: where it is not false, the local is as said.
type test struct {
	local ir.Local
	is    *value
}

// written is a private local that a block wrote.
type written struct {
	local      ir.Local
	before, is *value
}

// scan is an open loop.
type scan struct {
	stmt *ir.ScanStmt
	// sets are the policy's own sets that it goes over.
	sets []*alloc
}

// get is the value of a local.
func (f *frame) get(local ir.Local) *value {
	slot := &f.slots[local]
	if slot.narrow != nil {
		return slot.narrow
	}
	v := slot.is
	if f.isShared(local) {
		v = f.join(v, f.call.shared[f.sharedKey(local)])
	}
	if v == nil {
		return f.none
	}
	return v
}

func (f *frame) isShared(local ir.Local) bool { return f.call.f.shared[f.block].has(local) }

// sharedKey: parameters and results are those of the whole function.
func (f *frame) sharedKey(local ir.Local) sharedKey {
	if local <= f.call.f.result {
		return sharedKey{-1, local}
	}
	return sharedKey{f.block, local}
}

func (f *frame) operand(o ir.Operand) *value {
	switch v := o.Value.(type) {
	case ir.Local:
		return f.get(v)
	case ir.StringIndex:
		return f.text(f.plan.Static.Strings[v].Value)
	}
	return f.some
}

// assign writes a local.
func (f *frame) assign(local ir.Local, v *value) {
	slot := &f.slots[local]
	f.forget(local)
	if !f.isShared(local) {
		f.writes = append(f.writes, written{local, slot.is, v})
		slot.is = v
		return
	}
	key := f.sharedKey(local)
	before := f.call.shared[key]
	if joined := f.join(before, v); joined != before {
		if f.call.shared == nil {
			f.call.shared = map[sharedKey]*value{}
		}
		f.call.shared[key], f.changed = joined, true
	}
}

// forget drops what tests have said of a local, and what it says of others.
func (f *frame) forget(local ir.Local) {
	slot := &f.slots[local]
	slot.from, slot.test = copied{}, test{}
	slot.writes++
	f.narrow(local, nil)
}

func (f *frame) narrow(local ir.Local, is *value) {
	if slot := &f.slots[local]; slot.narrow != is {
		f.known = append(f.known, known{local, slot.narrow})
		slot.narrow = is
	}
}

// undo takes back what was narrowed since.
func (f *frame) undo(mark int) {
	for i := len(f.known) - 1; i >= mark; i-- {
		f.slots[f.known[i].local].narrow = f.known[i].before
	}
	f.known = f.known[:mark]
}

// inner goes through a block that may end at any of its statements: what it wrote may have been written, or not.
func (f *frame) inner(b *ir.Block) error {
	mark, known := len(f.writes), len(f.known)
	if err := f.do(b); err != nil {
		return err
	}
	f.undo(known)
	kept := f.writes[:mark]
	for _, w := range f.writes[mark:] {
		f.forget(w.local)
		at := -1
		for i := mark; i < len(kept); i++ {
			if kept[i].local == w.local {
				at = i
			}
		}
		if at < 0 {
			kept = append(kept, w)
		} else {
			kept[at].is = f.join(kept[at].is, w.is)
		}
	}
	for i := mark; i < len(kept); i++ {
		w := &kept[i]
		w.is = f.join(w.before, w.is)
		f.slots[w.local].is = w.is
	}
	f.writes = kept
	return nil
}

func (f *frame) do(b *ir.Block) error {
	for _, stmt := range b.Stmts {
		if err := f.statement(stmt); err != nil {
			return err
		}
	}
	return nil
}

// make returns the allocation of a statement.
func (f *frame) make(stmt ir.Stmt, kind kind) *alloc {
	made := f.call.made[stmt]
	if made == nil {
		f.allocs++
		made = &alloc{id: f.allocs, kind: kind}
		if f.call.made == nil {
			f.call.made = map[ir.Stmt]*alloc{}
		}
		f.call.made[stmt] = made
		f.changed = true
	}
	made.scans, made.next = len(f.scans), 0
	return made
}

func (f *frame) why(stmt ir.Stmt, what string) reason { return f.reason(stmt.GetLocation(), what) }

// origin is the local that another was assigned from.
func (f *frame) origin(local ir.Local) ir.Local {
	for {
		from := f.slots[local].from
		if !from.ok || f.slots[from.local].writes != from.writes {
			return local
		}
		local = from.local
	}
}

// know notes what a local can only be from here to the end of the block. Of those that are shared only the parameters stay what they are:
// others may be something else in the next turn of a loop.
func (f *frame) know(local ir.Local, is *value) {
	for _, one := range []ir.Local{local, f.origin(local)} {
		if !f.isShared(one) || slices.Contains(f.call.f.Params, one) {
			f.narrow(one, is)
		}
	}
}
