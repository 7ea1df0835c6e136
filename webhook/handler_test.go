package webhook

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/convention"
)

func TestGuards(t *testing.T) {
	valid := string(reviewOf(t, nil))
	for name, tc := range map[string]struct {
		method, contentType, body string
		wantCode                  int
		wantReason                string
	}{
		"get":              {method: http.MethodGet, wantCode: 405, wantReason: `method "GET" is not allowed, want POST`},
		"no content type":  {contentType: "-", body: valid, wantCode: 415, wantReason: "content type is missing, want application/json"},
		"yaml":             {contentType: "application/yaml", body: valid, wantCode: 415, wantReason: `content type is "application/yaml", want application/json`},
		"too large":        {body: strings.Repeat(" ", maxBody+1), wantCode: 413, wantReason: "body is larger than 7340032 bytes"},
		"empty":            {body: "", wantCode: 400, wantReason: "body is empty, want an AdmissionReview"},
		"truncated":        {body: valid[:len(valid)/2], wantCode: 400, wantReason: "read AdmissionReview: line 1, column"},
		"no json":          {body: "hello", wantCode: 400, wantReason: "read AdmissionReview: line 1, column 1: unexpected 'h'"},
		"a list":           {body: "[]", wantCode: 400, wantReason: "body is no AdmissionReview of admission.k8s.io/v1: apiVersion is missing, kind is missing"},
		"empty object":     {body: "{}", wantCode: 400, wantReason: "body is no AdmissionReview"},
		"a pod":            {body: `{"apiVersion":"v1","kind":"Pod"}`, wantCode: 400, wantReason: `apiVersion is "v1", kind is "Pod"`},
		"v1beta1":          {body: strings.Replace(valid, "io/v1", "io/v1beta1", 1), wantCode: 400, wantReason: `apiVersion is "admission.k8s.io/v1beta1"`},
		"no request":       {body: `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`, wantCode: 400, wantReason: "without a request: it is nothing"},
		"request is null":  {body: `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":null}`, wantCode: 400, wantReason: "without a request: it is null"},
		"uid missing":      {body: string(reviewOf(t, map[string]string{"uid": ""})), wantCode: 400, wantReason: "AdmissionReview without request.uid"},
		"uid is a number":  {body: string(reviewOf(t, map[string]string{"uid": "7"})), wantCode: 400, wantReason: "AdmissionReview without request.uid"},
		"uid comes twice":  {body: strings.Replace(valid, `"uid":`, `"uid":"x","uid":`, 1), wantCode: 400, wantReason: `member "uid" comes twice`},
		"a foreign name":   {body: `{"two\nlines` + strings.Repeat("x", 1000) + `":`, wantCode: 400, wantReason: "at /two lines"},
		"two reviews":      {body: valid + valid, wantCode: 400, wantReason: "after the end of the value"},
		"charset is fine":  {contentType: "application/json; charset=utf-8", body: valid, wantCode: 200},
		"a review is fine": {body: valid, wantCode: 200},
	} {
		t.Run(name, func(t *testing.T) {
			called := false
			var lines []string
			c := logged(&lines)
			c.Reviewer = reviewer(func(ctx context.Context, r admission.Request) admission.Result { called = true; return allow(ctx, r) })
			method, contentType := http.MethodPost, "application/json"
			if tc.method != "" {
				method = tc.method
			}
			if tc.contentType != "" {
				contentType = strings.Trim(tc.contentType, "-")
			}
			server := httptest.NewServer(NewHandler(closed, c))
			defer server.Close()
			req, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/validate/closed?timeout=5s", strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			if contentType != "" {
				req.Header.Set("Content-Type", contentType)
			}
			response, err := server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			reason := read(t, response)
			if response.StatusCode != tc.wantCode {
				t.Fatalf("status is %d (%s), want %d", response.StatusCode, reason, tc.wantCode)
			}
			if wantCalled := tc.wantCode == http.StatusOK; called != wantCalled {
				t.Errorf("reviewer was called: %v, want %v", called, wantCalled)
			}
			if tc.wantCode == http.StatusOK {
				return
			}
			if !strings.Contains(reason, tc.wantReason) {
				t.Errorf("reason is %q, want %q in it", reason, tc.wantReason)
			}
			if strings.Contains(reason, "\n") {
				t.Errorf("reason %q has more than one line", reason)
			}
			if len(lines) != 1 {
				t.Errorf("logged %d lines, want 1: %q", len(lines), lines)
			}
		})
	}
}

