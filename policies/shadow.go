package policies

import (
	"slices"
	"strings"
	"sync/atomic"
)

// shadow holds what policies decide on the part of a request that they read against what they decide on all of it: for one of many
// reviews, and for as long as both are the same. What is read is worked out from the policies, and an error there would be one that no
// test has found; a verdict must not depend on that.
type shadow struct {
	every  uint64 // 0 for never
	report func(policies []string)
	count  atomic.Uint64
	off    atomic.Bool // nothing is left out of requests any more
}

// Shadow judges one of every so many reviews on the whole request too; 0 is none. Where that gives another decision it is the one that
// counts, all later reviews are judged on the whole request, and report is called with the ids of the policies that decided otherwise:
// by concurrent reviews, so at times more than once. It may be nil.
func Shadow(every uint64, report func(policies []string)) Option {
	return func(l *loader) { l.shadow = &shadow{every: every, report: report} }
}

// due is true for the reviews that are to be judged twice.
func (s *shadow) due() bool { return s.every > 0 && s.count.Add(1)%s.every == 0 }

func (s *shadow) caught(policies []string) {
	s.off.Store(true)
	if s.report != nil {
		s.report(policies)
	}
}

// differs returns the ids of the policies that decided one thing in e and another in whole. What time or memory decided does not count, nor
// in which words a policy could not decide.
func (e *evaluation) differs(whole *evaluation) []string {
	var ids []string
	for i := range e.questions {
		a, b := &e.questions[i], &whole.questions[i]
		if a.exhausted() || b.exhausted() {
			continue
		}
		if a.state != b.state || !slices.Equal(a.found, b.found) {
			ids = append(ids, e.plan.policies[i].ID)
		}
	}
	return ids
}

// exhausted reports whether the policy could not decide because of what the machine was doing.
func (q *question) exhausted() bool {
	return q.state == undecided && slices.ContainsFunc([]string{reasonDeadline, reasonMemory, reasonAside}, func(reason string) bool {
		return strings.HasPrefix(q.reason, reason)
	})
}
