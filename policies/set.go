package policies

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// defaultDeadline is how long one policy may take over one review. A policy of the library takes well under a millisecond.
const defaultDeadline = time.Second

// Set is a number of policies that are in force together. It is immutable and safe for concurrent use; the zero value has no policies.
type Set struct {
	policies []*compiled // by id
	index    map[target]*plan
	revision string
	deadline time.Duration
	// quarantined are the problems of policies that exist.
	quarantined []Problem
	print       PrintFunc
	// parameters is what the policies that are compiled together see as input.parameters: those of each by its id.
	parameters *ast.Term
	compiler   *compiler // for the next Load
	// shadow holds the projection against the whole input. It is shared by the copies of a set.
	shadow *shadow
	// slots holds one token for each review that is being evaluated. It is shared by the copies of a set.
	slots chan struct{}
	crew  *crew
	now   func() time.Time
}

// newSet returns a set without policies. A review takes a slot while it is parsed and evaluated: more at once than there are processors
// would only make all of them slower and their memory add up.
func newSet(revision string) *Set {
	return &Set{
		deadline: defaultDeadline, index: map[target]*plan{}, revision: revision,
		shadow: &shadow{},
		slots:  make(chan struct{}, runtime.GOMAXPROCS(0)),
		crew:   newCrew(),
		now:    time.Now, //nolint:forbidigo // for durations of evaluations only: no verdict depends on the time of day
	}
}

// add is called by Load only, in the order of ids.
func (s *Set) add(p *compiled) { s.policies = append(s.policies, p) }

// finish is called by Load only, when all policies have been added.
func (s *Set) finish() {
	lists := map[target][]*compiled{} // each in the order of ids
	var parameters [][2]*ast.Term
	for _, p := range s.policies {
		if !p.Enabled() {
			continue
		}
		for t := range p.Match.targets() {
			lists[t] = append(lists[t], p)
		}
		if p.unit.shared {
			parameters = append(parameters, ast.Item(ast.StringTerm(p.ID), p.parameters))
		}
	}
	s.parameters = ast.ObjectTerm(parameters...)
	plans := map[string]*plan{} // targets with the same policies and their Pods in the same place share one
	for t, list := range lists {
		parts := slices.Clone(podPath(t.group, t.kind))
		for _, p := range list {
			parts = append(parts, p.ID)
		}
		key := strings.Join(parts, " ")
		if plans[key] == nil {
			plans[key] = newPlan(t.group, t.kind, list)
		}
		s.index[t] = plans[key]
	}
}

// Analyse works out what is read of the requests of every kind, for a set that was loaded with [AnalyseLater]. Until it has, requests are
// parsed whole.
func (s *Set) Analyse() {
	for _, plan := range s.index {
		plan.analyse()
	}
}

// Revision is a short hash of all that decides a verdict: the Rego of all policies, loaded or not, and the settings. The same input
// gives the same revision on every machine.
func (s *Set) Revision() string { return s.revision }

// Quarantined lists why policies are not in force as they are written: each either is not in force at all, or in an earlier version, and
// then the problem is marked Stale.
func (s *Set) Quarantined() []Problem { return slices.Clone(s.quarantined) }

// list and policy may be asked of no set.
func (s *Set) list() []*compiled {
	if s == nil {
		return nil
	}
	return s.policies
}

func (s *Set) policy(id string) *compiled {
	list := s.list()
	at, found := slices.BinarySearchFunc(list, id, func(p *compiled, id string) int { return strings.Compare(p.ID, id) })
	if !found {
		return nil
	}
	return list[at]
}

// Policies lists what was loaded, sorted by id, policies that are off included. The caller may change the list but not what its elements
// refer to.
func (s *Set) Policies() []Policy {
	list := make([]Policy, 0, len(s.policies))
	for _, p := range s.policies {
		list = append(list, p.Policy)
	}
	return list
}

// WithDeadline returns the same set with another time limit for each policy over one review; the default is one second.
func (s *Set) WithDeadline(limit time.Duration) *Set {
	other := *s
	other.deadline = limit
	return &other
}

