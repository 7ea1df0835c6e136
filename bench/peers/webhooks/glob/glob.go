// Package glob has the names that OPA and Kyverno want of github.com/gobwas/glob. OPA is written for version 1 of it and Kyverno for
// version 0, the two have one path, and neither builds with the other's. No policy here matches a glob, so that nothing is missed: one that
// did would get an error.
package glob

import "errors"

// Glob is what Kyverno takes a compiled glob for.
type Glob interface{ Match(text string) bool }

// Pattern is what OPA takes one for. There is none.
type Pattern struct{}

// Match is false.
func (*Pattern) Match(string) bool { return false }

// Compile refuses every glob.
func Compile(pattern string, _ ...rune) (*Pattern, error) {
	return nil, errors.New("there are no globs in this comparison, so not " + pattern)
}

// QuoteMeta returns text as it is.
func QuoteMeta(text string) string { return text }
