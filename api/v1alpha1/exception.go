package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Exception lets chosen objects break chosen policies until a day that somebody answers for.
type Exception struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	Spec ExceptionSpec `json:"spec"`
}

// ExceptionSpec is the content of an Exception.
type ExceptionSpec struct {
	// Policies are the ids of the policies that are excepted; at least one.
	Policies []string `json:"policies"`
	// Objects selects the objects; every part that is given must match, and at least one part must be given.
	Objects ObjectSelector `json:"objects"`
	// Owner is who answers for it: a person or a team.
	Owner string `json:"owner"`
	// Reason says why.
	Reason string `json:"reason"`
	// Expires is the moment from which it no longer holds, RFC 3339.
	Expires metav1.Time `json:"expires"`
}

// ObjectSelector selects objects by what they are called and labelled.
type ObjectSelector struct {
	Namespaces []string              `json:"namespaces,omitempty"`
	Kinds      []string              `json:"kinds,omitempty"`
	Names      []string              `json:"names,omitempty"`
	Labels     *metav1.LabelSelector `json:"labels,omitempty"`
}

// DecodeException reads one Exception, YAML or JSON, with the errors of [DecodeProfile].
func DecodeException(data []byte) (*Exception, error) {
	x := &Exception{}
	errs, err := decode(data, "Exception", x)
	if err != nil {
		return nil, err
	}
	if errs = appendNew(errs, x.validate()); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return x, nil
}

// validate refuses an exception that covers everything, lasts for ever or belongs to nobody.
func (x *Exception) validate() field.ErrorList {
	at := field.NewPath("spec")
	var errs field.ErrorList
	if x.Name == "" {
		errs = append(errs, field.Required(field.NewPath("metadata", "name"), "results name the exception"))
	}
	if len(x.Spec.Policies) == 0 {
		errs = append(errs, field.Required(at.Child("policies"), "name at least one policy"))
	}
	s := &x.Spec.Objects
	if len(s.Namespaces)+len(s.Kinds)+len(s.Names) == 0 && (s.Labels == nil || len(s.Labels.MatchLabels)+len(s.Labels.MatchExpressions) == 0) {
		errs = append(errs, field.Required(at.Child("objects"), "say which objects: namespaces, kinds, names or labels"))
	}
	if s.Labels != nil {
		if _, err := metav1.LabelSelectorAsSelector(s.Labels); err != nil {
			errs = append(errs, field.Invalid(at.Child("objects", "labels"), "", err.Error()))
		}
	}
	if x.Spec.Owner == "" {
		errs = append(errs, field.Required(at.Child("owner"), "say who answers for it"))
	}
	if x.Spec.Reason == "" {
		errs = append(errs, field.Required(at.Child("reason"), "say why"))
	}
	if x.Spec.Expires.IsZero() {
		errs = append(errs, field.Required(at.Child("expires"), "an exception must end, for example 2027-01-31T00:00:00Z"))
	}
	return errs
}
