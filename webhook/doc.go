// Package webhook is the edge of Gesso: the TLS server, AdmissionReview in and out, the deadline, the drain, health and
// metrics. It knows HTTP and decides nothing: what happens to an object is up to a [Reviewer].
//
// Three outcomes must not be mixed up here. A body that is no review gives an HTTP error, which the API server takes for
// a failed call. A review that cannot be used, or is refused, gives an AdmissionReview with its UID and allowed: false.
// When Gesso itself is broken, the entry says which way to err: refuse in one that the API server fails closed, let
// through with a warning everywhere else, because there the cluster must run without Gesso as well.
package webhook

import (
	"context"
	"time"

	"github.com/go-logr/logr"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/convention"
)

// Reviewer answers one review; *admission.Engine is one. It works in the memory of the caller: it may use r up, and replaces what result
// held. It must be safe for concurrent use, and return soon after ctx is done: the deadline of ctx lies a little before the one by which
// the API server stops waiting.
type Reviewer interface {
	Answer(ctx context.Context, r *admission.Request, result *admission.Result)
}

// Facts is where the metadata of Namespaces comes from. Namespace may wait for one that is not known yet, at most until
// ctx is done, and must be safe for concurrent use. What it returns is shared and not written to.
type Facts interface {
	Namespace(ctx context.Context, name string) (*convention.Namespace, error)
}

// Config is what the handlers of all entries share.
type Config struct {
	Reviewer Reviewer
	// Facts may be nil: then no review knows its Namespace.
	Facts Facts
	// Now is the clock of the reviews; nil is time.Now.
	Now func() time.Time
	// Log gets one line for each denial and each error; the zero value discards them.
	Log logr.Logger
	// Metrics may be nil.
	Metrics *Metrics
	// Concurrency is how many requests each handler works on at once; 0 is [DefaultConcurrency]. A request counts from
	// before its body is read, so that this bounds memory too: the worst case is Concurrency bodies of 7 MiB.
	Concurrency int
}

// DefaultConcurrency is how many requests a handler works on at once. A review takes about a millisecond of CPU, so that
// this many at once are far more than the cores can use; they leave room for some that wait for their Namespace.
const DefaultConcurrency = 64

func (c *Config) setDefaults() {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Concurrency <= 0 {
		c.Concurrency = DefaultConcurrency
	}
	if c.Log.GetSink() == nil {
		c.Log = logr.Discard()
	}
}
