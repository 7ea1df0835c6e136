package cases

import "github.com/gesso-dev/gesso/bench/fixtures"

// Main are the cases that the figures of docs/benchmarks.md and the budgets are about.
func Main() []Case {
	return []Case{
		{Name: "nothing to do", Setup: Nothing(), Entry: "open", Fixture: fixtures.Pod},
		{Name: "10 policies", Setup: Ten(), Entry: "open", Fixture: fixtures.Pod},
		{Name: "5 defaults", Setup: Defaults(), Entry: "defaults", Fixture: fixtures.Minimal},
		{Name: "50 installed", Setup: Ladder(50), Entry: "open", Fixture: fixtures.Pod},
		{Name: "1000 installed", Setup: Ladder(1000), Entry: "open", Fixture: fixtures.Pod},
	}
}
