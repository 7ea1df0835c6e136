package demand

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/types"
)

// special are the functions that read less, or give back more, than their declaration says. All others are judged by the types that they
// declare: what is declared as a scalar is read as one, a list of scalars by its elements, anything else whole; and what they give back
// holds nothing of the input but what was read whole.
var special = map[string]func(*frame, *ir.CallStmt, []*value) *value{ //nolint:gochecknoglobals // a table
	"equal": comparison, "neq": comparison, "lt": comparison, "lte": comparison, "gt": comparison, "gte": comparison,
	"internal.member_2": member, "internal.member_3": memberAt,
	"is_array": shape, "is_boolean": shape, "is_null": shape, "is_number": shape, "is_object": shape, "is_set": shape, "is_string": shape,
	"type_name": shape, "semver.is_valid": shape,
	"count":      count,
	"object.get": objectGet, "object.keys": objectKeys, "object.union": objectUnion,
	"array.concat": anew, "array.slice": anew, "array.reverse": anew,
	"or": union,
}

func (f *frame) builtin(stmt *ir.CallStmt, args []*value) (*value, error) {
	declared := f.builtins[stmt.Func]
	if declared == nil || declared.Decl == nil {
		return nil, fmt.Errorf("function %s is not known", stmt.Func)
	}
	if how := special[stmt.Func]; how != nil {
		return how(f, stmt, args), nil
	}
	types := declared.Decl.FuncArgs()
	for i, arg := range args {
		if f.off[ruleBuiltin] {
			continue
		}
		if i < len(types.Args) {
			f.demand(arg, types.Args[i], f.why(stmt, stmt.Func))
		} else {
			f.whole(arg, f.why(stmt, stmt.Func))
		}
	}
	return f.given(declared.Decl.Result()), nil
}

// demand asks for what a function reads of an argument of a declared type.
func (f *frame) demand(v *value, t types.Type, why reason) {
	switch t := unwrap(t).(type) {
	case types.Null, types.Boolean, types.Number, types.String:
		f.plain(v)
	case *types.Array:
		f.elements(v, t, array, why)
	case *types.Set:
		f.elements(v, t, set, why)
	case types.Any:
		if len(t) == 0 {
			f.whole(v, why)
		}
		for _, one := range t {
			f.demand(v, one, why)
		}
	default:
		f.whole(v, why)
	}
}

// plain asks for a scalar. OPA's index of rules looks for texts in collections too, and where it finds none of them the rule, with the
// error that the wrong type would be, is not evaluated.
func (f *frame) plain(v *value) {
	if f.off[ruleScalar] {
		return
	}
	for _, p := range v.places {
		if !p.all && p.elem == nil {
			f.each(p)
			p.plain = true
		}
	}
	for _, made := range v.allocs {
		if made.kind == overlay {
			f.plain(made.base)
		}
	}
}

// elements asks for the elements of an argument that is declared as an array or a set.
func (f *frame) elements(v *value, t types.Type, kind kind, why reason) {
	element := f.none
	for _, p := range v.places {
		if kind == set { // which no JSON is: the error is the same whatever stands there
			continue
		}
		element = f.join(element, f.place(f.each(p)))
	}
	for _, made := range v.allocs {
		switch {
		case made.kind == set && kind == set && !scalars(t): // what differs must go on differing
			f.whole(f.parts(made), why)
		case made.kind == overlay:
			f.elements(made.base, t, kind, why)
		}
		element = f.join(element, f.parts(made))
	}
	switch t := t.(type) {
	case *types.Array:
		for i := range t.Len() {
			f.demand(element, t.Select(i), why)
		}
		if t.Dynamic() != nil {
			f.demand(element, t.Dynamic(), why)
		}
	case *types.Set:
		f.demand(element, t.Of(), why)
	}
}

