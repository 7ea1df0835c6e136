package webhook

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/object"
)

func TestRespond(t *testing.T) {
	const imageField = "spec.template.spec.containers[0].image"
	latest := admission.Violation{Policy: "image-tag", Action: "deny", Field: imageField, Message: `container "web": the tag "latest" moves`, Fix: "use the commit hash"}
	latestText := `container "web": the tag "latest" moves; use the commit hash [image-tag]`
	scope := admission.Violation{Policy: "external-secret-scope", Action: "deny", Field: "spec.data[0]", Message: "outside the scope"}
	scopeText := "outside the scope [external-secret-scope]"
	warned, audited := latest, scope
	warned.Action, warned.Ratcheted = "warn", true
	audited.Action, audited.Exception = "audit", "migration"
	enforced := admission.Undecided{Policy: "image-tag", Reason: "deadline exceeded", Enforced: true}
	lax := admission.Undecided{Policy: "labels", Reason: "namespace not seen yet"}
	patch := []object.Operation{{Op: "add", Path: "/spec/x", Value: json.RawMessage(`true`)}}
	details := func(causes ...metav1.StatusCause) *metav1.StatusDetails {
		return &metav1.StatusDetails{Group: "apps", Kind: "Deployment", Name: "shop", Causes: causes}
	}
	jsonPatch := admissionv1.PatchTypeJSONPatch

	for name, tc := range map[string]struct {
		entry       admission.Entry
		result      admission.Result
		want        admissionv1.AdmissionResponse
		wantOutcome string
	}{
		"allowed": {
			entry: closed, result: admission.Result{Allowed: true, Revision: "r1"}, wantOutcome: "allowed",
			want: admissionv1.AdmissionResponse{Allowed: true, AuditAnnotations: map[string]string{"revision": "r1"}},
		},
		"filled": {
			entry: fill, wantOutcome: "allowed",
			result: admission.Result{
				Allowed: true, Patch: patch, Warnings: []string{"explicit-null: spec.x"},
				Defaults: []admission.Filled{{ID: "resources", Paths: []string{"/spec/x", "/spec/y"}}, {ID: "seccomp", Paths: []string{"/spec/z"}}},
				Preview:  []admission.Filled{{ID: "labels", Paths: []string{"/metadata/labels"}}},
			},
			want: admissionv1.AdmissionResponse{
				Allowed: true, PatchType: &jsonPatch, Patch: []byte(`[{"op":"add","path":"/spec/x","value":true}]`),
				Warnings:         []string{"explicit-null: spec.x"},
				AuditAnnotations: map[string]string{"filled": "resources=/spec/x,/spec/y; seccomp=/spec/z", "preview": "labels=/metadata/labels"},
			},
		},
		"a validating entry never patches": {
			entry: open, result: admission.Result{Allowed: true, Patch: patch}, wantOutcome: "allowed",
			want: admissionv1.AdmissionResponse{Allowed: true},
		},
		"one denial": {
			entry: open, result: admission.Result{Violations: []admission.Violation{latest}}, wantOutcome: "denied",
			want: admissionv1.AdmissionResponse{
				Result: &metav1.Status{
					Status: "Failure", Code: 403, Reason: "Forbidden", Message: latestText,
					Details: details(metav1.StatusCause{Type: "FieldValueInvalid", Field: imageField, Message: latestText}),
				},
				AuditAnnotations: map[string]string{"violations": "image-tag=deny " + imageField},
			},
		},
		"all denials at once, and what could not be decided": {
			entry: closed, wantOutcome: "denied",
			result: admission.Result{Violations: []admission.Violation{latest, scope}, Undecided: []admission.Undecided{{Policy: "p", Reason: "why", Enforced: true}, lax}},
			want: admissionv1.AdmissionResponse{
				Result: &metav1.Status{
					Status: "Failure", Code: 403, Reason: "Forbidden", Message: latestText + "\n" + scopeText + "\ncould not decide: p: why",
					Details: details(
						metav1.StatusCause{Type: "FieldValueInvalid", Field: imageField, Message: latestText},
						metav1.StatusCause{Type: "FieldValueInvalid", Field: "spec.data[0]", Message: scopeText},
					),
				},
				Warnings: []string{"could not decide: labels: namespace not seen yet"},
				AuditAnnotations: map[string]string{
					"violations": "image-tag=deny " + imageField + "; external-secret-scope=deny spec.data[0]",
					"undecided":  "p; labels",
				},
			},
		},
		"warnings and audit": {
			entry: closed, wantOutcome: "allowed",
			result: admission.Result{Allowed: true, Violations: []admission.Violation{warned, audited}, Warnings: []string{"two\nlines", latestText}},
			want: admissionv1.AdmissionResponse{
				Allowed: true, Warnings: []string{latestText, "two lines"},
				AuditAnnotations: map[string]string{
					"violations": "image-tag=warn " + imageField + " (ratcheted); external-secret-scope=audit spec.data[0] (exception migration)",
				},
			},
		},
		"undecided where it fails closed": {
			entry: closed, result: admission.Result{Undecided: []admission.Undecided{enforced}}, wantOutcome: "undecided",
			want: admissionv1.AdmissionResponse{
				Result: &metav1.Status{
					Status: "Failure", Code: 500, Reason: "InternalError", Message: "could not decide: image-tag: deadline exceeded", Details: details(),
				},
				AuditAnnotations: map[string]string{"undecided": "image-tag"},
			},
		},
		"undecided where it fails open": {
			entry: open, result: admission.Result{Undecided: []admission.Undecided{enforced}}, wantOutcome: "undecided",
			want: admissionv1.AdmissionResponse{
				Allowed: true, Warnings: []string{"could not decide: image-tag: deadline exceeded"},
				AuditAnnotations: map[string]string{"undecided": "image-tag"},
			},
		},
		"undecided but not enforced": {
			entry: closed, result: admission.Result{Allowed: true, Undecided: []admission.Undecided{lax}}, wantOutcome: "undecided",
			want: admissionv1.AdmissionResponse{
				Allowed: true, Warnings: []string{"could not decide: labels: namespace not seen yet"},
				AuditAnnotations: map[string]string{"undecided": "labels"},
			},
		},
		"refused without a reason, closed": {
			entry: closed, wantOutcome: "error",
			want: admissionv1.AdmissionResponse{Result: &metav1.Status{
				Status: "Failure", Code: 500, Reason: "InternalError", Message: "Gesso refused this request without a reason",
			}},
		},
		"refused without a reason, open": {
			entry: fill, wantOutcome: "error",
			want: admissionv1.AdmissionResponse{Allowed: true, Warnings: []string{"Gesso refused this request without a reason; it was let through as it is"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := requestOf(t)
			a, outcome := respond(tc.entry, &r, &tc.result)
			got := typed(t, &a)
			tc.want.UID = "uid-1"
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
			if outcome != tc.wantOutcome {
				t.Errorf("outcome is %q, want %q", outcome, tc.wantOutcome)
			}
		})
	}
}

// typed is the response that the API server decodes from what an answer is written as.
func typed(t testing.TB, a *answer) *admissionv1.AdmissionResponse {
	t.Helper()
	data, _ := a.append(nil, nil)
	var review admissionv1.AdmissionReview
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&review); err != nil {
		t.Fatalf("decode %q: %v", data, err)
	}
	if review.APIVersion != apiVersion || review.Kind != reviewKind || review.Request != nil || review.Response == nil {
		t.Fatalf("answer is no review with a response: %s", data)
	}
	return review.Response
}

