// Package load asks a server for reviews, over TLS 1.3 and one HTTP/2 connection that is kept, as an API server does. It only ever talks to
// the loopback interface.
package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Target is a path of a server, and what is sent there.
type Target struct {
	client *http.Client
	url    string
	// bodies are sent in turn.
	bodies [][]byte
	next   atomic.Uint64
}

// New makes a target and asks it once, so that the connection stands.
func New(ctx context.Context, address, caFile, path string, bodies ...[]byte) (*Target, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is not on the loopback interface", address)
	}
	bundle, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	if len(bodies) == 0 {
		return nil, errors.New("there is nothing to send")
	}
	t := &Target{url: "https://" + address + path + "?timeout=5s", bodies: bodies, client: &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}, ForceAttemptHTTP2: true, DisableCompression: true,
		},
	}}
	return t, t.Ask(ctx)
}

// Close gives the connection back.
func (t *Target) Close() { t.client.CloseIdleConnections() }

// Ask sends one review and reads the answer.
func (t *Target) Ask(ctx context.Context) error {
	body := t.bodies[t.next.Add(1)%uint64(len(t.bodies))]
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := t.client.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s: %s", t.url, resp.Status, text)
	case resp.ProtoMajor != 2 || resp.TLS == nil || resp.TLS.Version != tls.VersionTLS13:
		return fmt.Errorf("%s is not served over HTTP/2 and TLS 1.3", t.url)
	case !bytes.Contains(text, []byte(`"allowed":true`)):
		return fmt.Errorf("%s: not allowed: %s", t.url, text)
	}
	return nil
}

// Closed has so many clients ask one review after the other, until count have been asked or the time is over, whichever is first.
// It returns how many were asked.
func (t *Target) Closed(ctx context.Context, clients int, count int64, limit time.Duration) (int64, error) {
	var begun, asked atomic.Int64
	deadline := time.Now().Add(limit)
	err := together(clients, func() error {
		for begun.Add(1) <= count && time.Now().Before(deadline) {
			if err := t.Ask(ctx); err != nil {
				return err
			}
			asked.Add(1)
		}
		return nil
	})
	return asked.Load(), err
}

// Open asks at a constant rate, however long the answers take, and never for more reviews at once than limit. The latency of a
// review counts from the moment at which it should have been sent: a server that stalls is charged for all who wait meanwhile.
func (t *Target) Open(ctx context.Context, perSecond int, lasting time.Duration, limit int) (*hdrhistogram.Histogram, error) {
	total := int64(lasting.Seconds() * float64(perSecond))
	interval := time.Second / time.Duration(perSecond)
	began := time.Now()
	var (
		begun  atomic.Int64
		mutex  sync.Mutex
		result = histogram()
	)
	err := together(limit, func() error {
		own := histogram()
		for i := begun.Add(1) - 1; i < total; i = begun.Add(1) - 1 {
			intended := began.Add(time.Duration(i) * interval)
			if err := sleepUntil(ctx, intended); err != nil {
				return err
			}
			if err := t.Ask(ctx); err != nil {
				return err
			}
			if err := own.RecordValue(min(time.Since(intended).Nanoseconds(), own.HighestTrackableValue())); err != nil {
				return err
			}
		}
		mutex.Lock()
		defer mutex.Unlock()
		result.Merge(own)
		return nil
	})
	return result, err
}

func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// histogram goes from a microsecond to a minute, with three digits.
func histogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1_000, time.Minute.Nanoseconds(), 3)
}

// together runs work so many times at once and joins the errors.
func together(n int, work func() error) error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = work() })
	}
	group.Wait()
	return errors.Join(errs...)
}