// Matches reports whether any policy that is not off everywhere is for the review.
func (s *Set) Matches(r Review) bool { return s.plan(r) != nil }

// plan is nil where no policy matches.
func (s *Set) plan(r Review) *plan {
	return s.index[target{r.Group, r.Kind, r.Subresource, r.Operation}]
}

func (s *Set) matching(r Review) []*compiled {
	if plan := s.plan(r); plan != nil {
		return plan.policies
	}
	return nil
}

// Review is one request to be judged.
type Review struct {
	// Group, Kind, Subresource and Operation decide which policies are asked. Version is for the reader: policies speak of fields.
	Group, Version, Kind, Subresource, Operation string
	// Request is the AdmissionRequest as the API server sent it, with object in its final state. Its memory may be used for something
	// else once Evaluate has returned a decision that is not Held and without Undecided: nothing may refer to it from then on.
	Request json.RawMessage
	// User is who asks.
	User User
	// Namespaced is true for an object that lies in a namespace.
	Namespaced bool
	// Namespace holds the facts of that namespace; nil means that they could not be had, and then a policy that reads them cannot decide.
	Namespace *Namespace
	// Inventory holds the other objects; nil means that they could not be had, and then a policy that reads them cannot decide.
	Inventory *Snapshot
	// Derive gives what the convention derives; nil derives nothing. It is called at most once for each evaluation, before Evaluate returns,
	// and only where a policy matches and reads any of it, so that a request that no policy is for costs no names. Where expected is false
	// nobody reads Expected, and it may be left out.
	Derive func(expected bool) Names
}

// Names are what the convention derives for an object, see [Review].
type Names struct {
	// Environment and App are "" where there is none.
	Environment, App string
	// Expected is everything else, in terms of JSON: roleArn (text), secretScopes and appSecretScopes (lists of prefixes that begin and end
	// with "/", the namespace's own first), and whatever later policies need.
	Expected map[string]any
}

// names returns what the convention derives.
func (r *Review) names(expected bool) Names {
	if r.Derive == nil {
		return Names{}
	}
	return r.Derive(expected)
}

// User is who sent a request, as policies see it.
type User struct {
	Name   string
	Groups []string
	// Platform is true for members of the Profile's platform groups.
	Platform bool
}

// Namespace is what a policy may know of the namespace of an object.
type Namespace struct {
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// Decision is the outcome of one review.
type Decision struct {
	// Violations are sorted by policy id, then by field in natural order, then by message, and hold no duplicates.
	Violations []Violation
	// Undecided are sorted by policy id. A policy in this list has no violations in the other one.
	Undecided []Undecided
	// Held is true where an evaluation that was given up may still be reading the request.
	Held bool
}

// Undecided is a policy that could not judge a review: not the same as one that found nothing.
type Undecided struct {
	Policy string
	// Action is the one in force: an undecided policy that denies is worth more attention than one that only audits.
	Action Action
	// Reason is one line and holds nothing of the object.
	Reason string
}

// Evaluate judges a review by every policy that matches and is not off. It never returns an error: what could not be decided, whatever
// the reason, is in the decision.
//
// Policies are asked together. Where that fails, because one of them cannot decide, they are asked one after the other. Then each has its
// own time limit, and where ctx has a deadline none may take more than its share of what is left, so that a slow policy costs no other
// its verdict. At most GOMAXPROCS reviews are evaluated at once; the others wait, as long as ctx lets them.
func (s *Set) Evaluate(ctx context.Context, r Review) Decision {
	plan := s.plan(r)
	if plan == nil {
		return Decision{}
	}
	err := s.enter(ctx)
	if err != nil {
		return newEvaluation(s, plan, r, nil, err).decision()
	}
	defer s.leave()
	need := plan.need.Load()
	if need == nil || s.shadow.off.Load() {
		return s.evaluate(ctx, plan, r, nil).decision()
	}
	e := s.evaluate(ctx, plan, r, need)
	if !s.shadow.due() || ctx.Err() != nil {
		return e.decision()
	}
	whole := s.evaluate(ctx, plan, r, nil)
	if differing := e.differs(whole); len(differing) > 0 {
		s.shadow.caught(differing)
		return whole.decision()
	}
	return e.decision()
}

// evaluate asks the policies of a plan on what a need leaves of the request; nil stands for the whole.
func (s *Set) evaluate(ctx context.Context, plan *plan, r Review, n *need) *evaluation {
	v, err := newView(r, n)
	e := newEvaluation(s, plan, r, v, err)
	e.together(ctx)
	e.apart(ctx)
	return e
}

// enter waits for a slot. The error is the reason why there was none.
func (s *Set) enter(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}: // a free slot is taken even where the time is up, so that the reason is the policy's own
		return nil
	default:
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errors.New(timeReason(ctx, 1))
	}
}

