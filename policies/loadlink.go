package policies

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"
)

// shareLimit is how long all policies together may take to compile. A thousand take about a second.
const shareLimit = compileLimit / 2

// link compiles the candidates that are new: those that may be together in one unit.
func (l *loader) link(ctx context.Context) {
	var together []*candidate
	for _, c := range l.candidates {
		switch {
		case c.policy == nil:
		case c.policy.shared == nil:
			l.alone(ctx, c)
		case c.policy.unit == nil || c.policy.unit.shared:
			together = append(together, c)
		}
	}
	together = toCompile(together)
	for len(together) > 0 {
		together = l.together(ctx, together)
	}
}

// toCompile returns the candidates that a new unit is made for. What most of them were compiled in is kept where it holds three quarters of them,
// so that a change of one policy among a thousand is compiled in a moment; what has changed is a second unit then, and each review
// asks both. There are never more than these two.
func toCompile(all []*candidate) []*candidate {
	var (
		count = map[*unit]int{}
		most  *unit
	)
	for _, c := range all {
		if u := c.policy.unit; u != nil {
			if count[u]++; count[u] > count[most] {
				most = u
			}
		}
	}
	if count[most]*4 < len(all)*3 {
		return all
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(c *candidate) bool { return c.policy.unit == most })
	if len(rest) > 0 && rest[0].policy.unit != nil && !slices.ContainsFunc(rest, func(c *candidate) bool { return c.policy.unit != rest[0].policy.unit }) {
		return nil
	}
	return rest
}

// together compiles candidates in one unit. Where that fails, those that are to blame are compiled alone, which says what is wrong with
// them in the words that their author knows, and the others are returned.
func (l *loader) together(ctx context.Context, candidates []*candidate) (again []*candidate) {
	definitions := make([]*definition, 0, len(candidates))
	for _, c := range candidates {
		definitions = append(definitions, c.policy.definition)
	}
	built, reason := guarded(ctx, shareLimit, func() build { return l.compiler.build(definitions, true) })
	if built.err == nil && reason == "" {
		for i, c := range candidates {
			c.set(built, i)
		}
		return nil
	}
	suspects := map[*definition]bool{}
	if reason == "" {
		suspects = guilty(definitions, built.err)
	}
	nobody := len(suspects) == 0
	for i, c := range candidates {
		d := definitions[i]
		if !nobody && !suspects[d] {
			again = append(again, c)
			continue
		}
		if l.alone(ctx, c); nobody && c.policy != nil {
			again = append(again, c)
		}
	}
	if nobody && len(again) == len(candidates) {
		return nil // each for itself
	}
	return again
}

// alone compiles a candidate in a unit of its own, where it has none.
func (l *loader) alone(ctx context.Context, c *candidate) {
	if u := c.policy.unit; u != nil && !u.shared {
		return
	}
	d := c.policy.definition
	built, reason := guarded(ctx, compileLimit, func() build { return l.compiler.build([]*definition{d}, false) })
	switch {
	case reason != "":
		c.fail(Problem{Policy: c.id, File: path.Join(c.policy.Source, c.id), Reason: reason})
	case built.err != nil:
		c.fail(l.compiler.regoProblems(c.id, d.modules[0].Package.Location.File, built.err)...)
	default:
		c.set(built, 0)
	}
}

// set gives a candidate its program.
func (c *candidate) set(built build, i int) {
	p := built.programs[i]
	if p == nil {
		c.fail(built.problems[i]...)
		return
	}
	c.policy.program, c.policy.ReadsNamespace = p, p.readsNamespace
}

// guarded runs a part of the compiler that may crash, or take for ever over a few lines that somebody wrote to that end. A reason other than
// "" says why there is no result.
func guarded[T any](ctx context.Context, limit time.Duration, f func() T) (result T, reason string) {
	type outcome struct {
		result T
		reason string
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() {
			if fault := recover(); fault != nil {
				done <- outcome{reason: "the compiler crashed"}
			}
		}()
		done <- outcome{result: f()}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.result, o.reason
	case <-timer.C:
		return result, fmt.Sprintf("takes longer than %s to compile", limit)
	case <-ctx.Done():
		return result, "was not compiled: the load was given up"
	}
}
