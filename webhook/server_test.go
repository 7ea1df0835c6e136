package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gesso-dev/gesso/admission"
)

func read(t testing.TB, response *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(data), "\n")
}

// started is a Server that runs on loopback.
type started struct {
	*Server
	stop   context.CancelFunc
	done   chan error
	bundle []byte
}

func start(t testing.TB, change func(*Options)) *started {
	t.Helper()
	loopback := net.IPv4(127, 0, 0, 1)
	certificate, bundle, err := SelfSigned([]string{"gesso.gesso-system.svc"}, []net.IP{loopback}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Config:         Config{Reviewer: reviewer(allow)},
		Entries:        admission.Entries(),
		Host:           loopback.String(),
		HealthAddr:     "127.0.0.1:0",
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil },
		CABundle:       func() []byte { return bundle },
		ServerName:     "gesso.gesso-system.svc",
	}
	if change != nil {
		change(&o)
	}
	s, err := NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	st := &started{Server: s, stop: stop, done: make(chan error, 1), bundle: bundle}
	go func() { st.done <- s.Run(ctx) }()
	t.Cleanup(stop)
	return st
}

// client is a new client with connections of its own, as another API server would be.
func (s *started) client(t testing.TB) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.bundle)
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "gesso.gesso-system.svc"}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// call posts a review and returns the answer, or the error.
func (s *started) call(t *testing.T, client *http.Client, path string) (*http.Response, error) {
	t.Helper()
	url := fmt.Sprintf("https://%s%s?timeout=10s", s.Addr(), path)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(reviewOf(t, nil))))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return client.Do(req)
}

// get asks a health endpoint.
func (s *started) get(t testing.TB, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.HealthAddr()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, read(t, response)
}

