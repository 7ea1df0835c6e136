package admission

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/gesso-dev/gesso/api/v1alpha1"
)

// excepted returns the name of an exception that covers the policy for r's object now, or "". An exception that would but
// has expired is named in a warning.
func (e *Engine) excepted(r *Request, policy string, res *Result) string {
	expired := ""
	for i := range e.exceptions {
		x := &e.exceptions[i]
		if !slices.Contains(x.Spec.Policies, policy) || !selects(&x.Spec.Objects, r) {
			continue
		}
		if r.Now.Before(x.Spec.Expires.Time) {
			return x.Name
		}
		expired = fmt.Sprintf("exception %q (owner %s) expired at %s and is not honoured", x.Name, x.Spec.Owner, x.Spec.Expires.UTC().Format(time.RFC3339))
	}
	if expired != "" && !slices.Contains(res.Warnings, expired) {
		res.Warnings = append(res.Warnings, expired)
	}
	return ""
}

// selects reports whether every part of s that is given fits the object of r.
func selects(s *v1alpha1.ObjectSelector, r *Request) bool {
	fits := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	if !fits(s.Namespaces, r.NamespaceName) || !fits(s.Kinds, r.kind.Kind) || !fits(s.Names, r.objectName()) {
		return false
	}
	if s.Labels == nil {
		return true
	}
	selector, err := metav1.LabelSelectorAsSelector(s.Labels)
	if err != nil {
		return false // decoding refused it already
	}
	set := labels.Set{}
	o := r.subject()
	if o == nil {
		return selector.Matches(set)
	}
	for name, value := range o.Root.Get("metadata", "labels").Members() {
		set[name] = value.Str()
	}
	return selector.Matches(set)
}