func TestUnusableReviewIsNeverAllowed(t *testing.T) {
	for name, tc := range map[string]struct {
		members     map[string]string
		wantMessage string
	}{
		"unknown operation":      {map[string]string{"operation": `"PATCH"`}, `read admission request: unknown operation "PATCH"`},
		"operation missing":      {map[string]string{"operation": ""}, `read admission request: unknown operation ""`},
		"no object":              {map[string]string{"object": ""}, "read admission request: CREATE without an object"},
		"object is null":         {map[string]string{"object": "null"}, "read admission request: CREATE without an object"},
		"object is a list":       {map[string]string{"object": "[]"}, "read admission request: object: not a Kubernetes object: a list, want an object"},
		"object without kind":    {map[string]string{"object": `{"apiVersion":"v1"}`}, "read admission request: object: not a Kubernetes object: kind is nothing, want a string"},
		"oldObject is a string":  {map[string]string{"oldObject": `"x"`}, "read admission request: oldObject: not a Kubernetes object: a string, want an object"},
		"kind missing":           {map[string]string{"kind": ""}, "read admission request: kind is incomplete: it needs version and kind"},
		"update with old object": {map[string]string{"operation": `"UPDATE"`, "object": ""}, "read admission request: UPDATE without an object"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, e := range []admission.Entry{fill, closed, open} {
				h := NewHandler(e, Config{Reviewer: reviewer(allow)})
				got := decoded(t, post(t, h, reviewOf(t, tc.members)), "uid-1")
				want := &metav1.Status{Status: "Failure", Code: 400, Reason: "BadRequest", Message: tc.wantMessage}
				if got.Allowed {
					t.Errorf("%s: allowed", e.Name)
				}
				if diff := cmp.Diff(want, got.Result); diff != "" {
					t.Errorf("%s: status (-want +got):\n%s", e.Name, diff)
				}
			}
		})
	}
}

func TestPanicKeepsTheUID(t *testing.T) {
	for name, tc := range map[string]struct {
		entry       admission.Entry
		wantAllowed bool
	}{
		"fill":   {fill, true},
		"open":   {open, true},
		"closed": {closed, false},
	} {
		for cause, value := range map[string]any{"text": "object is " + secret, "run-time error": nil} {
			t.Run(name+"/"+cause, func(t *testing.T) {
				var lines []string
				c := logged(&lines)
				metrics, err := NewMetrics(prometheus.NewRegistry(), Build{})
				if err != nil {
					t.Fatal(err)
				}
				c.Metrics = metrics
				c.Reviewer = reviewer(func(context.Context, admission.Request) admission.Result {
					if value != nil {
						panic(value)
					}
					var m map[string]int
					m["x"] = 1 //nolint:govet,staticcheck // the panic is the point
					return admission.Result{}
				})
				h := NewHandler(tc.entry, c)
				got := decoded(t, post(t, h, reviewOf(t, nil)), "uid-1")
				if got.Allowed != tc.wantAllowed {
					t.Errorf("allowed is %v, want %v", got.Allowed, tc.wantAllowed)
				}
				if tc.wantAllowed && len(got.Warnings) != 1 {
					t.Errorf("warnings are %q, want one", got.Warnings)
				}
				if !tc.wantAllowed && got.Result.Code != 500 {
					t.Errorf("code is %d, want 500", got.Result.Code)
				}
				all := strings.Join(lines, "\n")
				if len(lines) != 1 || !strings.Contains(all, `"uid"="uid-1"`) || !strings.Contains(all, "handler_test.go") {
					t.Errorf("log is %q, want one line with the UID and the stack", all)
				}
				if strings.Contains(all, secret) {
					t.Errorf("log holds a value of the object: %q", all)
				}
				if n := counted(t, metrics.reviews.WithLabelValues(tc.entry.Name, outcomePanic)); n != 1 {
					t.Errorf("gesso_reviews_total counts %v panics, want 1", n)
				}
				// The next review is served as if nothing had happened: no slot is lost.
				if n := len(h.(*handler).slots); n != 0 {
					t.Errorf("%d slots are still taken", n)
				}
			})
		}
	}
}

