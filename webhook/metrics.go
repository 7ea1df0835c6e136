package webhook

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The outcomes of a request, values of the label of gesso_reviews_total.
const (
	outcomeAllowed   = "allowed"
	outcomeDenied    = "denied"
	outcomeUndecided = "undecided" // a policy could not decide, whether that refused the request or not
	outcomeError     = "error"     // no review, or one that nothing can be decided on
	outcomePanic     = "panic"
	outcomeOverload  = "overload"
)

// Metrics are the metrics of the server. No label holds a namespace, a name or anything else that a request brings, so that
// their number is bounded. All exported methods may be called on nil, which counts nothing.
type Metrics struct {
	reviews    *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	inFlight   prometheus.Gauge
	namespaces *prometheus.CounterVec
	decisionMetrics
	loaded    atomic.Pointer[loadedPolicies]
	ownBefore atomic.Pointer[map[[2]string]float64] // what gesso_own_violations says
}

// Build says which build runs.
type Build struct {
	Version  string // v1.2.3
	Revision string // of the source
}

// NewMetrics makes the metrics and registers them with r. The error is that of a second registration.
func NewMetrics(r prometheus.Registerer, b Build) (*Metrics, error) {
	m := &Metrics{
		decisionMetrics: newDecisionMetrics(),
		reviews: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gesso_reviews_total", Help: "Requests by entry and outcome.",
		}, []string{"entry", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gesso_review_duration_seconds", Help: "Time from the header of a request to its answer.",
			// Most reviews take about a millisecond, and the API server waits for seconds: both ends must be seen.
			Buckets: []float64{0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5},
		}, []string{"entry"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gesso_reviews_in_flight", Help: "Requests being worked on.",
		}),
		namespaces: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gesso_namespace_waits_total", Help: "Reviews that had to wait for their Namespace: seen or gave-up.",
		}, []string{"outcome"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "gesso_build_info", Help: "Always 1; the labels say which build runs.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": runtime.Version()},
	})
	info.Set(1)
	for _, c := range append(m.collectors(), m.reviews, m.duration, m.inFlight, m.namespaces, info) {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// entryMetrics are the series of one entry, each found once: to find one by its labels costs more than to count. One that is never used
// is not there.
type entryMetrics struct {
	*Metrics
	outcomes   map[string]func() prometheus.Counter
	duration   func() prometheus.Observer
	evaluation func() prometheus.Observer
	waited     func() prometheus.Counter
	gaveUp     func() prometheus.Counter
}

// of returns the series of an entry; nil, which counts nothing, of no metrics.
func (m *Metrics) of(entry string) *entryMetrics {
	if m == nil {
		return nil
	}
	counter := func(v *prometheus.CounterVec, labels ...string) func() prometheus.Counter {
		return sync.OnceValue(func() prometheus.Counter { return v.WithLabelValues(labels...) })
	}
	e := &entryMetrics{
		Metrics:    m,
		outcomes:   map[string]func() prometheus.Counter{},
		duration:   sync.OnceValue(func() prometheus.Observer { return m.duration.WithLabelValues(entry) }),
		evaluation: sync.OnceValue(func() prometheus.Observer { return m.evaluation.WithLabelValues(entry) }),
		waited:     counter(m.namespaces, "seen"),
		gaveUp:     counter(m.namespaces, "gave-up"),
	}
	for _, outcome := range []string{outcomeAllowed, outcomeDenied, outcomeUndecided, outcomeError, outcomePanic, outcomeOverload} {
		e.outcomes[outcome] = counter(m.reviews, entry, outcome)
	}
	return e
}

// begin counts a request in flight, until done.
func (e *entryMetrics) begin() {
	if e != nil {
		e.inFlight.Inc()
	}
}

func (e *entryMetrics) done() {
	if e != nil {
		e.inFlight.Dec()
	}
}

func (e *entryMetrics) count(outcome string) {
	if e != nil {
		e.outcomes[outcome]().Inc()
	}
}

func (e *entryMetrics) observe(outcome string, d time.Duration) {
	if e != nil {
		e.count(outcome)
		e.duration().Observe(d.Seconds())
	}
}

// namespaceWait counts a look-up that had to wait. One from the cache takes microseconds; what takes a millisecond waited.
func (e *entryMetrics) namespaceWait(d time.Duration, err error) {
	switch {
	case e == nil:
	case err != nil:
		e.gaveUp().Inc()
	case d >= time.Millisecond:
		e.waited().Inc()
	}
}
