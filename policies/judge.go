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
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/print"
)

// question is what one policy is asked.
type question struct {
	view      *view
	inventory *ast.Term // nil for a policy that declares none
	action    Action    // the one in force
	print     PrintFunc // nil where print statements are erased
}

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

// judge asks one policy. A reason other than "" means that it could not decide; then there are no violations.
//
// The evaluation has a goroutine of its own, because a built-in function cannot always be interrupted. One that does not stop is left
// behind: this review and all others go on without it, and the policy is set aside until it has ended.
func (s *Set) judge(ctx context.Context, p *compiled, q question, budget time.Duration) ([]Violation, string) {
	limited, stop := context.WithTimeout(ctx, budget)
	defer stop()
	if limited.Err() != nil {
		return nil, timeReason(ctx, budget)
	}
	start := s.now()
	if reason := p.health.aside(start); reason != "" {
		return nil, reason
	}
	type answer struct {
		found  []Violation
		reason string
	}
	var (
		g     guard
		done  = make(chan answer, 1)
		reply answer
		late  bool
	)
	go func() {
		found, reason := p.ask(limited, q, &g)
		done <- answer{found, reason}
	}()
	select {
	case reply = <-done:
	case <-limited.Done():
		late = true
		g.Cancel()
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
			p.health.lose()
			go func() {
				<-done
				p.health.found()
			}()
		}
	}
	end := s.now()
	switch {
	case late:
		reply = answer{reason: timeReason(ctx, budget)}
		if end.Sub(start) >= blame {
			p.health.ended(end, false)
		}
	case g.full.Load():
		reply = answer{reason: "the policy took too much memory"}
		p.health.ended(end, false)
	case reply.reason == reasonStopped: // between the end of the time and our seeing it
		reply.reason = timeReason(ctx, budget)
		if end.Sub(start) >= blame {
			p.health.ended(end, false)
		}
	default:
		p.health.ended(end, true)
	}
	return reply.found, reply.reason
}

// reasonStopped is replaced by one that says whose time was up.
const reasonStopped = "stopped"

// ask evaluates one policy.
func (p *compiled) ask(ctx context.Context, q question, g *guard) (found []Violation, reason string) {
	defer func() {
		// A fault of the engine must not cost the other policies their verdict, nor let this request through as if nothing had been found.
		// The value is not reported: it may hold a part of the object.
		if fault := recover(); fault != nil {
			found, reason = nil, "the evaluation crashed"
		}
	}()
	options := []rego.EvalOption{
		rego.EvalParsedInput(q.view.input(p.parameters, q.inventory)),
		rego.EvalMetrics(metrics.NoOp()),
		rego.EvalExternalCancel(g),
		rego.EvalGenerateJSON(func(term *ast.Term, _ *rego.EvalContext) (any, error) { return term, nil }),
	}
	if q.print != nil {
		options = append(options, rego.EvalPrintHook(printHook{policy: p.ID, write: q.print}))
	}
	results, err := p.query.Eval(ctx, options...)
	switch {
	case topdown.IsCancel(err), err != nil && ctx.Err() != nil:
		return nil, reasonStopped
	case err != nil:
		return nil, p.evalReason(err)
	case len(results) != 1:
		return nil, "the policy gave no result"
	}
	for _, rule := range []string{"deny", "warn"} {
		term, defined := results[0].Bindings[rule].(*ast.Term)
		if !defined {
			continue // the policy has no such rule; that it has one of them was checked when it was loaded
		}
		list, err := p.violations(rule, term, q.action)
		if err != nil {
			return nil, fmt.Sprintf("%s %s", rule, err)
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
		return "deadline exceeded: the review was given up"
	case ctx.Err() != nil, budget <= 0:
		return "deadline exceeded: the time of the review was up"
	}
	return fmt.Sprintf("deadline exceeded: the policy took longer than its %s", budget.Round(time.Millisecond))
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