// scalars reports whether a type is one of sets of scalars.
func scalars(t types.Type) bool {
	set, ok := t.(*types.Set)
	if !ok {
		return false
	}
	switch unwrap(set.Of()).(type) {
	case types.Null, types.Boolean, types.Number, types.String:
		return true
	}
	return false
}

// given is what a function of a declared result gives back.
func (f *frame) given(t types.Type) *value {
	switch t := unwrap(t).(type) {
	case nil, types.Null, types.Boolean, types.Number, types.String:
		return f.some
	case types.Any:
		for _, one := range t {
			if f.given(one) != f.some {
				return f.other
			}
		}
		if len(t) > 0 {
			return f.some
		}
	}
	return f.other
}

func comparison(f *frame, stmt *ir.CallStmt, args []*value) *value {
	f.compare(args[0], args[1], f.why(stmt, "compares it as a whole"))
	return f.some
}

func member(f *frame, stmt *ir.CallStmt, args []*value) *value {
	_, items := f.scanned(args[1])
	f.compare(args[0], items, f.why(stmt, "compares it as a whole: in"))
	return f.some
}

func memberAt(f *frame, stmt *ir.CallStmt, args []*value) *value {
	keys, items := f.scanned(args[2])
	f.compare(args[0], keys, f.why(stmt, "compares it as a whole: in"))
	f.compare(args[1], items, f.why(stmt, "compares it as a whole: in"))
	return f.some
}

func shape(f *frame, _ *ir.CallStmt, _ []*value) *value { return f.some }

func count(f *frame, stmt *ir.CallStmt, args []*value) *value {
	f.length(args[0], f.why(stmt, "counts a set that holds it"))
	return f.some
}

// objectUnion has the members of both objects, and those that both have where they are objects too, of both again.
func objectUnion(f *frame, stmt *ir.CallStmt, args []*value) *value {
	v := f.join(args[0], args[1])
	f.length(v, f.why(stmt, stmt.Func))
	return v
}

// anew is a function whose result is an array of the elements of its arguments, in some order.
func anew(f *frame, stmt *ir.CallStmt, args []*value) *value {
	made := f.make(stmt, array)
	for _, arg := range args {
		if !arg.composite() {
			continue
		}
		f.length(arg, f.why(stmt, stmt.Func))
		f.plain(arg) // where a number is wanted
		_, items := f.scanned(arg)
		f.put(made, &made.rest, items)
	}
	return f.alloc(made)
}

func union(f *frame, _ *ir.CallStmt, args []*value) *value { return f.join(args[0], args[1]) }

func objectKeys(f *frame, _ *ir.CallStmt, args []*value) *value {
	f.scanned(args[0])
	return f.other // the keys of an object that the policy builds are read whole already
}

// objectGet follows a key, or an array of them.
func objectGet(f *frame, stmt *ir.CallStmt, args []*value) *value {
	source, key, or := args[0], args[1], args[2]
	why := f.why(stmt, "object.get by a path that is not constant")
	if len(key.places) > 0 || key.foreign {
		f.whole(source, why)
		f.whole(key, why)
		return f.join(f.join(source, f.other), or)
	}
	found := or
	if scalar := f.intern(value{consts: key.consts, scalar: key.scalar}); !scalar.empty() {
		found = f.join(found, f.dot(source, scalar, why))
	}
	for _, made := range key.allocs {
		if made.kind != array {
			f.whole(source, why)
			f.whole(key, why)
			found = f.join(found, source)
			continue
		}
		step := source
		if made.rest != nil && !made.rest.empty() || len(made.items) == 0 { // of any length, or not filled yet
			f.whole(source, why)
			f.whole(key, why)
			found = f.join(found, source)
			continue
		}
		for _, item := range made.items {
			if item.composite() {
				f.whole(item, why)
			}
			step = f.dot(step, item, why)
		}
		found = f.join(found, step)
	}
	return found
}

func unwrap(t types.Type) types.Type {
	if named, ok := t.(*types.NamedType); ok {
		return unwrap(named.Type)
	}
	return t
}
