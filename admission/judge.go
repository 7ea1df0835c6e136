package admission

import (
	"context"
	"slices"

	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies"
)

// judge evaluates the policies on r's object as it stands and decides what each violation does.
func (e *Engine) judge(ctx context.Context, r *Request, res *Result) {
	if beingDeleted(r) {
		return
	}
	request := r.root.Bytes()
	if len(res.Patch) > 0 { // the final state is judged
		o := r.object
		if r.bare {
			o = placed(o, r.NamespaceName)
		}
		request = r.root.With("object", o.Root.Bytes())
	}
	decision := e.policies.Evaluate(ctx, e.question(r, r.subject(), request))
	softer := e.softer(r)
	let := false                  // something was let through for a group of breakGlassGroups
	var before *policies.Decision // of the old object, judged only when it matters
	for _, v := range decision.Violations {
		out := Violation{Policy: v.Policy, Action: string(v.Action), Field: v.Field, Message: v.Message, Fix: v.Fix}
		if v.Action == policies.Deny {
			switch name := e.excepted(r, v.Policy, res); {
			case name != "":
				out.Action, out.Exception = string(policies.Audit), name
			case softer != "":
				out.Action, out.Softened, let = string(policies.Warn), softer, true
			default:
				if before == nil {
					before = e.judgeOld(ctx, r)
				}
				if slices.ContainsFunc(before.Violations, func(b policies.Violation) bool {
					return b.Policy == v.Policy && b.Message == v.Message
				}) {
					out.Action, out.Ratcheted = string(policies.Warn), true
				}
			}
		}
		if out.Action == string(policies.Deny) {
			res.Allowed = false
		}
		res.Violations = append(res.Violations, out)
	}
	for _, u := range decision.Undecided {
		out := Undecided{Policy: u.Policy, Reason: u.Reason, Action: string(u.Action)}
		if u.Action == policies.Deny && e.excepted(r, u.Policy, res) == "" {
			out.Enforced, let = softer == "", let || softer != ""
		}
		if out.Enforced {
			res.Allowed = false
		}
		res.Undecided = append(res.Undecided, out)
	}
	if softer == breakGlass && let {
		res.Warnings = append(res.Warnings, "break-glass: this would be refused, but was let through for a group of the Profile's breakGlassGroups")
	}
}

// beingDeleted reports whether the object of the request is going away: it is not held back, its finalizers must come off.
// One that is created is not: the API server drops a deletionTimestamp that somebody writes into a new object.
func beingDeleted(r *Request) bool {
	return r.old != nil && r.old.BeingDeleted() || r.Operation == Update && r.object.BeingDeleted()
}

// The reasons why a deny only warns for everybody's policies.
const (
	breakGlass = "break-glass"
	controller = "controller"
)

// softer says why denies of this request only warn, or "".
func (e *Engine) softer(r *Request) string {
	switch {
	case slices.ContainsFunc(r.User.Groups, func(g string) bool { return slices.Contains(e.spec.BreakGlassGroups, g) }):
		return breakGlass
	case r.kind == object.GroupKind{Kind: "Pod"} && builtInController(r.User.Name):
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
	if r.Operation != Update || r.old == nil {
		return &policies.Decision{}
	}
	d := e.policies.Evaluate(ctx, e.question(r, r.old, r.root.With("object", r.old.Root.Bytes())))
	return &d
}

// question is the request as the policies want it: request is the AdmissionRequest, and names are derived from o, the object
// in it. The old object keeps its own app: an object that changes its app must not take the old app's secrets along.
func (e *Engine) question(r *Request, o *object.Object, request []byte) policies.Review {
	names := e.names(r, o)
	q := policies.Review{
		Group: r.kind.Group, Version: r.version, Kind: r.kind.Kind,
		Subresource: r.Subresource, Operation: string(r.Operation),
		Request:    request,
		Namespaced: r.NamespaceName != "", Environment: names.Environment, App: names.App,
		Inventory: r.Inventory,
		Expected: map[string]any{
			"secretScopes":    names.SecretScopes,
			"appSecretScopes": names.AppSecretScopes,
			"ingressHosts":    names.IngressHosts,
			"iamRoles":        names.IAMRoles,
		},
	}
	if names.RoleARN != "" {
		q.Expected["roleArn"] = names.RoleARN
	}
	if r.Namespace != nil {
		q.Namespace = &policies.Namespace{Name: r.Namespace.Name, Labels: r.Namespace.Labels, Annotations: r.Namespace.Annotations}
	}
	return q
}