func TestRequestCarriesWhatTheReviewNeeds(t *testing.T) {
	known := &convention.Namespace{Name: "team-a", Labels: map[string]string{"gesso.dev/irsa": "enabled"}}
	for name, tc := range map[string]struct {
		members   map[string]string
		facts     Facts
		wantAsked string
		want      *convention.Namespace
	}{
		"known":          {facts: facts(func(context.Context, string) (*convention.Namespace, error) { return known, nil }), wantAsked: "team-a", want: known},
		"unknown":        {facts: facts(func(context.Context, string) (*convention.Namespace, error) { return nil, errors.New("no") }), wantAsked: "team-a"},
		"cluster-scoped": {members: map[string]string{"namespace": ""}, facts: facts(func(context.Context, string) (*convention.Namespace, error) { return known, nil })},
		"no facts":       {},
	} {
		t.Run(name, func(t *testing.T) {
			asked := ""
			var lines []string
			c := logged(&lines)
			if tc.facts != nil {
				c.Facts = facts(func(ctx context.Context, name string) (*convention.Namespace, error) {
					asked = name
					if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > namespaceWait {
						t.Errorf("facts may wait until %v, want at most %v", deadline, namespaceWait)
					}
					return tc.facts.Namespace(ctx, name)
				})
			}
			var got admission.Request
			c.Reviewer = reviewer(func(ctx context.Context, r admission.Request) admission.Result { got = r; return allow(ctx, r) })
			if !decoded(t, post(t, NewHandler(open, c), reviewOf(t, tc.members)), "uid-1").Allowed {
				t.Error("not allowed")
			}
			if asked != tc.wantAsked {
				t.Errorf("asked for namespace %q, want %q", asked, tc.wantAsked)
			}
			if diff := cmp.Diff(tc.want, got.Namespace); diff != "" {
				t.Errorf("namespace (-want +got):\n%s", diff)
			}
			if got.Steps != admission.Judge || !got.Now.Equal(c.Now()) {
				t.Errorf("steps %v, now %v; want those of the entry and the clock", got.Steps, got.Now)
			}
		})
	}
}

func TestOverload(t *testing.T) {
	for name, tc := range map[string]struct {
		entry admission.Entry
		// A second request comes while the first one holds the only slot, and the first one ends when the second has
		// its answer, or after a moment.
		wantCode       int
		wantRetryAfter string
	}{
		"validation is shed":                {closed, http.StatusTooManyRequests, "1"},
		"filling queues until its deadline": {fill, http.StatusOK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			working, end := make(chan struct{}), make(chan struct{})
			first := true
			h := NewHandler(tc.entry, Config{Concurrency: 1, Reviewer: reviewer(func(ctx context.Context, r admission.Request) admission.Result {
				if first {
					first = false
					close(working)
					<-end
				}
				return allow(ctx, r)
			})})
			done := make(chan struct{})
			go func() { defer close(done); post(t, h, reviewOf(t, nil)) }()
			<-working
			if tc.wantCode == http.StatusOK {
				time.AfterFunc(20*time.Millisecond, func() { close(end) })
			}
			w := post(t, h, reviewOf(t, nil))
			if w.Code != tc.wantCode || w.Header().Get("Retry-After") != tc.wantRetryAfter {
				t.Errorf("status %d, Retry-After %q; want %d, %q", w.Code, w.Header().Get("Retry-After"), tc.wantCode, tc.wantRetryAfter)
			}
			if tc.wantCode != http.StatusOK {
				close(end)
			}
			<-done
		})
	}
}
