package demand

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// project is the projection in its plainest form: what a folded node keeps of a value. All that judges by a Node must agree with it.
func project(v ast.Value, n *Node) ast.Value {
	if n.All {
		return v
	}
	switch v := v.(type) {
	case ast.Object:
		var kept [][2]*ast.Term
		v.Foreach(func(key, item *ast.Term) {
			name, _ := key.Value.(ast.String)
			want := n.Kids[string(name)]
			if want == nil {
				want = n.Elem
			}
			if want != nil {
				kept = append(kept, ast.Item(key, ast.NewTerm(project(item.Value, want))))
			}
		})
		return ast.NewObject(kept...)
	case *ast.Array:
		if n.Elem == nil {
			return ast.NewArray()
		}
		var kept []*ast.Term
		v.Foreach(func(item *ast.Term) { kept = append(kept, ast.NewTerm(project(item.Value, n.Elem))) })
		return ast.NewArray(kept...)
	}
	return v
}

// generator makes inputs: what a node asks for, and what misleads.
type generator struct {
	*rand.Rand
	words []string // what the policy compares with
	pool  []ast.Value
}

// input is an object with what the node asks for in it.
func (g *generator) input(n *Node) ast.Value {
	g.pool = g.pool[:0]
	return g.object(n, 0)
}

func (g *generator) object(n *Node, depth int) ast.Value {
	var items [][2]*ast.Term
	names := sortedKeys(n.Kids)
	for _, name := range names {
		if g.IntN(8) > 0 {
			items = append(items, g.item(name, g.value(n.Kids[name], depth+1)))
		}
	}
	if n.Elem != nil {
		for range g.IntN(4) {
			items = append(items, g.item(g.word(), g.value(n.Elem, depth+1)))
		}
	}
	if g.IntN(3) == 0 {
		items = append(items, g.item("zz", g.anything(depth+1)))
	}
	return ast.NewObject(unique(items)...)
}

func (*generator) item(name string, v ast.Value) [2]*ast.Term {
	return ast.Item(ast.StringTerm(name), ast.NewTerm(v))
}

// unique drops members whose key was there before: an object with two of a kind is none.
func unique(items [][2]*ast.Term) [][2]*ast.Term {
	seen := map[string]bool{}
	return slices.DeleteFunc(items, func(item [2]*ast.Term) bool {
		name := item[0].String()
		defer func() { seen[name] = true }()
		return seen[name]
	})
}

func sortedKeys(kids map[string]*Node) []string {
	var names []string
	for name := range kids {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// value is what a node asks for, mostly.
func (g *generator) value(n *Node, depth int) ast.Value {
	if len(g.pool) > 0 && g.IntN(6) == 0 { // what stands elsewhere too
		return g.pool[g.IntN(len(g.pool))]
	}
	v := g.fresh(n, depth)
	if depth < 4 {
		g.pool = append(g.pool, v)
	}
	return v
}

func (g *generator) fresh(n *Node, depth int) ast.Value {
	switch {
	case depth > 9 || n.All || g.IntN(12) == 0:
		return g.anything(depth)
	case len(n.Kids) > 0 && (n.Elem == nil || g.IntN(2) == 0):
		return g.object(n, depth)
	case n.Elem != nil && !n.Plain && g.IntN(8) > 0:
		return g.list(n, depth)
	case n.Elem != nil && !n.Plain:
		return g.object(n, depth)
	case g.IntN(5) == 0: // only the type of it is read
		return g.anything(depth)
	}
	return g.scalar()
}

// list has elements that differ in nothing, or only in what is not read.
func (g *generator) list(n *Node, depth int) ast.Value {
	var items []*ast.Term
	for range g.IntN(4) {
		item := g.value(n.Elem, depth+1)
		items = append(items, ast.NewTerm(item))
		if g.IntN(3) == 0 {
			if object, ok := item.(ast.Object); ok {
				changed := [][2]*ast.Term{g.item("zz", g.scalar())}
				object.Foreach(func(key, kept *ast.Term) {
					if key.Value.Compare(ast.String("zz")) != 0 {
						changed = append(changed, ast.Item(key, kept))
					}
				})
				item = ast.NewObject(changed...)
			}
			items = append(items, ast.NewTerm(item))
		}
	}
	g.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return ast.NewArray(items...)
}

func (g *generator) word() string {
	if len(g.words) > 0 && g.IntN(3) > 0 {
		return g.words[g.IntN(len(g.words))]
	}
	return []string{"a", "b", "c", "d", "name", "kind", "list", "n", ""}[g.IntN(9)]
}

func (g *generator) scalar() ast.Value {
	switch g.IntN(8) {
	case 0:
		return ast.Null{}
	case 1:
		return ast.Boolean(g.IntN(2) == 0)
	case 2:
		return ast.Number(fmt.Sprint(g.IntN(4) - 1))
	}
	return ast.String(g.word())
}

// anything is a value that nobody asked for.
func (g *generator) anything(depth int) ast.Value {
	if depth > 6 {
		return g.scalar()
	}
	switch g.IntN(6) {
	case 0, 1:
		var items [][2]*ast.Term
		for range g.IntN(4) {
			items = append(items, g.item(g.word(), g.anything(depth+2)))
		}
		return ast.NewObject(unique(items)...)
	case 2:
		var items []*ast.Term
		for range g.IntN(3) {
			items = append(items, ast.NewTerm(g.anything(depth+2)))
		}
		return ast.NewArray(items...)
	}
	return g.scalar()
}

// mutate changes a few places of a value.
func (g *generator) mutate(v ast.Value, depth int) ast.Value {
	if g.IntN(12) == 0 {
		return g.anything(depth)
	}
	switch v := v.(type) {
	case ast.Object:
		var items [][2]*ast.Term
		v.Foreach(func(key, item *ast.Term) {
			if g.IntN(20) > 0 {
				items = append(items, ast.Item(key, ast.NewTerm(g.mutate(item.Value, depth+1))))
			}
		})
		return ast.NewObject(items...)
	case *ast.Array:
		var items []*ast.Term
		v.Foreach(func(item *ast.Term) {
			for range 1 + g.IntN(5)/4 {
				items = append(items, ast.NewTerm(g.mutate(item.Value, depth+1)))
			}
		})
		if g.IntN(4) == 0 {
			g.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		}
		return ast.NewArray(items...)
	}
	return v
}
