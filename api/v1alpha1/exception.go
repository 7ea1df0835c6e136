package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Exception lets chosen objects break chosen policies until a day that somebody answers for.
type Exception struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

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
