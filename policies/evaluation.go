package policies

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/gesso-dev/gesso/policies/demand"
)

// chunkRules is how many verdict rules are in one query. Each further rule of a query is evaluated deeper in the stack than the one before,
// and variables beyond sixteen cost more each; queries of one review share what the rules have in common.
const chunkRules = 16

// plan is what the reviews of one target need, worked out once: which policies are asked, and with which queries. What those policies
// read of a request, merged, belongs here too: it changes when and only when the queries do.
type plan struct {
	policies []*compiled // by id
	chunks   []chunk
	health   health // of asking together
	// need is what is parsed of a request; nil, for as long as that has not been worked out, stands for all of it.
	need        atomic.Pointer[need]
	once        sync.Once
	group, kind string
}

// chunk is a query for some policies of one unit.
type chunk struct {
	unit    *unit
	members []int // of plan.policies
	body    ast.Body
}

func newPlan(group, kind string, list []*compiled) *plan {
	p := &plan{policies: list, group: group, kind: kind}
	last := map[*unit]int{} // the chunk that may take more
	for i, policy := range list {
		u := policy.unit
		if !u.shared {
			continue
		}
		at, known := last[u]
		if !known || len(p.chunks[at].body)+len(policy.verdicts) > chunkRules {
			at = len(p.chunks)
			p.chunks = append(p.chunks, chunk{unit: u})
			last[u] = at
		}
		c := &p.chunks[at]
		c.members = append(c.members, i)
		c.body = append(c.body, policy.body...)
	}
	return p
}

// analyse works out what is parsed of a request. It takes far longer than a review may.
func (p *plan) analyse() {
	p.once.Do(func() {
		all := &demand.Node{}
		for _, policy := range p.policies {
			reads := policy.reads()
			if reads == nil || reads.All {
				return
			}
			all.Add(reads)
		}
		p.need.Store(newNeed(p.group, p.kind, all))
	})
}

// evaluation is one review being judged.
type evaluation struct {
	set       *Set
	plan      *plan
	view      *view
	questions []question // one for each policy of the plan
	shared    *ast.Term  // the input of all policies that are compiled together
	held      bool       // an evaluation has been left behind
}

// question is what one policy is asked, and what comes of it.
type question struct {
	action    Action    // the one in force
	inventory *ast.Term // nil for a policy that declares none
	state     state
	found     []Violation
	reason    string // why it could not decide
}

type state uint8

const (
	open      state = iota // still to be asked
	unasked                // not in force here
	decided                // found holds what it found
	undecided              // reason says why
)

func (q *question) settle(found []Violation, reason string) {
	q.found, q.reason, q.state = found, reason, decided
	if reason != "" {
		q.found, q.state = nil, undecided
	}
}

// newEvaluation settles what needs no evaluation: policies that are off here, and those that lack something. err is why nothing can be
// evaluated.
func newEvaluation(s *Set, plan *plan, r Review, v *view, err error) *evaluation {
	e := &evaluation{set: s, plan: plan, view: v, questions: make([]question, len(plan.policies))}
	for i, p := range plan.policies {
		q := &e.questions[i]
		action, known := r.action(p, v)
		if q.action = action; action == Off {
			q.state = unasked
			continue
		}
		inventory, missing := r.Inventory.read(p.inventory)
		switch {
		case err != nil:
			q.settle(nil, err.Error())
		case !known, p.ReadsNamespace && r.Namespaced && r.Namespace == nil:
			q.settle(nil, "the Namespace "+v.namespaceName()+"is not known yet")
		case missing != "":
			q.settle(nil, "the inventory of "+missing+" has not been read yet")
		default:
			q.inventory = inventory
		}
	}
	return e
}

// sharedInput is what all policies that are compiled together get.
func (e *evaluation) sharedInput() *ast.Term {
	if e.shared == nil {
		var inventories *ast.Term
		var items [][2]*ast.Term
		for i := range e.questions {
			if q := &e.questions[i]; q.inventory != nil && e.plan.policies[i].unit.shared {
				items = append(items, ast.Item(ast.InternedTerm(e.plan.policies[i].ID), q.inventory))
			}
		}
		if len(items) > 0 {
			inventories = ast.ObjectTerm(items...)
		}
		e.shared = ast.NewTerm(e.view.input(e.set.parameters, inventories))
	}
	return e.shared
}

// inputOf is what a policy gets when it is asked apart.
func (e *evaluation) inputOf(p *compiled, q *question) *ast.Term {
	if p.unit.shared {
		return e.sharedInput()
	}
	return ast.NewTerm(e.view.input(p.parameters, q.inventory))
}

