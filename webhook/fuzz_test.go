package webhook

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/gesso-dev/gesso/admission"
)

// FuzzHandler sends any bytes as a body. The answer is an HTTP error of one line, or a valid AdmissionReview with the UID
// echoed; and nothing that is no review of a known operation is ever allowed, by a reviewer that would allow everything.
func FuzzHandler(f *testing.F) {
	seeds := []string{"", "{}", `{"two\nlines":`, `{"operation`, "null", "[]", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}`}
	for _, members := range []map[string]string{
		nil,
		{"uid": ""},
		{"uid": `"\u00e9 \" \\ \n"`},
		{"operation": `"PATCH"`},
		{"operation": `"DELETE"`, "object": "null", "oldObject": `{"apiVersion":"v1","kind":"Pod"}`},
		{"operation": `"CONNECT"`, "object": ""},
		{"object": ""},
		{"kind": `{"version":"v1","kind":"Namespace"}`},
	} {
		body := string(reviewOf(f, members))
		seeds = append(seeds, body, body[:len(body)-1])
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	handlers := map[string]http.Handler{}
	for _, e := range []admission.Entry{fill, closed, open} {
		handlers[e.Name] = NewHandler(e, Config{Reviewer: reviewer(allow)})
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, h := range handlers {
			w := post(t, h, slices.Clone(body))
			if w.Code != http.StatusOK {
				if text := strings.TrimSuffix(w.Body.String(), "\n"); w.Code < 400 || text == "" || strings.Contains(text, "\n") {
					t.Errorf("%s: status %d with the reason %q", name, w.Code, text)
				}
				continue
			}
			var in map[string]any // names with their case, as the strict parser takes them
			if err := json.Unmarshal(body, &in); err != nil {
				t.Fatalf("%s: answered a body that is no JSON: %v", name, err)
			}
			request, _ := in["request"].(map[string]any)
			uid, _ := request["uid"].(string)
			operation, _ := request["operation"].(string)
			var out admissionv1.AdmissionReview
			if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := verify(&out, uid); err != nil || uid == "" {
				t.Errorf("%s: uid %q: %v", name, uid, err)
			}
			if out.Response.Allowed && !slices.Contains([]string{"CREATE", "UPDATE", "DELETE", "CONNECT"}, operation) {
				t.Errorf("%s: allowed the operation %q", name, operation)
			}
		}
	})
}
