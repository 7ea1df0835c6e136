package policies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/print"
)

// printHook implements OPA's print.Hook.
type printHook struct {
	policy string
	write  PrintFunc
}

func (h printHook) Print(at print.Context, text string) error {
	file, line := "", 0
	if at.Location != nil {
		file, line = at.Location.File, at.Location.Row
	}
	h.write(h.policy, file, line, text)
	return nil
}

// grace is how long an evaluation may go on after it was told to stop, until the review goes on without it.
const grace = 100 * time.Millisecond

// supervised runs a part of an evaluation in another goroutine, because a built-in function cannot always be interrupted. One that does
// not stop is left behind, and noted in h until it has ended; the review goes on without it. late is true where the time was up first; then
// there is no result.
func supervised[T any](ctx context.Context, e *evaluation, budget time.Duration, h *health, f func(*guard) T) (result T, g *guard, late bool) {
	g = &guard{}
	done := make(chan T, 1)
	e.set.crew.do(func() { done <- f(g) })
	timer := time.NewTimer(budget)
	defer timer.Stop()
	select {
	case result = <-done:
		return result, g, false
	case <-timer.C:
	case <-ctx.Done():
	}
	g.Cancel()
	timer.Reset(grace)
	select {
	case <-done:
	case <-timer.C:
		h.lose()
		e.held = true
		go func() {
			<-done
			h.found()
		}()
	}
	return result, g, true
}

// judge asks one policy. A reason other than "" means that it could not decide; then there are no violations. One that does not stop is
// set aside until it has ended.
func (e *evaluation) judge(ctx context.Context, p *compiled, q *question, budget time.Duration) ([]Violation, string) {
	if ctx.Err() != nil || budget <= 0 {
		return nil, timeReason(ctx, budget)
	}
	input, action := e.inputOf(p, q), q.action
	start := e.set.now()
	reply, g, late := supervised(ctx, e, budget, p.health, func(g *guard) (a answer) {
		a.found, a.reason = e.ask(ctx, p, input, action, g)
		return a
	})
	end := e.set.now()
	switch {
	case late, reply.reason == reasonStopped && !g.full.Load(): // or between the end of the time and our seeing it
		reply = answer{reason: timeReason(ctx, budget)}
		if end.Sub(start) >= blame {
			p.health.ended(end, false)
		}
	case g.full.Load():
		reply = answer{reason: reasonMemory}
		p.health.ended(end, false)
	default:
		p.health.ended(end, true)
		if reply.reason != "" {
			p.health.erred()
		}
	}
	return reply.found, reply.reason
}

// answer is what came of asking a policy; the zero value says that nothing came of it yet.
type answer struct {
	found  []Violation
	reason string
	done   bool
}

// Reasons, or what they begin with, that say more about the machine than about the request.
const (
	reasonDeadline = "deadline exceeded"
	reasonMemory   = "the policy took too much memory"
	reasonAside    = "set aside"
)

// reasonStopped is replaced by one that says whose time was up.
const reasonStopped = "stopped"

// ask evaluates one policy.
func (e *evaluation) ask(ctx context.Context, p *compiled, input *ast.Term, action Action, g *guard) (found []Violation, reason string) {
	defer func() {
		// A fault of the engine must not cost the other policies their verdict, nor let this request through as if nothing had been found.
		// The value is not reported: it may hold a part of the object.
		if fault := recover(); fault != nil {
			found, reason = nil, "the evaluation crashed"
		}
	}()
	query := newQuery(p.unit, p.body, input, g)
	if e.set.print != nil {
		query.WithPrintHook(printHook{policy: p.ID, write: e.set.print})
	}
	values, err := run(ctx, query)
	switch {
	case topdown.IsCancel(err), err != nil && (ctx.Err() != nil || g.stopped.Load()):
		return nil, reasonStopped
	case err != nil:
		return nil, p.evalReason(err)
	case values == nil:
		return nil, "the policy gave no result"
	}
	return p.decode(values, action)
}

// newQuery is a query of a unit. Expressions come from verdicts.
func newQuery(u *unit, body ast.Body, input *ast.Term, g *guard) *topdown.Query {
	return topdown.NewQuery(body).WithCompiler(u.compiler).WithStore(nothingStored{}).WithInput(input).WithCancel(g).
		WithMetrics(metrics.NoOp()).WithStrictBuiltinErrors(true)
}

// run returns the values of the query's variables; nil where it is undefined.
func run(ctx context.Context, query *topdown.Query) (values topdown.QueryResult, err error) {
	err = query.Iter(ctx, func(result topdown.QueryResult) error {
		values = result
		return nil
	})
	return values, err
}

