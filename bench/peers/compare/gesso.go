package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing/fstest"

	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
	ten "github.com/gesso-dev/gesso/bench/policies"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/policies"
	"github.com/gesso-dev/gesso/webhook"
)

// Gesso is the engine that the others are compared with. Its figure holds everything from the bytes of the AdmissionReview to the bytes of
// the answer, as one entry of the webhook serves it, the metrics included. It leaves out the connection and the log.
func Gesso() Peer { return Peer{Name: "Gesso", Load: loadGesso} }

func loadGesso(ctx context.Context, c Case) (Engine, error) {
	source, err := sourceOf(c)
	if err != nil {
		return nil, err
	}
	profile := v1alpha1.Builtin()
	set, problems := policies.Load(ctx, []policies.Source{source}, admission.Settings(profile))
	if len(problems) > 0 {
		return nil, fmt.Errorf("%d policies cannot be loaded, the first: %w", len(problems), problems[0])
	}
	engine, err := admission.New(admission.Config{Profile: profile, Policies: set})
	if err != nil {
		return nil, err
	}
	metrics, err := webhook.NewMetrics(prometheus.NewRegistry(), webhook.Build{})
	if err != nil {
		return nil, err
	}
	for _, entry := range admission.Entries() {
		if entry.Steps == admission.Judge && entry.Fail {
			handler := webhook.NewHandler(entry, webhook.Config{Reviewer: engine, Facts: facts{}, Metrics: metrics})
			return gesso{handler: handler}, nil
		}
	}
	return nil, errors.New("no entry judges and fails closed")
}

// sourceOf is the folder with all policies of a case. A copy differs in its package, and in what it is of.
func sourceOf(c Case) (policies.Source, error) {
	files := fstest.MapFS{}
	for _, p := range c.Policies() {
		text, err := fs.ReadFile(ten.Source().FS, p.ID+"/"+p.ID+".rego")
		if err != nil {
			return policies.Source{}, err
		}
		module := strings.Replace(string(text), "package gesso.policies."+identifier(p.ID)+"\n", "package gesso.policies."+identifier(p.Name)+"\n", 1)
		if p.OfServices && p.ID != Ingress {
			module = strings.Replace(module, "#       pods: true\n", "#       kinds: [{group: \"\", kind: Service}]\n", 1)
		}
		files[p.Name+"/"+p.Name+".rego"] = &fstest.MapFile{Data: []byte(module)}
	}
	return policies.Source{Name: "compare", FS: files}, nil
}

func identifier(name string) string { return strings.ReplaceAll(name, "-", "_") }

type gesso struct{ handler http.Handler }

// facts knows the one Namespace.
type facts struct{}

func (facts) Namespace(_ context.Context, name string) (*convention.Namespace, error) {
	return &convention.Namespace{Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name}}, nil
}

func (g gesso) Prepare(review []byte) (Judgement, error) {
	return &served{handler: g.handler, body: review, header: http.Header{"Content-Type": []string{"application/json"}}}, nil
}

// served is a review that is posted.
type served struct {
	handler http.Handler
	body    []byte
	header  http.Header
	answer  recorder
}

func (s *served) Run() error {
	s.answer.code = http.StatusOK
	s.answer.body.Reset()
	clear(s.answer.header)
	request := &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/", RawQuery: "timeout=5s"}, Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: s.header, ContentLength: int64(len(s.body)), Body: io.NopCloser(bytes.NewReader(s.body)), Host: "gesso",
	}
	s.handler.ServeHTTP(&s.answer, request)
	if s.answer.code != http.StatusOK {
		return fmt.Errorf("status %d: %s", s.answer.code, s.answer.body.Bytes())
	}
	return nil
}

// policyOf finds the policy that a line of a refusal names.
func policyOf() *regexp.Regexp { return regexp.MustCompile(`\[([a-z0-9-]+)\]$`) }

func (s *served) Refusing() ([]string, error) {
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(s.answer.body.Bytes(), &review); err != nil {
		return nil, err
	}
	r := review.Response
	switch {
	case r == nil:
		return nil, errors.New("the answer has no response")
	case r.Allowed && len(r.Warnings) > 0:
		return nil, fmt.Errorf("warned: %s", strings.Join(r.Warnings, "; "))
	case r.Allowed:
		return nil, nil
	}
	var names []string
	for line := range strings.Lines(r.Result.Message) {
		found := policyOf().FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			return nil, fmt.Errorf("no policy in %q", line)
		}
		names = append(names, found[1])
	}
	return names, nil
}

// recorder is a ResponseWriter that is used again.
type recorder struct {
	code   int
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *recorder) WriteHeader(code int)        { r.code = code }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
