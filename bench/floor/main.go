// Floor serves what Gesso is compared with, on the same server: controller-runtime's, TLS 1.3 and HTTP/2.
//
//	--handler floor   F: the body is read into a pooled buffer, and the answer is always the same
//	--handler echo    the same with the UID of the request in the answer, so that an API server accepts it
//	--handler empty   an admission.Webhook of controller-runtime whose handler allows everything
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/gesso-dev/gesso/webhook"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	which := flag.String("handler", "floor", "floor, echo or empty")
	host := flag.String("host", "127.0.0.1", "address to listen on")
	_ = flag.Int("port", 0, "ignored: a free one is chosen")
	healthAddress := flag.String("health-address", "127.0.0.1:0", "host:port of /readyz")
	caFile := flag.String("ca-file", "", "file for the CA")
	addressFile := flag.String("address-file", "", "file for the addresses")
	_ = flag.Duration("drain-delay", 0, "ignored")
	flag.Parse()
	ctrllog.SetLogger(logr.Discard())

	var handler http.Handler
	switch *which {
	case "floor":
		handler = http.HandlerFunc(new(pooled).floor)
	case "echo":
		handler = http.HandlerFunc(new(pooled).echo)
	case "empty":
		handler = &admission.Webhook{Handler: admission.HandlerFunc(func(context.Context, admission.Request) admission.Response {
			return admission.Allowed("")
		})}
	default:
		return fmt.Errorf("there is no handler %q", *which)
	}
	certificate, bundle, err := webhook.SelfSigned([]string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now())
	if err != nil {
		return err
	}
	if err := os.WriteFile(*caFile, bundle, 0o600); err != nil {
		return err
	}
	port, err := freePort(ctx, *host)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	server := crwebhook.NewServer(crwebhook.Options{Host: *host, Port: port, WebhookMux: mux, TLSOpts: []func(*tls.Config){func(c *tls.Config) {
		c.MinVersion, c.NextProtos = tls.VersionTLS13, []string{"h2", "http/1.1"}
		c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
	}}})
	if err := serveHealth(ctx, *healthAddress, *addressFile, net.JoinHostPort(*host, strconv.Itoa(port)), server); err != nil {
		return err
	}
	return server.Start(ctx)
}

func freePort(ctx context.Context, host string) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	_, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	if err := l.Close(); err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// serveHealth answers /readyz once reviews are, and writes the addresses as gesso serve does.
func serveHealth(ctx context.Context, address, file, reviews string, server crwebhook.Server) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := server.StartedChecker()(r); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	go func() { _ = (&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}).Serve(l) }() // ends with the process
	if err := os.WriteFile(file+".tmp", fmt.Appendf(nil, "{\"reviews\":%q,\"health\":%q}\n", reviews, l.Addr().String()), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".tmp", file)
}

// pooled reads bodies into buffers that are used again.
type pooled struct{ buffers sync.Pool }

const answer = `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"%s","allowed":true}}`

func (p *pooled) read(r *http.Request) (*bytes.Buffer, error) {
	b, ok := p.buffers.Get().(*bytes.Buffer)
	if !ok {
		b = new(bytes.Buffer)
	}
	b.Reset()
	b.Grow(int(min(max(r.ContentLength, 0), 7<<20)) + bytes.MinRead)
	_, err := b.ReadFrom(r.Body)
	return b, err
}

func (p *pooled) floor(w http.ResponseWriter, r *http.Request) {
	b, err := p.read(r)
	defer p.buffers.Put(b)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}`)
}

func (p *pooled) echo(w http.ResponseWriter, r *http.Request) {
	b, err := p.read(r)
	defer p.buffers.Put(b)
	_, rest, found := bytes.Cut(b.Bytes(), []byte(`"uid":"`)) // an API server writes that of the request first
	uid, _, closed := bytes.Cut(rest, []byte(`"`))
	if err != nil || !found || !closed {
		http.Error(w, "no review", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, answer, uid)
}
