package webhook

import (
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/object"
)

// answer is an AdmissionResponse before it is written, see [answer.append]. It refers to the request and the result that it is about.
type answer struct {
	uid     string
	allowed bool
	refusal refusal // where it is not allowed
	// request and result are nil where nothing was reviewed.
	request  *admission.Request
	result   *admission.Result
	warnings []string
	patch    []object.Operation
}

// refusal is the status of an answer that is not allowed.
type refusal struct {
	code   int32
	reason metav1.StatusReason
	// message is for people. Where it is empty, it is made of the denials, if they are asked for, and of what could not be decided.
	message string
	denials bool
}

// respond maps a result to the answer of an entry and names the outcome.
func respond(e admission.Entry, r *admission.Request, result *admission.Result) (answer, string) {
	denials, enforced := 0, 0 // enforced: how many undecided policies would refuse
	for i := range result.Violations {
		if denies(&result.Violations[i]) {
			denials++
		}
	}
	for i := range result.Undecided {
		if result.Undecided[i].Enforced {
			enforced++
		}
	}
	a := answer{uid: r.UID, request: r, result: result}
	outcome := outcomeAllowed
	switch {
	case denials > 0:
		// All denials at once, and after them what could not be decided.
		a.refusal = refusal{code: http.StatusForbidden, reason: metav1.StatusReasonForbidden, denials: true}
		outcome = outcomeDenied
	case enforced > 0 && e.Fail:
		a.refusal = refusal{code: http.StatusInternalServerError, reason: metav1.StatusReasonInternalError}
		outcome = outcomeUndecided
	case !result.Allowed && enforced == 0:
		// A refusal without a reason helps nobody and can only be a bug of ours.
		return broken(e, r.UID, "Gesso refused this request without a reason"), outcomeError
	default:
		a.allowed = true
		if len(result.Undecided) > 0 {
			outcome = outcomeUndecided
		}
		if e.Steps == admission.Fill {
			a.patch = result.Patch
		}
	}
	a.warnings = warnings(result, a.allowed)
	return a, outcome
}

// denies reports whether a violation refuses the request.
func denies(v *admission.Violation) bool { return v.Action == "deny" }

// broken answers for a Gesso that does not work. Where the API server fails closed, not knowing refuses. Everywhere else
// the object passes with a warning, just as it would if nobody answered: an entry is registered with Ignore because the
// cluster must be able to live without it.
func broken(e admission.Entry, uid, message string) answer {
	if !e.Fail {
		return answer{uid: uid, allowed: true, warnings: []string{message + "; it was let through as it is"}}
	}
	return answer{uid: uid, refusal: refusal{code: http.StatusInternalServerError, reason: metav1.StatusReasonInternalError, message: message}}
}

// unusable answers a review that has a UID and nothing to decide on. It is refused in every entry: the API server sends no
// such thing, and what cannot be read must not pass as reviewed.
func unusable(uid, reason string) answer {
	return answer{uid: uid, refusal: refusal{code: http.StatusBadRequest, reason: metav1.StatusReasonBadRequest, message: reason}}
}
