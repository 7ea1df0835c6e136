package webhook

import "github.com/gesso-dev/gesso/admission"

// logOutcome writes one line for a review that did not simply pass. It names the object and the policies; what is in the
// object, and reasons, which may repeat it, stay out.
func (h *handler) logOutcome(r *admission.Request, result *admission.Result, outcome string) {
	var message string
	switch outcome {
	case outcomeDenied:
		message = "denied"
	case outcomeUndecided:
		message = "could not decide"
	case outcomeError:
		message = "unusable result of a review"
	default:
		return
	}
	if !h.log.Enabled() {
		return
	}
	group, version, kind := r.Kind()
	if group != "" {
		version = group + "/" + version
	}
	denials, open := []string{}, []string{}
	for _, v := range result.Denials() {
		denials = append(denials, v.Policy)
	}
	for _, u := range result.Undecided {
		open = append(open, u.Policy)
	}
	h.log.Info(message, "uid", r.UID, "operation", r.Operation, "apiVersion", version, "kind", kind, "namespace", r.NamespaceName,
		"name", r.Name, "denied", denials, "undecided", open)
}
