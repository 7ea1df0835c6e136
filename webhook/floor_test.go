package webhook

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gesso-dev/gesso/internal/convention"
)

// floor is the least that a server on net/http can do with a review: it reads the body into memory that it uses again, and answers the
// same to everybody.
func floor() http.Handler {
	pool := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	reply := []byte(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"uid-1","allowed":true}}`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := pool.Get().(*bytes.Buffer)
		b.Reset()
		b.Grow(int(r.ContentLength) + bytes.MinRead)
		if _, err := b.ReadFrom(r.Body); err != nil {
			http.Error(w, "read", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
		_, _ = w.Write(reply)
		pool.Put(b)
	})
}

// cpu is the processor time that this process has used, on all threads.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFloor compares reviews with nothing to do, over TLS and HTTP/2, with a handler that does nothing, in the same server. An
// iteration is one round: some calls of each in turn, so that what else the machine does hits all alike. It reports the processor time
// of a call to the floor, client included, and the medians over the rounds of what the others cost in terms of it.
func BenchmarkFloor(b *testing.B) {
	const calls = 100
	metrics, err := NewMetrics(prometheus.NewRegistry(), Build{})
	if err != nil {
		b.Fatal(err)
	}
	known := &convention.Namespace{Name: "team-a"}
	s := start(b, func(o *Options) {
		o.Reviewer, o.Metrics = engine(b), metrics
		o.Facts = facts(func(context.Context, string) (*convention.Namespace, error) { return known, nil })
	})
	s.mux.Handle("/floor", floor())
	s.mux.Handle("/again", floor()) // what the noise is
	s.waitReady(b, http.StatusOK)
	client := s.client(b)
	body := sized(b, 8800, true)
	round := func(path string) time.Duration {
		before := cpu(b)
		for range calls {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://"+s.Addr().String()+path+"?timeout=5s", bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			response, err := client.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				b.Fatal(path, response.Status)
			}
		}
		return (cpu(b) - before) / calls
	}
	paths := []string{"/floor", "/again", fill.Path, closed.Path}
	for _, path := range paths {
		round(path) // warm
	}
	took := map[string][]float64{}
	for b.Loop() {
		one := map[string]float64{}
		for _, path := range paths {
			one[path] = float64(round(path))
		}
		for _, path := range paths[1:] {
			took[path] = append(took[path], one[path]/one["/floor"])
		}
		took["/floor"] = append(took["/floor"], one["/floor"]/1000)
	}
	median := func(path string) float64 {
		slices.Sort(took[path])
		return took[path][len(took[path])/2]
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median("/floor"), "F-µs")
	b.ReportMetric(median("/again"), "again/F")
	b.ReportMetric(median(fill.Path), "fill/F")
	b.ReportMetric(median(closed.Path), "closed/F")
}
