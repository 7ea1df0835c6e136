package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/gesso-dev/gesso/admission"
)

// Options are what a [Server] is made of.
type Options struct {
	Config
	// Entries are what is served. Entries of the same path share the handler of the first of them, and must agree in Steps
	// and Fail.
	Entries []admission.Entry

	// Host is the address to listen on for reviews; empty is every address.
	Host string
	// Port is the port for reviews; 0 chooses a free one, see [Server.Addr].
	Port int
	// GetCertificate gives the serving certificate for each handshake.
	GetCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// CABundle gives the PEM certificates by which the API server will verify ours.
	CABundle func() []byte
	// ServerName is the name by which the API server calls us: the certificate must be good for it.
	ServerName string

	// HealthAddr is host:port for /healthz, /readyz, /statusz and /metrics over plain HTTP; port 0 chooses a free one.
	HealthAddr string
	// Checks must all have passed once before the server is ready, for example that policies are loaded.
	Checks []Check
	// Status is what /statusz tells; nil tells nothing but what the server knows itself.
	Status func() Status
	// Gatherer is what /metrics tells; nil leaves it out.
	Gatherer prometheus.Gatherer

	// DrainDelay is how long reviews are still served after not being ready: as long as it takes until no API server
	// sends any more, that is until the endpoint is gone everywhere.
	DrainDelay time.Duration
}

// Server serves reviews over TLS, and health over plain HTTP. Make it with [NewServer].
type Server struct {
	o       Options
	port    *net.TCPAddr
	reviews net.Listener // holds the port until Run
	health  net.Listener
	mux     *http.ServeMux

	began    time.Time
	passed   atomic.Bool // the checks have passed once
	draining atomic.Bool
}

// NewServer takes both addresses and sets everything up. Nothing is answered before [Server.Run], which also gives the
// addresses back; a server that is never run keeps them.
func NewServer(o Options) (*Server, error) {
	o.setDefaults()
	if o.Reviewer == nil || o.GetCertificate == nil || o.CABundle == nil {
		return nil, errors.New("make server: Reviewer, GetCertificate and CABundle must be given")
	}
	s := &Server{o: o, began: o.Now(), mux: http.NewServeMux()}
	if err := s.addEntries(); err != nil {
		return nil, err
	}
	var err error
	listen := net.ListenConfig{}
	if s.reviews, err = listen.Listen(context.Background(), "tcp", net.JoinHostPort(o.Host, strconv.Itoa(o.Port))); err != nil {
		return nil, fmt.Errorf("listen for reviews: %w", err)
	}
	addr, ok := s.reviews.Addr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("listen for reviews: address %v is not TCP", s.reviews.Addr())
	}
	s.port = addr
	if s.health, err = listen.Listen(context.Background(), "tcp", o.HealthAddr); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for health: %w", err), s.reviews.Close())
	}
	return s, nil
}

func (s *Server) addEntries() error {
	byPath := map[string]admission.Entry{}
	for _, e := range s.o.Entries {
		if first, ok := byPath[e.Path]; ok {
			if first.Steps != e.Steps || first.Fail != e.Fail {
				return fmt.Errorf("make server: entries %s and %s share %s and differ", first.Name, e.Name, e.Path)
			}
			continue
		}
		byPath[e.Path] = e
		s.mux.Handle(e.Path, s.closing(NewHandler(e, s.o.Config)))
	}
	return nil
}

// closing asks clients, while draining, to open their next connection elsewhere. The API server keeps one HTTP/2 connection
// for many requests; without this it would come back on it until the listener is gone.
func (s *Server) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close") // HTTP/2: GOAWAY once this answer is sent
		}
		next.ServeHTTP(w, r)
	})
}

// Addr is the address of the reviews, with the port that was chosen.
func (s *Server) Addr() *net.TCPAddr { return s.port }

// HealthAddr is host:port of the health endpoints, with the port that was chosen.
func (s *Server) HealthAddr() string { return s.health.Addr().String() }

// Run serves until ctx is done, and then drains: it stops being ready, serves on for DrainDelay, stops accepting, lets
// reviews in flight finish, and returns nil. An error means that a listener failed. It must be called once.
func (s *Server) Run(ctx context.Context) error {
	// controller-runtime listens by itself and knows no port 0. The port is held up to here so that it stays ours.
	if err := s.reviews.Close(); err != nil {
		return errors.Join(fmt.Errorf("hand over port %d: %w", s.port.Port, err), s.health.Close())
	}
	reviews := crwebhook.NewServer(crwebhook.Options{
		Host: s.o.Host, Port: s.port.Port, WebhookMux: s.mux, TLSOpts: []func(*tls.Config){s.configureTLS},
	})
	health := &http.Server{Handler: s.healthMux(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 30 * time.Second}

	// Not a child of ctx: the drain comes between the end of ctx and the end of these.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, failed := errgroup.WithContext(serving)
	group.Go(func() error {
		err := reviews.Start(failed)
		// Health goes last, so that "not ready" can be asked for as long as anything is answered. It is never waited for.
		_ = health.Close()
		if err != nil {
			return fmt.Errorf("serve reviews: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		if err := health.Serve(s.health); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve health: %w", err)
		}
		return nil
	})
	select {
	case <-ctx.Done():
		s.draining.Store(true)
		s.o.Log.Info("draining", "delay", s.o.DrainDelay.String())
		select {
		case <-time.After(s.o.DrainDelay):
		case <-failed.Done():
		}
	case <-failed.Done():
		s.draining.Store(true) // one listener failed and takes the other with it; that error is reported
	}
	stop()
	return group.Wait()
}

// configureTLS sets what reviews are served with. Every API server is a Go client that speaks TLS 1.3 and HTTP/2, nothing
// between it and us ends TLS, and nobody else calls: older versions would only be there to be attacked. HTTP/1.1 stays for
// people with curl.
func (s *Server) configureTLS(c *tls.Config) {
	c.MinVersion = tls.VersionTLS13
	c.NextProtos = []string{"h2", "http/1.1"}
	c.GetCertificate = s.o.GetCertificate
}
