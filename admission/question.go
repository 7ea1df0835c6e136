package admission

import (
	"cmp"
	"slices"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies"
)

// Settings returns what a Profile says of policies in the form in which [policies.Load] takes it.
func Settings(p *v1alpha1.Profile) map[string]policies.Setting {
	all := map[string]policies.Setting{}
	for id, s := range p.Spec.Policies {
		setting := policies.Setting{Action: policies.Action(s.Action)}
		for _, n := range s.Namespaces {
			setting.Namespaces = append(setting.Namespaces, policies.NamespaceAction{Names: n.Names, Labels: n.Labels, Action: policies.Action(n.Action)})
		}
		if s.Parameters != nil {
			setting.Parameters = s.Parameters.Raw
		}
		all[id] = setting
	}
	return all
}

// question is the request as the policies want it: request is the AdmissionRequest, and names are derived from o, the object
// in it when a policy asks. The old object keeps its own app: an object that changes its app must not take the old app's secrets along.
func (e *Engine) question(r *Request, o *object.Object, request []byte) policies.Review {
	user := r.User()
	q := policies.Review{
		Group: r.kind.Group, Version: r.version, Kind: r.kind.Kind,
		Subresource: r.Subresource, Operation: string(r.Operation),
		Request: request,
		User: policies.User{
			Name: user.Name, Groups: user.Groups,
			Platform: slices.ContainsFunc(user.Groups, func(g string) bool { return slices.Contains(e.spec.PlatformGroups, g) }),
		},
		Namespaced: r.NamespaceName != "",
		Inventory:  r.Inventory,
		Derive: func(expected bool) policies.Names {
			names := e.names(r, o)
			derived := policies.Names{Environment: names.Environment, App: names.App}
			if expected {
				derived.Expected = e.expected(r, o, names)
			}
			return derived
		},
	}
	if r.Namespace != nil {
		q.Namespace = &policies.Namespace{Name: r.Namespace.Name, Labels: r.Namespace.Labels, Annotations: r.Namespace.Annotations}
	}
	return q
}

// expected is input.expected: what the naming convention derives. What cannot be derived is absent.
func (e *Engine) expected(r *Request, o *object.Object, names convention.Names) map[string]any {
	aws := &e.spec.AWS
	all := map[string]any{
		"secretScopes":    list(names.SecretScopes),
		"appSecretScopes": list(names.AppSecretScopes),
		"ingressHosts":    list(names.IngressHosts),
		"iamRoles":        list(names.IAMRoles),
		"identity":        string(aws.Identity),
		"partition":       aws.Partition,
	}
	if annotations := e.spec.Defaults.IngressClass.Annotations; len(annotations) > 0 {
		all["ingressAnnotations"] = annotations // what Gesso fills must not be refused
	}
	for name, value := range map[string]string{
		"roleArn":       names.RoleARN,
		"roleArnPrefix": convention.RoleARNPrefix(aws, r.NamespaceName),
		"podRoleArn":    podRoleARN(aws, r.NamespaceName, o),
		"account":       aws.Account,
		"cluster":       aws.Cluster,
		"sidecar":       e.defaults.Sidecar(),
		"ingressClass":  e.spec.Defaults.IngressClass.Class,
	} {
		if value != "" {
			all[name] = value
		}
	}
	if r.NamespaceName == "" {
		delete(all, "roleArnPrefix")
	}
	return all
}

// podRoleARN derives the role of the ServiceAccount that the Pods of o name; "" where they have none of their own.
func podRoleARN(aws *v1alpha1.AWS, namespace string, o *object.Object) string {
	if o == nil || namespace == "" {
		return ""
	}
	t := o.Template()
	if t == nil {
		return ""
	}
	// serviceAccount is the old spelling; the API server keeps the two the same.
	account := cmp.Or(t.Node.Get("spec", "serviceAccountName").Str(), t.Node.Get("spec", "serviceAccount").Str())
	if account == "" || account == "default" {
		return ""
	}
	return convention.RoleARN(aws, namespace, account)
}

// list is never null: a policy that iterates must not find its input of another type.
func list(values []string) []string {
	if values == nil {
		return []string{}
	}
	return values
}
