// Package vap runs the ten policies through ValidatingAdmissionPolicy, as the API server holds it.
//
// Both figures begin with the Pod as a decoded, typed object: that is what the API server has at hand, and its decoding is counted for
// nobody. Both leave out the audit annotations and the answer, which the API server writes anyway. The validator's figure is that of the CEL
// alone: it is called for the policies that match, and finding them is left out. The dispatcher's holds the matching too.
package vap

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/generic"
	"k8s.io/apiserver/pkg/admission/plugin/policy/matching"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/scheme"
	listersv1 "k8s.io/client-go/listers/core/v1"

	"github.com/gesso-dev/gesso/bench/peers/compare"
)

// Peers are the validator and the dispatcher.
func Peers() []compare.Peer {
	return []compare.Peer{
		{Name: "ValidatingAdmissionPolicy, validator", Load: func(_ context.Context, c compare.Case) (compare.Engine, error) {
			hooks, err := compile(c)
			return validator(hooks), err
		}},
		{Name: "ValidatingAdmissionPolicy, dispatcher", Load: func(_ context.Context, c compare.Case) (compare.Engine, error) {
			hooks, err := compile(c)
			matcher := generic.NewPolicyMatcher(matching.NewMatcher(namespaces{}, nil))
			return dispatcher{hooks: hooks, dispatcher: validating.NewDispatcher(nil, matcher)}, err
		}},
	}
}

// compile does what the plugin does for each policy that it is told of.
func compile(c compare.Case) ([]validating.PolicyHook, error) {
	var hooks []validating.PolicyHook
	for _, p := range c.Policies() {
		policy, err := compare.CEL(p)
		if err != nil {
			return nil, err
		}
		compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
		if err != nil {
			return nil, err
		}
		declared := cel.OptionalVariableDeclarations{HasAuthorizer: true}
		var variables []cel.NamedExpressionAccessor
		for _, v := range policy.Spec.Variables {
			variables = append(variables, &validating.Variable{Name: v.Name, Expression: v.Expression})
		}
		compiler.CompileAndStoreVariables(variables, declared, environment.StoredExpressions)
		var conditions []cel.ExpressionAccessor
		for _, v := range policy.Spec.Validations {
			conditions = append(conditions, &validating.ValidationCondition{Expression: v.Expression, Message: v.Message, Reason: v.Reason})
		}
		none := compiler.CompileCondition(nil, declared, environment.StoredExpressions)
		hooks = append(hooks, validating.PolicyHook{
			Policy: policy,
			Bindings: []*admissionregistrationv1.ValidatingAdmissionPolicyBinding{{
				ObjectMeta: metav1.ObjectMeta{Name: p.Name},
				Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
					PolicyName: p.Name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
				},
			}},
			Evaluator: validating.NewValidator(
				compiler.CompileCondition(conditions, declared, environment.StoredExpressions), nil, none, none, policy.Spec.FailurePolicy, nil,
			),
		})
	}
	return hooks, nil
}

// namespaces lists the one that the Pods lie in.
type namespaces struct{ listersv1.NamespaceLister }

func (namespaces) Get(name string) (*corev1.Namespace, error) { return namespace(name), nil }

func (namespaces) List(labels.Selector) ([]*corev1.Namespace, error) {
	return nil, errors.ErrUnsupported
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelMetadataName: name}}}
}

// attributes are those of the request, as the API server makes them once for all plugins.
func attributes(body []byte) (admission.Attributes, error) {
	review, pod, err := compare.Decode(body)
	if err != nil {
		return nil, err
	}
	r := review.Request
	return admission.NewAttributesRecord(
		pod, nil, schema.GroupVersionKind(r.Kind), r.Namespace, r.Name, schema.GroupVersionResource(r.Resource), r.SubResource,
		admission.Operation(r.Operation), &metav1.CreateOptions{}, false, &user.DefaultInfo{Name: r.UserInfo.Username, Groups: r.UserInfo.Groups},
	), nil
}

type validator []validating.PolicyHook

func (v validator) Prepare(body []byte) (compare.Judgement, error) {
	a, err := attributes(body)
	if err != nil {
		return nil, err
	}
	matched := slices.DeleteFunc(slices.Clone(v), func(h validating.PolicyHook) bool {
		return !slices.Contains(h.Policy.Spec.MatchConstraints.ResourceRules[0].Resources, a.GetResource().Resource)
	})
	return &validated{
		hooks: matched, attributes: a, interfaces: interfaces(), namespace: namespace(a.GetNamespace()),
		results: make([]validating.ValidateResult, len(matched)),
	}, nil
}

type validated struct {
	hooks      []validating.PolicyHook
	attributes admission.Attributes
	interfaces admission.ObjectInterfaces
	namespace  *corev1.Namespace
	results    []validating.ValidateResult
}

func (v *validated) Run() error {
	// One request has these once, for all its policies: the object's value in CEL is kept in them.
	versioned, err := admission.NewVersionedAttributes(v.attributes, v.attributes.GetKind(), v.interfaces)
	if err != nil {
		return err
	}
	for i, h := range v.hooks {
		v.results[i] = h.Evaluator.Validate(
			context.Background(), v.attributes.GetResource(), versioned, nil, v.namespace, celconfig.RuntimeCELCostBudget, nil,
		)
	}
	return nil
}

func (v *validated) Refusing() ([]string, error) {
	var names []string
	for i, result := range v.results {
		for _, d := range result.Decisions {
			if d.Evaluation == validating.EvalError {
				return nil, fmt.Errorf("%s: %s", v.hooks[i].Policy.Name, d.Message)
			}
			if d.Action == validating.ActionDeny {
				names = append(names, v.hooks[i].Policy.Name)
			}
		}
	}
	return names, nil
}

func interfaces() admission.ObjectInterfaces {
	return admission.NewObjectInterfacesFromScheme(scheme.Scheme)
}

type dispatcher struct {
	hooks      []validating.PolicyHook
	dispatcher generic.Dispatcher[validating.PolicyHook]
}

func (d dispatcher) Prepare(body []byte) (compare.Judgement, error) {
	a, err := attributes(body)
	return &dispatched{dispatcher: d, attributes: a, interfaces: interfaces()}, err
}

type dispatched struct {
	dispatcher
	attributes admission.Attributes
	interfaces admission.ObjectInterfaces
	denied     error
}

func (d *dispatched) Run() error {
	d.denied = d.dispatcher.dispatcher.Dispatch(context.Background(), d.attributes, d.interfaces, d.hooks)
	return nil
}

// Refusing finds all policies, of which the dispatcher names the first only, by leaving them out one by one.
func (d *dispatched) Refusing() ([]string, error) {
	var names []string
	hooks, first := d.hooks, d.denied
	defer func() { d.hooks, d.denied = hooks, first }()
	denied := regexp.MustCompile(`ValidatingAdmissionPolicy '([a-z0-9-]+)' with binding '[a-z0-9-]+' denied request`)
	for d.denied != nil {
		found := denied.FindStringSubmatch(d.denied.Error())
		if found == nil {
			return nil, d.denied
		}
		names = append(names, found[1])
		d.hooks = slices.DeleteFunc(slices.Clone(d.hooks), func(h validating.PolicyHook) bool { return h.Policy.Name == found[1] })
		if err := d.Run(); err != nil {
			return nil, err
		}
	}
	return names, nil
}
