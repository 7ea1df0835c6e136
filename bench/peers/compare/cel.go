package compare

import (
	"embed"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

//go:embed cel/*.yaml
var cel embed.FS

// CEL returns a policy as a ValidatingAdmissionPolicy, with what the API server would fill in.
func CEL(p Policy) (*admissionregistrationv1.ValidatingAdmissionPolicy, error) {
	text, err := cel.ReadFile("cel/" + p.ID + ".yaml")
	if err != nil {
		return nil, err
	}
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{}
	if err := yaml.UnmarshalStrict(text, policy); err != nil {
		return nil, fmt.Errorf("%s: %w", p.ID, err)
	}
	policy.Name = p.Name
	policy.Spec.FailurePolicy = new(admissionregistrationv1.Fail)
	match := policy.Spec.MatchConstraints
	match.MatchPolicy = new(admissionregistrationv1.Equivalent)
	match.NamespaceSelector, match.ObjectSelector = &metav1.LabelSelector{}, &metav1.LabelSelector{}
	if p.OfServices && p.ID != Ingress {
		match.ResourceRules[0].Resources = []string{"services"}
	}
	return policy, nil
}
