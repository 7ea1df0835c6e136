package e2e_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gesso-dev/gesso/e2e"
)

// post sends a body to Gesso by hand.
func post(t *testing.T, path, body string) (status int, answer []byte) {
	t.Helper()
	return postTo(t, shared.gesso, path, body)
}

// postTo sends a body to a Gesso, trusting the CA that it wrote.
func postTo(t *testing.T, g *e2e.Gesso, path, body string) (status int, answer []byte) {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(read(t, g.CAFile))) {
		t.Fatal("the CA file holds no certificate")
	}
	client := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true},
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+g.Reviews+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if answer, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// TestMalformedReview posts what no API server sends. Nothing of it may be allowed, and the server must live on.
func TestMalformedReview(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":           ``,
		"truncated":         `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1"`,
		"a Pod":             `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}`,
		"an empty object":   `{}`,
		"no request":        `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}`,
		"no uid":            `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"operation": "CREATE"}}`,
		"unknown operation": `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u-1", "operation": "DANCE", "kind": {"version": "v1", "kind": "Pod"}, "object": {"apiVersion": "v1", "kind": "Pod"}}}`,
		"duplicate key":     `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u-1", "uid": "u-2", "operation": "CREATE"}}`,
	} {
		for _, path := range []string{"/mutate", "/mutate/pods", "/validate/closed", "/validate/open"} {
			t.Run(name+path, func(t *testing.T) {
				status, answer := post(t, path, body)
				if status == http.StatusOK {
					var review struct {
						Response struct {
							UID     string
							Allowed bool
						}
					}
					if err := json.Unmarshal(answer, &review); err != nil {
						t.Fatalf("HTTP 200 with %q: %v", answer, err)
					}
					if review.Response.Allowed || review.Response.UID != "u-1" {
						t.Errorf("HTTP 200 with %s, want the UID u-1 and not allowed", answer)
					}
					return
				}
				if status < 400 || status > 499 || len(bytes.TrimSpace(answer)) == 0 || bytes.Count(bytes.TrimSpace(answer), []byte("\n")) > 0 {
					t.Errorf("HTTP %d with %q, want a 4xx and one line of reason", status, answer)
				}
			})
		}
	}
	if _, err := shared.gesso.Get(t.Context(), "/healthz"); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// TestStatus holds that everything that is needed is registered, and that the numbers count.
func TestStatus(t *testing.T) {
	raw, err := shared.gesso.Get(t.Context(), "/statusz")
	if err != nil {
		t.Fatal(err)
	}
	var status struct {
		Revision     string
		Ready        bool
		Unregistered []string
		Policies     []struct{ ID, Action string }
	}
	if err := json.Unmarshal(raw, &status); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	if status.Revision == "" || !status.Ready || len(status.Unregistered) != 0 || len(status.Policies) < 2 {
		t.Errorf("status: %s", raw)
	}
	metrics, err := shared.gesso.Get(t.Context(), "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`gesso_reviews_total{entry="defaults",outcome="allowed"}`, `gesso_reviews_total{entry="closed",outcome="denied"}`} {
		if !strings.Contains(string(metrics), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// TestUnregistered takes a rule away and wants to be told; then everything is registered again.
func TestUnregistered(t *testing.T) {
	kubectl(t, "delete", "validatingwebhookconfiguration", "gesso")
	defer func() {
		if err := shared.gesso.Register(t.Context(), shared.cp); err != nil {
			t.Fatal(err)
		}
	}()
	e2e.Eventually(t, "a line about the missing configuration", func() error {
		raw, err := shared.gesso.Get(t.Context(), "/statusz")
		if err != nil {
			return err
		}
		if !strings.Contains(string(raw), "ValidatingWebhookConfiguration gesso does not exist") {
			return io.ErrUnexpectedEOF
		}
		return nil
	})
}
