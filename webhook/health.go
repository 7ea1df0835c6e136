package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is something that must have succeeded once before the server is ready. Run is called for every probe until then; it
// must be quick and safe for concurrent use.
type Check struct {
	Name string
	Run  func() error
}

// Status is what /statusz tells people, as JSON. Nothing in it may come from an object under review.
type Status struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the Profile and the policy set
	// Ready, Draining and UptimeSeconds are filled in by the server.
	Ready         bool  `json:"ready"`
	Draining      bool  `json:"draining"`
	UptimeSeconds int64 `json:"uptimeSeconds"`

	Policies []PolicyStatus `json:"policies"`
	// Unregistered says what this server could do and no webhook configuration asks for, a line each.
	Unregistered []string `json:"unregistered"`
	// Notes are anything else that the person on call should know, a line each.
	Notes []string `json:"notes"`
}

// PolicyStatus is how a policy is.
type PolicyStatus struct {
	ID     string `json:"id"`
	Action string `json:"action"` // deny, warn, audit, off
	// Problem is why it cannot be used, or empty.
	Problem string `json:"problem,omitempty"`
}

func (s *Server) healthMux() *http.ServeMux {
	mux := http.NewServeMux()
	// Alive is whoever answers. Anything more would restart a server that only waits for something.
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.ready(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /statusz", s.statusz)
	if s.o.Gatherer != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(s.o.Gatherer, promhttp.HandlerOpts{}))
	}
	return mux
}

// ready says why the server is not ready, nil when it is. The checks gate the start only: once they have passed they are
// not asked again, because taking every replica away for a later fault (a wrong CA in a configuration, say) would turn a
// part that fails into everything that fails.
func (s *Server) ready(ctx context.Context) error {
	if s.draining.Load() {
		return errors.New("draining")
	}
	if s.passed.Load() {
		return nil
	}
	var problems []error
	if err := s.checkCertificate(ctx); err != nil {
		problems = append(problems, err)
	}
	for _, c := range s.o.Checks {
		if err := c.Run(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", c.Name, err))
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	s.passed.Store(true)
	return nil
}

// checkCertificate does what the API server will do: connect, and verify the certificate against the bundle.
func (s *Server) checkCertificate(ctx context.Context) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.o.CABundle()) {
		return errors.New("certificate: the CA bundle holds no certificate")
	}
	name := s.o.ServerName
	if name == "" {
		name = s.dialHost()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, ServerName: name}}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.dialHost(), strconv.Itoa(s.port.Port)))
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	_ = conn.Close() // it has answered, that is all
	return nil
}

// dialHost is where the own listener can be reached from here.
func (s *Server) dialHost() string {
	if s.port.IP.IsUnspecified() {
		return "localhost"
	}
	return s.port.IP.String()
}

func (s *Server) statusz(w http.ResponseWriter, r *http.Request) {
	var status Status
	if s.o.Status != nil {
		status = s.o.Status()
	}
	status.Ready = s.ready(r.Context()) == nil
	status.Draining = s.draining.Load()
	status.UptimeSeconds = int64(s.o.Now().Sub(s.began).Seconds())
	// No list is null: people pipe this into jq.
	status.Policies = append([]PolicyStatus{}, status.Policies...)
	status.Unregistered = append([]string{}, status.Unregistered...)
	status.Notes = append([]string{}, status.Notes...)
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(status) // nobody is left to be told
}
