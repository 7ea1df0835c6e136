package update

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/webhook"
)

// recorder stands between the API server and the releases of Gesso. It hands each review to the release that is in force in the
// namespace, over TLS and unchanged, and keeps question and answer. Where nobody is in force it answers as a Service without
// endpoints would: with an error, for which the failurePolicy decides.
type recorder struct {
	*listener

	mu       sync.Mutex
	releases map[string]*upstream
	inForce  map[string]string // namespace → release
	recorded map[string][]call // by namespace
}

// upstream is a release as the recorder reaches it.
type upstream struct {
	url    string
	client *http.Client
}

// call is one review.
type call struct {
	release  string
	question question
	answer   admissionv1.AdmissionResponse
}

// question is an AdmissionRequest with the objects as they came.
type question struct {
	UID       types.UID
	Kind      struct{ Group, Version, Kind string }
	Namespace string
	Operation string
	UserInfo  struct {
		Username string
		Groups   []string
	}
	Object    runtime.RawExtension
	OldObject runtime.RawExtension
}

func startRecorder() (*recorder, error) {
	r := &recorder{releases: map[string]*upstream{}, inForce: map[string]string{}, recorded: map[string][]call{}}
	var err error
	r.listener, err = listen(r)
	return r, err
}

// add makes a release known.
func (r *recorder) add(name string, server *e2e.Gesso) error {
	pem, err := os.ReadFile(server.CAFile)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", server.CAFile)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}, MaxIdleConnsPerHost: 8}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.releases[name] = &upstream{"https://" + server.Reviews, &http.Client{Transport: transport}}
	return nil
}

// use puts a release in force in a namespace.
func (r *recorder) use(namespace, release string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inForce[namespace] = release
}

// calls returns what was recorded for a namespace so far.
func (r *recorder) calls(namespace string) []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.recorded[namespace])
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var review struct{ Request question }
	if err == nil {
		err = json.Unmarshal(body, &review)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	release := r.inForce[review.Request.Namespace]
	to := r.releases[release]
	r.mu.Unlock()
	if to == nil {
		http.Error(w, "nobody is here", http.StatusServiceUnavailable)
		return
	}
	answer, status, err := to.forward(req, body)
	var answered struct{ Response admissionv1.AdmissionResponse }
	if err == nil && status == http.StatusOK {
		err = json.Unmarshal(answer, &answered)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	r.mu.Lock()
	// ServiceAccounts come with each namespace, and Pods with some workloads.
	if slices.ContainsFunc(kinds(), func(k kind) bool { return k.name == review.Request.Kind.Kind }) {
		r.recorded[review.Request.Namespace] = append(r.recorded[review.Request.Namespace], call{release, review.Request, answered.Response})
	}
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

func (u *upstream) forward(req *http.Request, body []byte) (answer []byte, status int, err error) {
	out, err := http.NewRequestWithContext(req.Context(), req.Method, u.url+req.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	out.Header.Set("Content-Type", req.Header.Get("Content-Type"))
	resp, err := u.client.Do(out)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return answer, resp.StatusCode, err
}

// listener is an HTTPS server on loopback with a certificate of its own authority.
type listener struct {
	url    string
	bundle []byte // PEM
	server *http.Server
}

func listen(handler http.Handler) (*listener, error) {
	certificate, bundle, err := webhook.SelfSigned([]string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now())
	if err != nil {
		return nil, err
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &listener{url: "https://" + socket.Addr().String(), bundle: bundle, server: &http.Server{
		Handler:   handler,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13},
	}}
	go func() { _ = l.server.ServeTLS(socket, "", "") }() // ends by stop; what goes wrong before shows in every row
	return l, nil
}

func (l *listener) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		return l.server.Close()
	}
	return nil
}

// answers reports whether some release is in force in a namespace.
func (r *recorder) answers(namespace string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.releases[r.inForce[namespace]] != nil
}
