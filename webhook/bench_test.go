package webhook

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
)

// sized is a review of about size bytes, of the kind that the API server sends most: an object with containers and managed fields. Of a
// ConfigMap, on which nothing acts, if plain is true; of a Deployment otherwise.
func sized(t testing.TB, size int, plain bool) []byte {
	t.Helper()
	members := map[string]string{
		"userInfo": `{"username":"system:serviceaccount:argocd:argocd-application-controller","uid":"0c1f2b52-8f6d-4d5e-9f0c-1b2a3c4d5e6f",` +
			`"groups":["system:serviceaccounts","system:serviceaccounts:argocd","system:authenticated"]}`,
		"requestKind":     `{"group":"apps","version":"v1","kind":"Deployment"}`,
		"requestResource": `{"group":"apps","version":"v1","resource":"deployments"}`,
		"oldObject":       "null", "dryRun": "false",
		"options": `{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1","fieldManager":"argocd-controller","fieldValidation":"Ignore"}`,
	}
	kind, spec := `"apps/v1","kind":"Deployment"`, `"spec":{"template":{"spec":{"containers":[`
	if plain {
		members["kind"], members["resource"] = `{"version":"v1","kind":"ConfigMap"}`, `{"version":"v1","resource":"configmaps"}`
		kind, spec = `"v1","kind":"ConfigMap"`, `"data":{"x":"y"},"x":{"x":{"x":{"x":[`
	}
	object := `{"apiVersion":` + kind + `,"metadata":{"name":"shop","namespace":"team-a","labels":{"app.kubernetes.io/name":"shop"},` +
		`"annotations":{"a.example/b":"c"},"managedFields":[{"manager":"argocd-controller","operation":"Apply","apiVersion":"apps/v1",` +
		`"fieldsV1":{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:name":{}}}}}}}}]},` + spec
	for i := 0; len(object) < size-1100 || i == 0; i++ {
		if i > 0 {
			object += ","
		}
		n := strconv.Itoa(i)
		object += `{"name":"c` + n + `","image":"registry.example/shop/server:0123456789abcdef0123456789abcdef01234567","env":[{"name":"ADDRESS_` + n +
			`","value":"https://backend.example/api"}],"ports":[{"name":"p` + n + `","containerPort":8080,"protocol":"TCP"}],` +
			`"readinessProbe":{"httpGet":{"path":"/healthz","port":8080},"periodSeconds":10},"terminationMessagePath":"/dev/termination-log"}`
	}
	members["object"] = object + "]}}}}"
	return reviewOf(t, members)
}

// discarded is a response writer that a test uses again.
type discarded struct {
	header http.Header
	code   int
	body   []byte
}

func (d *discarded) Header() http.Header  { return d.header }
func (d *discarded) WriteHeader(code int) { d.code = code }
func (d *discarded) Write(data []byte) (int, error) {
	d.body = append(d.body[:0], data...)
	return len(data), nil
}

// caller calls a handler again and again, with one request and one writer.
type caller struct {
	h    http.Handler
	req  *http.Request
	w    discarded
	body bytes.Reader
	data []byte
}

func newCaller(t testing.TB, h http.Handler, data []byte) *caller {
	t.Helper()
	c := &caller{h: h, data: data, w: discarded{header: http.Header{}}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/x?timeout=5s", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = int64(len(data))
	req.Body = io.NopCloser(&c.body)
	c.req = req
	return c
}

func (c *caller) call() {
	c.body.Reset(c.data)
	c.w.code = http.StatusOK
	c.h.ServeHTTP(&c.w, c.req)
}

// engine is one with the built-in Profile and no policies.
func engine(t testing.TB) *admission.Engine {
	t.Helper()
	c := admission.Config{Profile: v1alpha1.Builtin()}
	zero(&c.Policies)
	e, err := admission.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// zero sets a pointer to a zero value, of a type that this package need not know.
func zero[T any](p **T) { *p = new(T) }

// BenchmarkHandler is what the edge itself costs for a review of each size with nothing to do, and with a patch.
func BenchmarkHandler(b *testing.B) {
	metrics, err := NewMetrics(prometheus.NewRegistry(), Build{})
	if err != nil {
		b.Fatal(err)
	}
	for name, size := range map[string]int{"1KB": 1 << 10, "8.8KB": 8800, "100KB": 100_000, "1MB": 1_000_000} {
		for _, e := range []admission.Entry{fill, closed} {
			body := sized(b, size, true)
			b.Run(fmt.Sprintf("%s/%s", e.Name, name), func(b *testing.B) {
				c := newCaller(b, NewHandler(e, Config{Reviewer: engine(b), Metrics: metrics}), body)
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					if c.call(); c.w.code != http.StatusOK {
						b.Fatal(c.w.code)
					}
				}
			})
		}
	}
}