// waitReady waits until /readyz says want.
func (s *started) waitReady(t testing.TB, want int) {
	t.Helper()
	var code int
	var text string
	for range 500 {
		if code, text = s.get(t, "/readyz"); code == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("/readyz is %d (%s), want %d", code, text, want)
}

func TestServerServesEveryEntryOverHTTP2(t *testing.T) {
	s := start(t, nil)
	s.waitReady(t, http.StatusOK)
	client := s.client(t)
	for _, e := range admission.Entries() {
		response, err := s.call(t, client, e.Path)
		if err != nil {
			t.Fatal(err)
		}
		body := read(t, response)
		response.Body.Close()
		if response.StatusCode != http.StatusOK || !strings.Contains(body, `"uid":"uid-1"`) {
			t.Errorf("%s: status %d, body %s", e.Name, response.StatusCode, body)
		}
		if response.ProtoMajor != 2 || response.TLS.Version != tls.VersionTLS13 {
			t.Errorf("%s: served with HTTP/%d and TLS version %x, want HTTP/2 and 1.3", e.Name, response.ProtoMajor, response.TLS.Version)
		}
	}
	s.stop()
	if err := <-s.done; err != nil {
		t.Errorf("Run returned %v, want nil", err)
	}
}

func TestDrain(t *testing.T) {
	working, end := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	first.Store(true)
	s := start(t, func(o *Options) {
		o.DrainDelay = time.Second
		o.Reviewer = reviewer(func(ctx context.Context, r admission.Request) admission.Result {
			if first.CompareAndSwap(true, false) {
				close(working)
				<-end
				// What an evaluation does that honours its context: the end of the server must not be seen here.
				if err := ctx.Err(); err != nil {
					return admission.Result{Undecided: []admission.Undecided{{Policy: "p", Reason: err.Error(), Enforced: true}}}
				}
			}
			return allow(ctx, r)
		})
	})
	s.waitReady(t, http.StatusOK)

	type answer struct {
		code int
		body string
		err  error
	}
	inFlight := make(chan answer, 1)
	client := s.client(t)
	go func() {
		response, err := s.call(t, client, closed.Path)
		if err != nil {
			inFlight <- answer{err: err}
			return
		}
		defer response.Body.Close()
		data, err := io.ReadAll(response.Body)
		inFlight <- answer{response.StatusCode, string(data), err}
	}()
	<-working
	began := time.Now()
	s.stop()
	s.waitReady(t, http.StatusServiceUnavailable)
	if code, _ := s.get(t, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz is %d while draining: the kubelet would kill it", code)
	}

	// New connections are served during the delay.
	served := 0
	for time.Since(began) < 700*time.Millisecond {
		response, err := s.call(t, s.client(t), closed.Path)
		if err != nil {
			t.Fatalf("a new connection %v into the delay: %v", time.Since(began), err)
		}
		if body := read(t, response); response.StatusCode != http.StatusOK || !strings.Contains(body, `"allowed":true`) {
			t.Fatalf("a new connection while draining got %d: %s", response.StatusCode, body)
		}
		response.Body.Close()
		served++
		time.Sleep(50 * time.Millisecond)
	}
	if served == 0 {
		t.Fatal("no new connection was tried during the delay")
	}

	// After the delay nothing is accepted, and the review in flight still goes on.
	refused := false
	for range 100 {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", s.Addr().String())
		if refused = err != nil; refused {
			break
		}
		conn.Close()
		time.Sleep(50 * time.Millisecond)
	}
	if !refused {
		t.Error("connections are still accepted after the delay")
	}
	select {
	case err := <-s.done:
		t.Fatalf("Run returned %v with a review in flight", err)
	case a := <-inFlight:
		t.Fatalf("the review in flight ended early: %+v", a)
	default:
	}
	close(end)
	if a := <-inFlight; a.err != nil || a.code != http.StatusOK || !strings.Contains(a.body, `"allowed":true`) {
		t.Errorf("the review in flight got %+v, want an answer", a)
	}
	if err := <-s.done; err != nil {
		t.Errorf("Run returned %v, want nil", err)
	}
}

func TestReadyWaitsForChecksAndOnlyOnce(t *testing.T) {
	var fail atomic.Bool
	fail.Store(true)
	s := start(t, func(o *Options) {
		o.Checks = []Check{{Name: "policies", Run: func() error {
			if fail.Load() {
				return errors.New("not loaded")
			}
			return nil
		}}}
	})
	for range 100 { // until the listener answers
		if code, text := s.get(t, "/readyz"); code == http.StatusServiceUnavailable && text == "policies: not loaded" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if code, text := s.get(t, "/readyz"); code != http.StatusServiceUnavailable || text != "policies: not loaded" {
		t.Fatalf("/readyz is %d %q, want 503 with the reason", code, text)
	}
	fail.Store(false)
	s.waitReady(t, http.StatusOK)
	fail.Store(true)
	s.waitReady(t, http.StatusOK)
}

func TestNotReadyWithACertificateOfAnotherCA(t *testing.T) {
	_, other, err := SelfSigned([]string{"gesso.gesso-system.svc"}, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		bundle []byte
		server string
		want   string
	}{
		"another CA":     {bundle: other, want: "certificate: tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		"no certificate": {bundle: []byte("x"), want: "certificate: the CA bundle holds no certificate"},
		"another name":   {server: "other.svc", want: "certificate: tls: failed to verify certificate: x509: certificate is valid for"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(o *Options) {
				if tc.bundle != nil {
					o.CABundle = func() []byte { return tc.bundle }
				}
				if tc.server != "" {
					o.ServerName = tc.server
				}
			})
			var text string
			for range 100 { // until the listener answers
				code := 0
				if code, text = s.get(t, "/readyz"); code != http.StatusServiceUnavailable {
					t.Fatalf("/readyz is %d, want 503", code)
				}
				if strings.HasPrefix(text, tc.want) {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Errorf("/readyz says %q, want %q", text, tc.want)
		})
	}
}

func TestStatuszAndMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics, err := NewMetrics(registry, Build{Version: "v1.2.3", Revision: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *Options) {
		o.Metrics, o.Gatherer = metrics, registry
		o.Now = func() time.Time { return time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC) }
		o.Status = func() Status {
			return Status{Version: "v1.2.3", Revision: "r1", Policies: []PolicyStatus{{ID: "image-tag", Action: "deny"}}, Unregistered: []string{"closed: secrets"}}
		}
	})
	s.waitReady(t, http.StatusOK)
	response, err := s.call(t, s.client(t), closed.Path)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()

	_, text := s.get(t, "/statusz")
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"version": "v1.2.3", "revision": "r1", "ready": true, "draining": false, "uptimeSeconds": 0.0,
		"policies":     []any{map[string]any{"id": "image-tag", "action": "deny"}},
		"unregistered": []any{"closed: secrets"}, "notes": []any{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("/statusz (-want +got):\n%s", diff)
	}
	_, text = s.get(t, "/metrics")
	for _, line := range []string{
		`gesso_reviews_total{entry="closed",outcome="allowed"} 1`,
		`gesso_review_duration_seconds_bucket{entry="closed",le="5"} 1`,
		`gesso_reviews_in_flight 0`,
		`gesso_build_info{goversion="go`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
}

func TestNewServerRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	base := Options{
		Config: Config{Reviewer: reviewer(allow)}, Host: "127.0.0.1", HealthAddr: "127.0.0.1:0",
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") },
		CABundle:       func() []byte { return nil },
	}
	for name, tc := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no reviewer":    {func(o *Options) { o.Reviewer = nil }, "make server: Reviewer"},
		"port is taken":  {func(o *Options) { o.Port = taken.Addr().(*net.TCPAddr).Port }, "listen for reviews: "},
		"health address": {func(o *Options) { o.HealthAddr = taken.Addr().String() }, "listen for health: "},
		"entries that differ": {
			func(o *Options) {
				clash := open
				clash.Name, clash.Fail = "other", true
				o.Entries = []admission.Entry{open, clash}
			}, "make server: entries open and other share /validate/open and differ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := base
			tc.change(&o)
			s, err := NewServer(o)
			if err == nil {
				s.reviews.Close()
				s.health.Close()
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("error is %q, want %q", err, tc.want)
			}
		})
	}
}
