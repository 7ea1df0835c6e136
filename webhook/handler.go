package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/admission"
)

// namespaceWait is how long a review waits for a Namespace that is not known yet: one that was created a moment ago, by
// the same apply.
const namespaceWait = 250 * time.Millisecond

// NewHandler returns the handler of one entry: it reads AdmissionReviews of admission.k8s.io/v1, has them reviewed, and
// answers. c.Reviewer must be set.
//
// It answers HTTP 200 with an AdmissionReview for every body that is a review with a UID. Everything else gets a status
// and one line of plain text: 405 (not POST), 415 (not JSON), 413 (over 7 MiB), 408 (the body did not come in time), 400
// (empty, or no AdmissionReview), 429 (overload).
func NewHandler(e admission.Entry, c Config) http.Handler {
	c.setDefaults()
	return &handler{
		entry: e, Config: c,
		slots: make(chan struct{}, c.Concurrency),
		log:   c.Log.WithValues("entry", e.Name),
	}
}

type handler struct {
	Config
	entry admission.Entry
	slots chan struct{}
	log   logr.Logger
}

// fault is an answer that is no AdmissionReview.
type fault struct {
	code   int
	reason string
}

func (h *handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	began := time.Now()
	if f := checkHeader(req); f != nil {
		h.refuse(w, f)
		return
	}
	ctx, cancel := detached(req, h.entry.TimeoutSeconds)
	defer cancel()
	if !h.enter(ctx) {
		h.Metrics.count(h.entry.Name, outcomeOverload)
		h.overload(w)
		return
	}
	defer func() { <-h.slots }()
	defer h.Metrics.begin()()

	body, f := readBody(ctx, w, req)
	if f != nil {
		h.refuse(w, f)
		return
	}
	response, outcome, f := h.review(ctx, body)
	if f != nil {
		h.refuse(w, f)
		return
	}
	h.Metrics.observe(h.entry.Name, outcome, time.Since(began))
	write(w, response)
}

// enter takes a slot. A validation that finds none is shed at once, because an answer that comes too late is of no use. Filling
// queues until the deadline, because what it is not in time for runs without its defaults.
func (h *handler) enter(ctx context.Context) bool {
	select {
	case h.slots <- struct{}{}:
		return true
	default:
	}
	if h.entry.Steps != admission.Fill {
		return false
	}
	select {
	case h.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// overload answers 429 as an HTTP status, not as an AdmissionReview, for three reasons. It costs no reading of the body.
// The API server's client obeys Retry-After, so that a short burst ends in a second attempt within the same timeout. And
// when that fails too, it is a failed call, for which the registered failurePolicy decides; a review that is not allowed
// would refuse the request in an Ignore entry as well, and a busy Gesso would stop the cluster.
func (h *handler) overload(w http.ResponseWriter) {
	if h.entry.Steps != admission.Fill { // filling has waited until its deadline: there is no time to come again
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, "too many reviews at once, try again", http.StatusTooManyRequests)
}

func (h *handler) refuse(w http.ResponseWriter, f *fault) {
	reason := short(f.reason)
	h.Metrics.count(h.entry.Name, outcomeError)
	h.log.Info("refused a request that is no review", "code", f.code, "reason", reason)
	http.Error(w, reason, f.code)
}

// review turns a body into a response or a fault.
func (h *handler) review(ctx context.Context, body []byte) (response *admissionv1.AdmissionResponse, outcome string, f *fault) {
	var uid string
	defer func() {
		if p := recover(); p != nil {
			h.log.Error(panicError(p), "panic in a review", "uid", uid, "stack", string(debug.Stack()))
			response, outcome, f = broken(h.entry, uid, "Gesso failed on this request"), outcomePanic, nil
			if uid == "" {
				response, f = nil, &fault{http.StatusInternalServerError, "Gesso failed on this request"}
			}
		}
	}()
	raw, uid, f := openEnvelope(body)
	if f != nil {
		return nil, "", f
	}
	r, err := admission.Decode(raw)
	if err != nil {
		reason := short(err.Error())
		h.log.Info("refused an unusable review", "uid", uid, "reason", reason)
		return unusable(uid, reason), outcomeError, nil
	}
	r.Steps = h.entry.Steps
	r.Now = h.Now()
	h.addNamespace(ctx, &r)
	began := time.Now()
	result := h.Reviewer.Review(ctx, r)
	h.Metrics.evaluated(h.entry.Name, time.Since(began), &result)
	response, outcome = respond(h.entry, &r, &result)
	h.logOutcome(&r, &result, outcome)
	return response, outcome, nil
}

// addNamespace puts the facts of the Namespace into a request on a namespaced object, and leaves them out where they
// cannot be had: what that means is for the defaults and policies to say.
func (h *handler) addNamespace(ctx context.Context, r *admission.Request) {
	if h.Facts == nil || r.NamespaceName == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, namespaceWait)
	defer cancel()
	began := time.Now()
	ns, err := h.Facts.Namespace(ctx, r.NamespaceName)
	h.Metrics.namespaceWait(time.Since(began), err)
	if err != nil {
		h.log.Error(err, "review without the facts of its namespace", "uid", r.UID, "namespace", r.NamespaceName)
		return
	}
	r.Namespace = ns
}

// panicError describes a panic without its value, which may hold a part of the object; a run-time error never does.
func panicError(p any) error {
	if err, ok := p.(runtime.Error); ok {
		return err
	}
	return fmt.Errorf("panic with a value of type %T", p)
}

// write sends response in an AdmissionReview.
func write(w http.ResponseWriter, response *admissionv1.AdmissionResponse) {
	data, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: apiVersion, Kind: reviewKind},
		Response: response,
	})
	if err != nil { // these types always encode
		http.Error(w, "encode AdmissionReview failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // nobody is left to be told of an error: the client has gone
}
