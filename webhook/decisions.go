package webhook

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gesso-dev/gesso/admission"
)

// The outcomes of a policy, values of the label of gesso_policy_decisions_total beside the softer ones of admission.
const (
	outcomeViolation = "violation"
	outcomeRatcheted = "ratcheted"
	outcomeExcepted  = "excepted"
)

// decisionMetrics tell what is in force and what it decides. Their labels hold the ids of policies and defaults, which an
// operator writes, and words of Gesso's own; nothing that a request brings.
type decisionMetrics struct {
	decisions   *prometheus.CounterVec
	defaults    *prometheus.CounterVec
	evaluation  *prometheus.HistogramVec
	revision    *prometheus.GaugeVec
	quarantined *prometheus.GaugeVec
	rejected    prometheus.Gauge
	own         *prometheus.GaugeVec
	projected   prometheus.Gauge
	mismatches  *prometheus.CounterVec
}

func newDecisionMetrics() decisionMetrics {
	return decisionMetrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gesso_policy_decisions_total",
			Help: "Reviews in which a policy found something or could not decide, by the action that took effect; once for each review.",
		}, []string{"policy", "action", "outcome"}),
		defaults: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gesso_defaults_total",
			Help: "Reviews in which a default was filled, would have been (preview), or was skipped, and why.",
		}, []string{"default", "outcome", "reason"}),
		evaluation: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gesso_evaluation_seconds", Help: "Time that a review takes, without reading, waiting for the Namespace, and answering.",
			Buckets: []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5},
		}, []string{"entry"}),
		revision: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "gesso_policy_revision", Help: "Always 1; the label names the Profile, the policies and the exceptions in force.",
		}, []string{"revision"}),
		quarantined: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "gesso_policy_quarantined", Help: "1 for each policy that is not in force as it is written.",
		}, []string{"policy"}),
		rejected: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gesso_reload_rejected", Help: "1 while the files cannot be loaded and what was loaded before stays in force.",
		}),
		own: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "gesso_own_violations",
			Help: "What a policy finds wrong with what Gesso itself fills, in a sample of each kind: with the action deny nobody can deploy it.",
		}, []string{"policy", "action"}),
		projected: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gesso_projection", Help: "1 while only what policies read is parsed of a request; 0 since a policy decided otherwise on the whole.",
		}),
		mismatches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gesso_projection_mismatches_total", Help: "Reviews in which a policy decided otherwise on the whole request than on what it reads.",
		}, []string{"policy"}),
	}
}

func (d *decisionMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{d.decisions, d.defaults, d.evaluation, d.revision, d.quarantined, d.rejected, d.own, d.projected, d.mismatches}
}

// Loaded says what decides from now on. Policies that are neither loaded nor quarantined lose their series.
type Loaded struct {
	Revision string
	// Policies are the ids of those that are in force.
	Policies []string
	// Quarantined are the ids of those that are not in force as they are written.
	Quarantined []string
}

// SetLoaded tells what is in force. It is not called at the same time as itself.
func (m *Metrics) SetLoaded(l Loaded) {
	if m == nil {
		return
	}
	known := map[string]bool{}
	for _, id := range slices.Concat(l.Policies, l.Quarantined) {
		known[id] = true
	}
	before := m.loaded.Swap(&loadedPolicies{l, known})
	m.revision.WithLabelValues(l.Revision).Set(1)
	for _, id := range l.Quarantined {
		m.quarantined.WithLabelValues(id).Set(1)
	}
	m.rejected.Set(0)
	m.projected.Set(1)
	if before == nil {
		return
	}
	// The new series first, then the old away: a scrape between the two finds one too many, not none.
	if before.Revision != l.Revision {
		m.revision.DeleteLabelValues(before.Revision)
	}
	for _, id := range before.Quarantined {
		if !slices.Contains(l.Quarantined, id) {
			m.quarantined.DeleteLabelValues(id)
		}
	}
	for id := range before.known {
		if !known[id] {
			m.decisions.DeletePartialMatch(prometheus.Labels{"policy": id})
		}
	}
}

// ProjectionFailed tells that policies decided otherwise on a whole request, and that requests are parsed whole from now on, until the
// next SetLoaded.
func (m *Metrics) ProjectionFailed(policies []string) {
	if m == nil {
		return
	}
	m.projected.Set(0)
	for _, id := range policies {
		m.mismatches.WithLabelValues(id).Inc()
	}
}