// together asks the policies that may be asked together and that decided the last time. Where a query fails, its policies stay open.
func (e *evaluation) together(ctx context.Context) {
	if e.set.print != nil || ctx.Err() != nil { // who prints is known when one is asked
		return
	}
	now := e.set.now()
	if e.plan.health.aside(now) != "" {
		return
	}
	calls := e.calls()
	budget := e.set.budget(ctx, 4) // what is left is for asking one by one
	if len(calls) == 0 || budget <= 0 {
		return
	}
	input := e.sharedInput()
	answers, g, late := supervised(ctx, e, budget, &e.plan.health, func(g *guard) []answer { return e.askAll(ctx, calls, input, g) })
	end := e.set.now()
	switch {
	case late && end.Sub(now) >= blame, g.full.Load():
		e.plan.health.ended(end, false)
	case !late:
		e.plan.health.ended(end, true)
	}
	for at := range answers {
		if a := &answers[at]; a.done {
			e.questions[at].settle(a.found, a.reason)
		}
	}
}

// calls are the chunks, each without the policies that are not to be asked. One that would be asked alone is left for later.
func (e *evaluation) calls() []chunk {
	calls := make([]chunk, 0, len(e.plan.chunks))
	for _, c := range e.plan.chunks {
		whole, count := true, 0
		for _, at := range c.members {
			if e.fit(at) {
				count++
			} else {
				whole = false
			}
		}
		switch {
		case count < 2:
		case whole:
			calls = append(calls, c)
		default:
			some := chunk{unit: c.unit, members: make([]int, 0, count), body: make(ast.Body, 0, len(c.body))}
			for _, at := range c.members {
				if e.fit(at) {
					some.members = append(some.members, at)
					some.body = append(some.body, e.plan.policies[at].body...)
				}
			}
			calls = append(calls, some)
		}
	}
	return calls
}

func (e *evaluation) fit(at int) bool {
	return e.questions[at].state == open && !e.plan.policies[at].health.ill.Load()
}

// askAll evaluates queries one after the other. It writes to nothing but its result, because nobody waits for an evaluation for ever. Policies
// of a query that fails have no answer.
func (e *evaluation) askAll(ctx context.Context, calls []chunk, input *ast.Term, g *guard) []answer {
	answers := make([]answer, len(e.questions))
	var cache topdown.VirtualCache // what rules of the helpers gave
	for i, c := range calls {
		if g.stopped.Load() {
			break
		}
		query := newQuery(c.unit, c.body, input, g)
		if len(calls) > 1 {
			if cache == nil || c.unit != calls[i-1].unit {
				cache = topdown.NewVirtualCache()
			}
			query.WithVirtualCache(cache)
		}
		values, err := runSafely(ctx, query)
		if err != nil || values == nil {
			cache = nil
			continue
		}
		for _, at := range c.members {
			a := &answers[at]
			a.found, a.reason = e.plan.policies[at].decode(values, e.questions[at].action)
			a.done = true
		}
	}
	return answers
}

var errCrashed = errors.New("the evaluation crashed")

// runSafely is run for a query that may crash.
func runSafely(ctx context.Context, query *topdown.Query) (values topdown.QueryResult, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			values, err = nil, errCrashed
		}
	}()
	return run(ctx, query)
}

// apart asks one by one who has not answered yet.
func (e *evaluation) apart(ctx context.Context) {
	left := 0
	for i := range e.questions {
		if e.questions[i].state == open {
			left++
		}
	}
	for i := range e.questions {
		q := &e.questions[i]
		if q.state != open {
			continue
		}
		p := e.plan.policies[i]
		budget := e.set.budget(ctx, left)
		left--
		if ctx.Err() == nil && budget > 0 {
			if reason := p.health.aside(e.set.now()); reason != "" {
				q.settle(nil, reason)
				continue
			}
		}
		q.settle(e.judge(ctx, p, q, budget))
	}
}

func (e *evaluation) decision() Decision {
	d := Decision{Held: e.held}
	for i := range e.questions {
		switch q := &e.questions[i]; q.state {
		case decided:
			d.Violations = append(d.Violations, q.found...)
		case undecided:
			d.Undecided = append(d.Undecided, Undecided{Policy: e.plan.policies[i].ID, Action: q.action, Reason: q.reason})
		case unasked, open: // off here; none is open any more
		}
	}
	return d
}
