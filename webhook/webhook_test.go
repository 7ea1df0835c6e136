package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/convention"
)

// reviewer is a Reviewer in a test.
type reviewer func(ctx context.Context, r admission.Request) admission.Result

func (f reviewer) Answer(ctx context.Context, r *admission.Request, result *admission.Result) {
	*result = f(ctx, *r)
}

// allow lets everything pass.
func allow(context.Context, admission.Request) admission.Result {
	return admission.Result{Allowed: true}
}

// facts is a Facts in a test.
type facts func(ctx context.Context, name string) (*convention.Namespace, error)

func (f facts) Namespace(ctx context.Context, name string) (*convention.Namespace, error) {
	return f(ctx, name)
}

// The entries that differ in what the edge does.
var (
	fill   = admission.Entry{Name: "defaults", Path: "/mutate", Steps: admission.Fill, TimeoutSeconds: 2}
	closed = admission.Entry{Name: "closed", Path: "/validate/closed", Steps: admission.Judge, Fail: true, TimeoutSeconds: 5}
	open   = admission.Entry{Name: "open", Path: "/validate/open", Steps: admission.Judge, TimeoutSeconds: 5}
)

// secret stands in every object of these tests and must not come out anywhere.
const secret = "hunter2"

// reviewOf is an AdmissionReview with the members of its request replaced or, where the value is empty, left out.
func reviewOf(t testing.TB, members map[string]string) []byte {
	t.Helper()
	request := map[string]json.RawMessage{
		"uid":       json.RawMessage(`"uid-1"`),
		"kind":      json.RawMessage(`{"group":"apps","version":"v1","kind":"Deployment"}`),
		"resource":  json.RawMessage(`{"group":"apps","version":"v1","resource":"deployments"}`),
		"name":      json.RawMessage(`"shop"`),
		"namespace": json.RawMessage(`"team-a"`),
		"operation": json.RawMessage(`"CREATE"`),
		"object":    json.RawMessage(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"shop","annotations":{"password":"` + secret + `"}}}`),
	}
	for name, value := range members {
		if request[name] = json.RawMessage(value); value == "" {
			delete(request, name)
		}
	}
	body, err := json.Marshal(map[string]any{"apiVersion": apiVersion, "kind": reviewKind, "request": request})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// post sends body to h the way the API server does.
func post(t testing.TB, h http.Handler, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x?timeout=5s", strings.NewReader(string(body)))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// decoded is the response in a recorded AdmissionReview, checked as the API server checks it.
func decoded(t testing.TB, w *httptest.ResponseRecorder, wantUID string) *admissionv1.AdmissionResponse {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("status is %d (%s), want 200", w.Code, strings.TrimSpace(w.Body.String()))
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &review); err != nil {
		t.Fatalf("answer is no AdmissionReview: %v", err)
	}
	if err := verify(&review, wantUID); err != nil {
		t.Fatal(err)
	}
	return review.Response
}

func verify(review *admissionv1.AdmissionReview, wantUID string) error {
	switch {
	case review.APIVersion != apiVersion || review.Kind != reviewKind:
		return fmt.Errorf("answer is %s %s", review.APIVersion, review.Kind)
	case review.Request != nil:
		return errors.New("answer repeats the request")
	case review.Response == nil:
		return errors.New("answer has no response")
	case string(review.Response.UID) != wantUID:
		return fmt.Errorf("uid is %q, want %q", review.Response.UID, wantUID)
	case (review.Response.PatchType != nil) != (len(review.Response.Patch) > 0):
		return errors.New("patch and patchType do not go together")
	case !review.Response.Allowed && (review.Response.Result == nil || review.Response.Result.Code < 400 || review.Response.Result.Message == ""):
		return errors.New("refused without a code and a message")
	}
	return nil
}

// logged is a logger that collects its lines.
func logged(lines *[]string) (c Config) {
	c.Log = funcr.New(func(_, args string) { *lines = append(*lines, args) }, funcr.Options{})
	c.Now = func() time.Time { return time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC) }
	return c
}