// SetRejected tells that the files cannot be loaded; SetLoaded and SetAccepted take it back.
func (m *Metrics) SetRejected() {
	if m != nil {
		m.rejected.Set(1)
	}
}

// SetAccepted tells that the files can be loaded and are what is in force already.
func (m *Metrics) SetAccepted() {
	if m != nil {
		m.rejected.Set(0)
	}
}

// SetOwn tells what the policies in force find wrong with what Gesso itself fills. It is not called at the same time as itself.
func (m *Metrics) SetOwn(found []admission.Finding) {
	if m == nil {
		return
	}
	count := map[[2]string]float64{}
	for _, f := range found {
		count[[2]string{f.Policy, f.Action}]++
	}
	for labels, n := range count {
		m.own.WithLabelValues(labels[:]...).Set(n)
	}
	if before := m.ownBefore.Swap(&count); before != nil {
		for labels := range *before {
			if _, still := count[labels]; !still {
				m.own.DeleteLabelValues(labels[:]...)
			}
		}
	}
}

type loadedPolicies struct {
	Loaded
	known map[string]bool
}

// evaluated notes how long a review took, and what came of each policy and default: each once, however often it acted.
func (e *entryMetrics) evaluated(took time.Duration, result *admission.Result) {
	if e == nil {
		return
	}
	e.evaluation().Observe(took.Seconds())
	if len(result.Violations)+len(result.Undecided) > 0 {
		e.countPolicies(result)
	}
	e.countDefaults(result)
}

func (m *Metrics) countPolicies(result *admission.Result) {
	loaded := m.loaded.Load()
	var counted [][3]string
	count := func(policy, action, outcome string) {
		labels := [3]string{policy, action, outcome}
		// A review that began before a reload must not bring back the series of a policy that is gone.
		if loaded != nil && !loaded.known[policy] || slices.Contains(counted, labels) {
			return
		}
		counted = append(counted, labels)
		m.decisions.WithLabelValues(labels[:]...).Inc()
	}
	for _, v := range result.Violations {
		switch {
		case v.Exception != "":
			count(v.Policy, v.Action, outcomeExcepted)
		case v.Ratcheted:
			count(v.Policy, v.Action, outcomeRatcheted)
		case v.Softened != "":
			count(v.Policy, v.Action, v.Softened)
		default:
			count(v.Policy, v.Action, outcomeViolation)
		}
	}
	for _, u := range result.Undecided {
		count(u.Policy, u.Action, outcomeUndecided)
	}
}

func (m *Metrics) countDefaults(result *admission.Result) {
	for _, d := range result.Defaults {
		m.defaults.WithLabelValues(d.ID, "filled", "").Inc()
	}
	for _, d := range result.Preview {
		m.defaults.WithLabelValues(d.ID, "preview", "").Inc()
	}
	var few [32][2]string // more are no mistake, but cost memory
	counted := few[:0]
	for i := range result.Skipped {
		s := &result.Skipped[i]
		labels := [2]string{s.ID, s.Reason}
		if s.Reason == "preview" || slices.Contains(counted, labels) { // counted above, or for another field
			continue
		}
		counted = append(counted, labels)
		m.defaults.WithLabelValues(s.ID, "skipped", s.Reason).Inc()
	}
}

// WatchUnregistered registers gesso_policy_unregistered with r: each time that it is asked for, find says which policies the
// API server does not ask about all that they are for.
func (m *Metrics) WatchUnregistered(r prometheus.Registerer, find func() []string) error {
	c := &unregistered{find: find, desc: prometheus.NewDesc("gesso_policy_unregistered",
		"1 for each policy that is for requests which no webhook configuration sends.", []string{"policy"}, nil)}
	if err := r.Register(c); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}

// unregistered is a collector, so that nobody has to keep its numbers up to date.
type unregistered struct {
	find func() []string
	desc *prometheus.Desc
}

func (u *unregistered) Describe(descs chan<- *prometheus.Desc) { descs <- u.desc }

func (u *unregistered) Collect(metrics chan<- prometheus.Metric) {
	for _, id := range u.find() {
		metrics <- prometheus.MustNewConstMetric(u.desc, prometheus.GaugeValue, 1, id)
	}
}
