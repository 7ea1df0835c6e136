package demand

import "github.com/open-policy-agent/opa/v1/ir"

// overlap reports whether two clauses of a function may hold at once, so that their values would have to be compared.
func (p *program) overlap(f *function) bool {
	clauses := 0
	for i, block := range f.Blocks {
		if f.once[i][f.Return] > 0 && !isDefault(f, block) {
			clauses++
		}
	}
	return clauses > 1
}

// isDefault reports whether a block is that of a default rule: it only counts where no other has a value.
func isDefault(f *function, block *ir.Block) bool {
	undefined, ok := block.Stmts[0].(*ir.IsUndefinedStmt)
	return ok && undefined.Source == f.Return
}