// nothingStored is OPA's data as policies have it: their rules, the helpers, and nothing else.
type nothingStored struct {
	storage.PolicyNotSupported
	storage.TriggersNotSupported
	storage.WritesNotSupported
}

func (nothingStored) NewTransaction(context.Context, ...storage.TransactionParams) (storage.Transaction, error) {
	return nil, nil //nolint:nilnil // there is nothing to isolate
}
func (nothingStored) Commit(context.Context, storage.Transaction) error { return nil }
func (nothingStored) Abort(context.Context, storage.Transaction)        {}
func (nothingStored) Truncate(context.Context, storage.Transaction, storage.TransactionParams, storage.Iterator) error {
	return nil
}

func (nothingStored) Read(_ context.Context, _ storage.Transaction, path storage.Path) (any, error) {
	if len(path) == 0 {
		return map[string]any{}, nil
	}
	return nil, &storage.Error{Code: storage.NotFoundErr, Message: "there is no document"}
}

// decode turns the values of a policy's rules into violations, or says why they cannot be.
func (p *compiled) decode(values topdown.QueryResult, action Action) (found []Violation, reason string) {
	for _, v := range p.verdicts {
		term := values[v.variable]
		if term == nil {
			return nil, "the policy gave no result"
		}
		list, err := p.violations(v.rule, term, action)
		if err != nil {
			return nil, fmt.Sprintf("%s %s", v.rule, err)
		}
		found = append(found, list...)
	}
	return sortViolations(found), ""
}

// violations decodes the set that a rule gave.
func (p *compiled) violations(rule string, term *ast.Term, action Action) ([]Violation, error) {
	set, isSet := term.Value.(ast.Set)
	if !isSet {
		return nil, errors.New("is not a set")
	}
	if rule == "warn" && action != Audit {
		action = Warn
	}
	if set.Len() == 0 {
		return nil, nil
	}
	found := make([]Violation, 0, set.Len())
	err := set.Iter(func(item *ast.Term) error {
		violation := Violation{Policy: p.ID, Rule: rule, Action: action}
		if err := violation.decode(item.Value); err != nil {
			return err
		}
		found = append(found, violation)
		return nil
	})
	return found, err
}

// decode reads one element: {"message", "field", "fix"} or a plain text. Errors name types and keys of the policy, never values, which
// may come from the object.
func (v *Violation) decode(value ast.Value) error {
	switch value := value.(type) {
	case ast.String:
		v.Message = string(value)
	case ast.Object:
		var wrong []string
		value.Foreach(func(key, value *ast.Term) {
			name, _ := text(key)
			content, isText := text(value)
			switch {
			case name == "message" && isText:
				v.Message = content
			case name == "field" && isText:
				v.Field = content
			case name == "fix" && isText:
				v.Fix = content
			case name == "message" || name == "field" || name == "fix":
				wrong = append(wrong, fmt.Sprintf("has a %s that is not text but %s", name, ast.ValueName(value.Value)))
			default:
				wrong = append(wrong, "has an element with a key other than message, field and fix")
			}
		})
		if len(wrong) > 0 {
			return errors.New(slices.Min(wrong))
		}
	default:
		return fmt.Errorf(`has an element that is neither an object nor text but %s`, ast.ValueName(value))
	}
	if strings.TrimSpace(v.Message) == "" {
		return errors.New("has an element without a message")
	}
	return nil
}

// timeReason says whose time was up.
func timeReason(ctx context.Context, budget time.Duration) string {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return reasonDeadline + ": the review was given up"
	case ctx.Err() != nil, budget <= 0:
		return reasonDeadline + ": the time of the review was up"
	}
	return fmt.Sprintf("%s: the policy took longer than its %s", reasonDeadline, budget.Round(time.Millisecond))
}

// evalReason says where an evaluation failed and at what. The message of the error is not repeated but for the name of a built-in
// function, because it may quote its arguments, and those may be secret.
func (p *compiled) evalReason(err error) string {
	failure, ok := errors.AsType[*topdown.Error](err)
	if !ok {
		return "the evaluation failed"
	}
	what := "the evaluation failed"
	switch failure.Code {
	case topdown.BuiltinErr, topdown.TypeErr:
		if name, _, found := strings.Cut(failure.Message, ":"); found && slices.Contains(p.builtins, name) {
			what = name + " failed"
		} else {
			what = "a built-in function failed"
		}
	case topdown.ConflictErr:
		what = "a rule or function gave two different values"
	case topdown.WithMergeErr:
		what = "a with modifier could not be applied"
	}
	if bound, ok := errors.AsType[boundError](err); ok { // our own words
		what += ": it " + bound.Error()
	}
	if at := failure.Location; at != nil {
		return fmt.Sprintf("%s:%d: %s", at.File, at.Row, what)
	}
	return what
}
