// Package kyverno runs the ten policies through Kyverno's engines: as ClusterPolicy, its own language, and as ValidatingPolicy, CEL.
//
// Both figures leave out the HTTP server, the events and the reports, and both hold what Kyverno adds to a policy of Pods: the rules for the
// kinds that have Pods in them. Gesso's policies are of those kinds too.
package kyverno

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	policiesv1beta1 "github.com/kyverno/api/api/policies.kyverno.io/v1beta1"
	celengine "github.com/kyverno/kyverno/pkg/cel/engine"
	"github.com/kyverno/kyverno/pkg/cel/libs"
	"github.com/kyverno/kyverno/pkg/cel/matching"
	"github.com/kyverno/kyverno/pkg/cel/policies/vpol/compiler"
	vpolengine "github.com/kyverno/kyverno/pkg/cel/policies/vpol/engine"
	engineapi "github.com/kyverno/kyverno/pkg/engine/api"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/gesso-dev/gesso/bench/peers/compare"
)

// ValidatingPolicy is Kyverno with CEL: the expressions are those of the ValidatingAdmissionPolicies. Its figure is Handle, which begins
// with a decoded AdmissionRequest and matches all policies itself.
func ValidatingPolicy() compare.Peer {
	return compare.Peer{Name: "Kyverno, ValidatingPolicy", Load: loadValidatingPolicies}
}

func loadValidatingPolicies(_ context.Context, c compare.Case) (compare.Engine, error) {
	ctrllog.SetLogger(logr.Discard())
	var policies []policiesv1beta1.ValidatingPolicyLike
	for _, p := range c.Policies() {
		vap, err := compare.CEL(p)
		if err != nil {
			return nil, err
		}
		policies = append(policies, &policiesv1beta1.ValidatingPolicy{
			TypeMeta:   metav1.TypeMeta{APIVersion: "policies.kyverno.io/v1beta1", Kind: "ValidatingPolicy"},
			ObjectMeta: metav1.ObjectMeta{Name: p.Name},
			Spec: policiesv1beta1.ValidatingPolicySpec{
				MatchConstraints: vap.Spec.MatchConstraints, Variables: vap.Spec.Variables, Validations: vap.Spec.Validations,
				FailurePolicy: vap.Spec.FailurePolicy, ValidationAction: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
			},
		})
	}
	provider, err := vpolengine.NewProvider(compiler.NewCompiler(), policies, nil)
	if err != nil {
		return nil, err
	}
	return celEngine{vpolengine.NewEngine(provider, namespace, matching.NewMatcher())}, nil
}

func namespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelMetadataName: name}}}
}

type celEngine struct{ engine vpolengine.Engine }

func (e celEngine) Prepare(body []byte) (compare.Judgement, error) {
	review, _, err := compare.Decode(body)
	if err != nil {
		return nil, err
	}
	return &handled{engine: e.engine, context: libs.NewFakeContextProvider(), request: *review.Request}, nil
}

type handled struct {
	engine   vpolengine.Engine
	context  libs.Context
	request  admissionv1.AdmissionRequest
	response vpolengine.EngineResponse
}

func (h *handled) Run() (err error) {
	h.response, err = h.engine.Handle(context.Background(), celengine.RequestFromAdmission(h.context, h.request), nil)
	return err
}

func (h *handled) Refusing() ([]string, error) {
	var names []string
	for _, p := range h.response.Policies {
		for _, r := range p.Rules {
			switch r.Status() {
			case engineapi.RuleStatusError:
				return nil, fmt.Errorf("%s: %s", p.Policy.GetName(), r.Message())
			case engineapi.RuleStatusFail:
				names = append(names, p.Policy.GetName())
			}
		}
	}
	return names, nil
}