func (s *Set) leave() { <-s.slots }

// action is the one in force for a policy; see actionIn. The view is nil for a request that cannot be read.
func (r Review) action(p *compiled, v *view) (action Action, known bool) {
	if !r.Namespaced || len(p.Namespaces) == 0 {
		return p.Action, true
	}
	name := ""
	if r.Namespace != nil {
		name = r.Namespace.Name
	}
	if name == "" && v != nil {
		name, _ = text(field(v.request, "namespace"))
	}
	return p.actionIn(name, r.Namespace)
}

// budget is the time for the next policy of as many as are left. No verdict depends on it but "deadline exceeded".
func (s *Set) budget(ctx context.Context, left int) time.Duration {
	if end, limited := ctx.Deadline(); limited {
		return min(s.deadline, end.Sub(s.now())/time.Duration(left))
	}
	return s.deadline
}

// Violation is one thing that is wrong with an object.
type Violation struct {
	// Policy is the id.
	Policy string
	// Rule is "deny" or "warn": which rule of the policy said so.
	Rule string
	// Action is the one in force: a deny has the policy's action; a warn warns, or audits where the policy only audits.
	Action Action
	// Field is the path in the object, such as spec.template.spec.containers[0].image; "" when there is no single one.
	Field string
	// Message says what is wrong; Fix says what to write instead, or is "".
	Message, Fix string
}

// Text renders the violation for people: message; fix [policy].
func (v Violation) Text() string {
	if v.Fix == "" {
		return v.Message + " [" + v.Policy + "]"
	}
	return v.Message + "; " + v.Fix + " [" + v.Policy + "]"
}

// sortViolations orders what one policy found and drops what is said twice. Where deny and warn say the same, the deny stays.
func sortViolations(list []Violation) []Violation {
	slices.SortFunc(list, func(a, b Violation) int {
		for _, order := range []int{
			naturalCompare(a.Field, b.Field), strings.Compare(a.Message, b.Message), strings.Compare(a.Fix, b.Fix),
			strings.Compare(a.Rule, b.Rule), // "deny" before "warn"
		} {
			if order != 0 {
				return order
			}
		}
		return 0
	})
	return slices.CompactFunc(list, func(a, b Violation) bool {
		return a.Field == b.Field && a.Message == b.Message && a.Fix == b.Fix
	})
}

// naturalCompare orders texts with numbers in them as people do: containers[2] before containers[10].
func naturalCompare(a, b string) int {
	digit := func(s string, i int) bool { return i < len(s) && s[i] >= '0' && s[i] <= '9' }
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		if !digit(a, i) || !digit(b, j) {
			if a[i] != b[j] {
				return int(a[i]) - int(b[j])
			}
			i, j = i+1, j+1
			continue
		}
		startA, startB := i, j
		for digit(a, i) {
			i++
		}
		for digit(b, j) {
			j++
		}
		numberA, numberB := strings.TrimLeft(a[startA:i], "0"), strings.TrimLeft(b[startB:j], "0")
		if len(numberA) != len(numberB) {
			return len(numberA) - len(numberB)
		}
		if order := strings.Compare(numberA, numberB); order != 0 {
			return order
		}
	}
	if order := (len(a) - i) - (len(b) - j); order != 0 {
		return order
	}
	return strings.Compare(a, b) // 01 and 1: equal as numbers, not as texts
}
