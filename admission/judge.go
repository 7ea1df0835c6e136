package admission

import (
	"context"
	"slices"

	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies"
)

// asks reports whether any policy is for requests like r.
func (e *Engine) asks(r *Request) bool {
	return e.policies.Matches(policies.Review{Group: r.kind.Group, Kind: r.kind.Kind, Subresource: r.Subresource, Operation: string(r.Operation)})
}

// judged returns a result after judging. It has the request and the result to itself: where no policy is asked, neither of them needs
// memory of its own.
func (e *Engine) judged(ctx context.Context, r Request, res Result) Result {
	e.judge(ctx, &r, &res)
	return res
}

// judge evaluates the policies on r's object as it stands and decides what each violation does.
func (e *Engine) judge(ctx context.Context, r *Request, res *Result) {
	if beingDeleted(r) {
		return
	}
	request := r.root.Bytes()
	if len(res.Patch) > 0 { // the final state is judged
		o := r.object.get()
		if r.bare {
			o = placed(o, r.NamespaceName)
		}
		request = r.root.With("object", o.Root.Bytes())
	}
	decision := e.policies.Evaluate(ctx, e.question(r, r.subject(), request))
	res.Held = held(&decision)
	j := &judgement{engine: e, request: r, result: res, softer: e.softer(r)}
	for _, v := range decision.Violations {
		out := j.soften(ctx, v)
		res.Allowed = res.Allowed && out.Action != string(policies.Deny)
		res.Violations = append(res.Violations, out)
	}
	for _, u := range decision.Undecided {
		out := Undecided{Policy: u.Policy, Reason: u.Reason, Action: string(u.Action)}
		if u.Action == policies.Deny && e.excepted(r, u.Policy, res) == "" {
			out.Enforced, j.let = j.softer == "", j.let || j.softer != ""
		}
		res.Allowed = res.Allowed && !out.Enforced
		res.Undecided = append(res.Undecided, out)
	}
	if j.softer == breakGlass && j.let {
		res.Warnings = append(res.Warnings, "break-glass: this would be refused, but was let through for a group of the Profile's breakGlassGroups")
	}
}

// held reports whether an evaluation may go on after its decision: only one that could not decide is left behind.
func held(d *policies.Decision) bool { return d.Held || len(d.Undecided) > 0 }

// judgement is one review on its way from what the policies say to what is done.
type judgement struct {
	engine  *Engine
	request *Request
	result  *Result
	softer  string             // why denies only warn, or ""
	let     bool               // something was let through for that reason
	before  *policies.Decision // of the old object, judged only when it matters
}

// soften says what a violation does: a deny becomes less for an exception, for who asks, and for what the old object had already.
func (j *judgement) soften(ctx context.Context, v policies.Violation) Violation {
	out := Violation{Policy: v.Policy, Action: string(v.Action), Field: v.Field, Message: v.Message, Fix: v.Fix}
	if v.Action != policies.Deny {
		return out
	}
	if name := j.engine.excepted(j.request, v.Policy, j.result); name != "" {
		out.Action, out.Exception = string(policies.Audit), name
		return out
	}
	if j.softer != "" {
		out.Action, out.Softened, j.let = string(policies.Warn), j.softer, true
		return out
	}
	if j.before == nil {
		j.before = j.engine.judgeOld(ctx, j.request)
		j.result.Held = j.result.Held || held(j.before)
	}
	if slices.ContainsFunc(j.before.Violations, func(b policies.Violation) bool { return b.Policy == v.Policy && b.Message == v.Message }) {
		out.Action, out.Ratcheted = string(policies.Warn), true
	}
	return out
}

// beingDeleted reports whether the object of the request is going away: it is not held back, its finalizers must come off.
// One that is created is not: the API server drops a deletionTimestamp that somebody writes into a new object.
func beingDeleted(r *Request) bool {
	return r.old.there() && r.old.get().BeingDeleted() || r.Operation == Update && r.object.get().BeingDeleted()
}

// The reasons why a deny only warns for everybody's policies.
const (
	breakGlass = "break-glass"
	controller = "controller"
)

// softer says why denies of this request only warn, or "".
func (e *Engine) softer(r *Request) string {
	user := r.User()
	switch {
	case slices.ContainsFunc(user.Groups, func(g string) bool { return slices.Contains(e.spec.BreakGlassGroups, g) }):
		return breakGlass
	case r.kind == object.GroupKind{Kind: "Pod"} && builtInController(user.Name):
		return controller
	}
	return ""
}

// builtInController reports whether a user is one of the controllers that make Pods out of workloads, which were judged
// when somebody deployed them. Only userInfo tells: anybody can write ownerReferences.
func builtInController(user string) bool {
	switch user {
	case "system:kube-controller-manager",
		"system:serviceaccount:kube-system:replicaset-controller",
		"system:serviceaccount:kube-system:replication-controller",
		"system:serviceaccount:kube-system:statefulset-controller",
		"system:serviceaccount:kube-system:daemon-set-controller",
		"system:serviceaccount:kube-system:job-controller",
		"system:serviceaccount:kube-system:cronjob-controller":
		return true
	}
	return false
}

// judgeOld evaluates the policies on the object as it was, for the ratchet: what was bad already only warns.
func (e *Engine) judgeOld(ctx context.Context, r *Request) *policies.Decision {
	if r.Operation != Update || !r.old.there() {
		return &policies.Decision{}
	}
	d := e.policies.Evaluate(ctx, e.question(r, r.old.get(), r.root.With("object", r.old.get().Root.Bytes())))
	return &d
}
