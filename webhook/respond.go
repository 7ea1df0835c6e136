package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gesso-dev/gesso/admission"
)

// respond maps a result to the response of an entry and names the outcome. Every value in it is new.
func respond(e admission.Entry, r *admission.Request, result *admission.Result) (*admissionv1.AdmissionResponse, string) {
	denials := result.Denials()
	enforced := 0 // how many undecided policies would refuse
	for _, u := range result.Undecided {
		if u.Enforced {
			enforced++
		}
	}
	response := &admissionv1.AdmissionResponse{UID: types.UID(r.UID), AuditAnnotations: auditAnnotations(result)}
	outcome := outcomeAllowed
	switch {
	case len(denials) > 0:
		response.Result = denied(r, denials, result.Undecided)
		outcome = outcomeDenied
	case enforced > 0 && e.Fail:
		response.Result = undecided(r, result.Undecided)
		outcome = outcomeUndecided
	case !result.Allowed && enforced == 0:
		// A refusal without a reason helps nobody and can only be a bug of ours.
		response = broken(e, r.UID, "Gesso refused this request without a reason")
		return response, outcomeError
	default:
		response.Allowed = true
		if len(result.Undecided) > 0 {
			outcome = outcomeUndecided
		}
		if e.Steps == admission.Fill && len(result.Patch) > 0 {
			patch, err := json.Marshal(result.Patch)
			if err != nil {
				return broken(e, r.UID, "Gesso made a patch that is no JSON"), outcomeError
			}
			patchType := admissionv1.PatchTypeJSONPatch
			response.Patch, response.PatchType = patch, &patchType
		}
	}
	response.Warnings = warnings(result, response.Allowed)
	return response, outcome
}

// broken answers for a Gesso that does not work. Where the API server fails closed, not knowing refuses. Everywhere else
// the object passes with a warning, just as it would if nobody answered: an entry is registered with Ignore because the
// cluster must be able to live without it.
func broken(e admission.Entry, uid, message string) *admissionv1.AdmissionResponse {
	if !e.Fail {
		message += "; it was let through as it is"
		return &admissionv1.AdmissionResponse{UID: types.UID(uid), Allowed: true, Warnings: []string{message}}
	}
	return &admissionv1.AdmissionResponse{
		UID:    types.UID(uid),
		Result: failure(http.StatusInternalServerError, metav1.StatusReasonInternalError, message),
	}
}

// unusable answers a review that has a UID and nothing to decide on. It is refused in every entry: the API server sends no
// such thing, and what cannot be read must not pass as reviewed.
func unusable(uid, reason string) *admissionv1.AdmissionResponse {
	return &admissionv1.AdmissionResponse{
		UID:    types.UID(uid),
		Result: failure(http.StatusBadRequest, metav1.StatusReasonBadRequest, reason),
	}
}

// denied is the status of a refusal: all denials at once, and after them what could not be decided.
func denied(r *admission.Request, denials []admission.Violation, open []admission.Undecided) *metav1.Status {
	var lines []string
	details := about(r)
	for _, v := range denials {
		lines = append(lines, v.Text())
		details.Causes = append(details.Causes, metav1.StatusCause{
			Type: metav1.CauseTypeFieldValueInvalid, Field: v.Field, Message: v.Text(),
		})
	}
	s := failure(http.StatusForbidden, metav1.StatusReasonForbidden, strings.Join(append(lines, undecidedLines(open)...), "\n"))
	s.Details = details
	return s
}

// undecided is the status of a refusal because a policy that would deny could not decide.
func undecided(r *admission.Request, all []admission.Undecided) *metav1.Status {
	s := failure(http.StatusInternalServerError, metav1.StatusReasonInternalError, strings.Join(undecidedLines(all), "\n"))
	s.Details = about(r)
	return s
}

// undecidedLines are the enforced ones as lines of a message; the others are warnings.
func undecidedLines(all []admission.Undecided) []string {
	var lines []string
	for _, u := range all {
		if u.Enforced {
			lines = append(lines, undecidedText(u))
		}
	}
	return lines
}

func undecidedText(u admission.Undecided) string {
	return fmt.Sprintf("could not decide: %s: %s", u.Policy, u.Reason)
}

func failure(code int32, reason metav1.StatusReason, message string) *metav1.Status {
	return &metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message}
}

// about names the object in a status.
func about(r *admission.Request) *metav1.StatusDetails {
	group, _, kind := r.Kind()
	return &metav1.StatusDetails{Group: group, Kind: kind, Name: r.Name}
}
