package webhook

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/object"
)

// typedAnswer makes the response of a result out of the types of admission.k8s.io/v1, has them encode themselves, and returns what the
// API server decodes from that.
func typedAnswer(t testing.TB, e admission.Entry, r *admission.Request, result *admission.Result) *admissionv1.AdmissionResponse {
	t.Helper()
	response := &admissionv1.AdmissionResponse{UID: types.UID(r.UID), AuditAnnotations: typedAnnotations(result)}
	group, _, kind := r.Kind()
	details := &metav1.StatusDetails{Group: group, Kind: kind, Name: r.Name}
	var denials, open []string
	for _, v := range result.Denials() {
		denials = append(denials, v.Text())
		details.Causes = append(details.Causes, metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: v.Field, Message: v.Text()})
	}
	for _, u := range result.Undecided {
		if u.Enforced {
			open = append(open, "could not decide: "+u.Policy+": "+u.Reason)
		}
	}
	status := &metav1.Status{Status: metav1.StatusFailure, Message: strings.Join(append(denials, open...), "\n"), Details: details}
	switch {
	case len(denials) > 0:
		status.Code, status.Reason = http.StatusForbidden, metav1.StatusReasonForbidden
		response.Result = status
	case len(open) > 0 && e.Fail:
		status.Code, status.Reason = http.StatusInternalServerError, metav1.StatusReasonInternalError
		response.Result = status
	default:
		response.Allowed = true
		if e.Steps == admission.Fill && len(result.Patch) > 0 {
			patch, err := json.Marshal(result.Patch)
			if err != nil {
				t.Fatal(err)
			}
			patchType := admissionv1.PatchTypeJSONPatch
			response.Patch, response.PatchType = patch, &patchType
		}
	}
	response.Warnings = warnings(result, response.Allowed)
	data, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	decoded := &admissionv1.AdmissionResponse{}
	if err := json.Unmarshal(data, decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func typedAnnotations(result *admission.Result) map[string]string {
	all := map[string]string{}
	put := func(key string, items []string) {
		if len(items) > 0 {
			all[key] = strings.Join(fit(items, noteBudget, len("; ")), "; ")
		}
	}
	filled := func(defaults []admission.Filled) (items []string) {
		for _, d := range defaults {
			items = append(items, d.ID+"="+strings.Join(d.Paths, ","))
		}
		return items
	}
	put("filled", filled(result.Defaults))
	put("preview", filled(result.Preview))
	var violations, open []string
	for _, v := range result.Violations {
		text := strings.TrimSpace(v.Policy + "=" + v.Action + " " + oneLine(v.Field))
		if v.Ratcheted {
			text += " (ratcheted)"
		}
		if v.Softened != "" {
			text += " (" + v.Softened + ")"
		}
		if v.Exception != "" {
			text += " (exception " + v.Exception + ")"
		}
		violations = append(violations, text)
	}
	for _, u := range result.Undecided {
		open = append(open, u.Policy)
	}
	put("violations", violations)
	put("undecided", open)
	if result.Revision != "" {
		all["revision"] = result.Revision
	}
	return all
}

// FuzzAnswer holds that an answer says what the types of the API server would, whatever the texts in it are made of.
func FuzzAnswer(f *testing.F) {
	f.Add("uid", "image-tag", `"latest" moves`, "spec.x", "write <b> & \u2028", uint16(3))
	f.Add("\x00\x1f\x7f", "a\\b\"c", "bad \xff\xc3 utf-8 \xe2\x82", "\xed\xa0\x80", "é\U0001F600\uFFFD", uint16(0xffff))
	f.Add("u", "p", strings.Repeat("long ", 600), strings.Repeat("x", 5000), "\xe2", uint16(0x5a5a))
	f.Add("", "", "", "", "", uint16(0x1234))
	for bit := range 16 {
		f.Add("u", "p\n", "\tm", "f\r", "fix\b\f", uint16(1<<bit|3))
	}
	f.Fuzz(func(t *testing.T, uid, policy, message, field, fix string, shape uint16) {
		r := requestOf(t)
		r.UID, r.Name = uid, field
		one := func(bit int) bool { return shape>>bit&1 == 1 }
		result := admission.Result{Allowed: true}
		if one(0) {
			result.Revision = policy
		}
		for i, action := range []string{"deny", "warn", "audit", "deny"} {
			if !one(1 + i) {
				continue
			}
			v := admission.Violation{Policy: policy, Action: action, Message: message, Field: field, Fix: fix, Ratcheted: one(5)}
			if one(6) {
				v.Softened, v.Exception = message, fix
			}
			result.Violations = append(result.Violations, v)
			result.Allowed = result.Allowed && action != "deny"
		}
		if one(7) {
			result.Undecided = append(result.Undecided, admission.Undecided{Policy: policy, Reason: message, Enforced: one(8)}, admission.Undecided{Policy: fix, Reason: field})
			result.Allowed = result.Allowed && !one(8)
		}
		if one(9) {
			result.Warnings = []string{message, fix, message, ""}
		}
		if one(10) {
			result.Defaults = []admission.Filled{{ID: policy, Paths: []string{field, fix}}, {ID: fix}}
			result.Patch = []object.Operation{
				{Op: "add", Path: field, Value: object.Quote(message)}, {Op: "remove", Path: fix}, {Op: "replace", Path: "/x", Value: json.RawMessage(`{"a":[1,null]}`)},
			}
		}
		if one(11) {
			result.Preview = []admission.Filled{{ID: message, Paths: []string{policy}}}
		}
		for _, e := range []admission.Entry{fill, closed, open} {
			a, _ := respond(e, &r, &result)
			got, want := typed(t, &a), typedAnswer(t, e, &r, &result)
			if len(want.AuditAnnotations) == 0 {
				want.AuditAnnotations = nil
			}
			// How a patch spells its texts is its own; what it says is compared.
			if diff := cmp.Diff(parsed(t, want.Patch), parsed(t, got.Patch)); diff != "" {
				t.Errorf("%s: patch (-want +got):\n%s", e.Name, diff)
			}
			want.Patch, got.Patch = nil, nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: response (-want +got):\n%s", e.Name, diff)
			}
		}
	})
}

func parsed(t testing.TB, patch []byte) (all []object.Operation) {
	t.Helper()
	if len(patch) == 0 {
		return nil
	}
	if err := json.Unmarshal(patch, &all); err != nil {
		t.Fatalf("patch %q: %v", patch, err)
	}
	for i := range all {
		var value any
		if len(all[i].Value) > 0 {
			if err := json.Unmarshal(all[i].Value, &value); err != nil {
				t.Fatal(err)
			}
			all[i].Value, _ = json.Marshal(value)
		}
	}
	return all
}
