package update

// rows is the table.
func rows() []row {
	var all []row
	for _, part := range [][]row{quietRows()} {
		all = append(all, part...)
	}
	return all
}

// quietRows are what nobody calls a deploy.
func quietRows() []row {
	a := app("shop:a")
	return []row{
		{name: "apply unchanged", steps: []step{
			{on: v1, do: apply(a), says: "created"},
			{on: v2, do: apply(a), says: "unchanged", uncalled: true},
			{on: v3, do: apply(a), says: "unchanged", uncalled: true},
		}},
		{name: "annotate and label", steps: []step{
			{on: v1, do: apply(a)},
			{on: v2, do: annotate("team=a"), says: "annotated", generation: deploymentOnly},
			{on: v3, do: label("team=a"), says: "labeled"},
			{on: v2, do: annotate("team-"), says: "annotated", generation: deploymentOnly},
		}},
		{name: "replace the minimal manifest", steps: []step{
			{on: v1, do: apply(a)},
			{on: v2, do: replace(a), says: "replaced", generation: deploymentOnly}, // last-applied goes
			{on: v3, do: replace(a), says: "replaced"},
		}},
	}
}