func requestOf(t testing.TB) admission.Request {
	t.Helper()
	node, f := openEnvelope(new(object.Reader), reviewOf(t, nil))
	if f != nil {
		t.Fatal(f.reason)
	}
	var r admission.Request
	if err := r.DecodeNode(&node); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLogNamesTheObjectAndNeverShowsIt(t *testing.T) {
	var lines []string
	c := logged(&lines)
	result := admission.Result{
		Violations: []admission.Violation{{Policy: "image-tag", Action: "deny", Message: secret}},
		Undecided:  []admission.Undecided{{Policy: "other", Reason: secret, Enforced: true}},
	}
	h := &handler{entry: closed, log: c.Log}
	r := requestOf(t)
	_, outcome := respond(closed, &r, &result)
	h.logOutcome(&r, &result, outcome)
	want := []string{
		`"level"=0 "msg"="denied" "uid"="uid-1" "operation"="CREATE" "apiVersion"="apps/v1" "kind"="Deployment" ` +
			`"namespace"="team-a" "name"="shop" "denied"=["image-tag"] "undecided"=["other"]`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	h.logOutcome(&r, &admission.Result{Allowed: true}, outcomeAllowed)
	if len(lines) != 1 {
		t.Errorf("a review that passed was logged: %s", strings.Join(lines[1:], "\n"))
	}
}
