package webhook

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/go-logr/logr"

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
		slots:       make(chan struct{}, c.Concurrency),
		log:         c.Log.WithValues("entry", e.Name),
		metrics:     c.Metrics.of(e.Name),
		contentType: []string{"application/json"},
	}
}

type handler struct {
	Config
	entry       admission.Entry
	slots       chan struct{}
	log         logr.Logger
	metrics     *entryMetrics
	works       workshop
	contentType []string // of every answer; nobody writes to it
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
	ctx := detached(req, h.entry.TimeoutSeconds)
	defer ctx.end()
	if !h.enter(ctx) {
		h.metrics.count(outcomeOverload)
		h.overload(w)
		return
	}
	defer h.leave()

	deepen(len(req.RequestURI))
	work := h.works.take()
	if f := work.read(ctx.at, w, req); f != nil {
		h.works.give(work, true)
		h.refuse(w, f)
		return
	}
	outcome, free, f := h.review(ctx, work)
	if f != nil {
		h.works.give(work, free)
		h.refuse(w, f)
		return
	}
	h.metrics.observe(outcome, time.Since(began))
	h.write(w, work.reply)
	h.works.give(work, free)
}

// enter takes a slot. A validation that finds none is shed at once, because an answer that comes too late is of no use. Filling
// queues until the deadline, because what it is not in time for runs without its defaults.
func (h *handler) enter(ctx context.Context) bool {
	select {
	case h.slots <- struct{}{}:
		h.metrics.begin()
		return true
	default:
	}
	if h.entry.Steps != admission.Fill {
		return false
	}
	select {
	case h.slots <- struct{}{}:
		h.metrics.begin()
		return true
	case <-ctx.Done():
		return false
	}
}

// leave gives the slot back.
func (h *handler) leave() {
	h.metrics.done()
	<-h.slots
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
	h.metrics.count(outcomeError)
	h.log.Info("refused a request that is no review", "code", f.code, "reason", reason)
	http.Error(w, reason, f.code)
}

// review turns the body into a reply or a fault. free is whether the memory of w may be used again.
func (h *handler) review(ctx context.Context, w *work) (outcome string, free bool, f *fault) {
	defer func() {
		if p := recover(); p != nil {
			free = false // whoever panicked may have left somebody behind who reads what is in w
			outcome, f = h.panicked(w, p)
		}
	}()
	if w.envelope, f = openEnvelope(&w.reader, w.body); f != nil {
		return "", true, f
	}
	r := &w.request
	err := r.DecodeNode(&w.envelope)
	if r.UID == "" { // no AdmissionReview can answer this: there is no UID to put into it
		return "", true, &fault{http.StatusBadRequest, "AdmissionReview without request.uid"}
	}
	if err != nil {
		reason := short(err.Error())
		h.log.Info("refused an unusable review", "uid", r.UID, "reason", reason)
		w.answer(unusable(r.UID, reason))
		return outcomeError, true, nil
	}
	r.Steps = h.entry.Steps
	r.Once = true
	r.Now = h.Now()
	h.addNamespace(ctx, r)
	began := time.Now()
	h.Reviewer.Answer(ctx, r, &w.result)
	h.metrics.evaluated(time.Since(began), &w.result)
	return h.answer(w), !w.result.Held, nil
}

// answer writes the reply to what was reviewed, and the log line, if there is one.
func (h *handler) answer(w *work) (outcome string) {
	a, outcome := respond(h.entry, &w.request, &w.result)
	w.answer(a)
	h.logOutcome(&w.request, &w.result, outcome)
	return outcome
}

// panicked answers after a panic with the value p.
func (h *handler) panicked(w *work, p any) (outcome string, f *fault) {
	uid := w.envelope.Get("uid").Str()
	h.log.Error(panicError(p), "panic in a review", "uid", uid, "stack", string(debug.Stack()))
	if uid == "" {
		return "", &fault{http.StatusInternalServerError, "Gesso failed on this request"}
	}
	w.answer(broken(h.entry, uid, "Gesso failed on this request"))
	return outcomePanic, nil
}

// addNamespace puts the facts of the Namespace into a request on a namespaced object, and leaves them out where they
// cannot be had: what that means is for the defaults and policies to say.
func (h *handler) addNamespace(ctx context.Context, r *admission.Request) {
	if h.Facts == nil || r.NamespaceName == "" {
		return
	}
	began := time.Now()
	wait := &deadline{base: ctx, at: began.Add(namespaceWait)}
	if end, ok := ctx.Deadline(); ok && end.Before(wait.at) {
		wait.at = end
	}
	defer wait.end()
	ns, err := h.Facts.Namespace(wait, r.NamespaceName)
	h.metrics.namespaceWait(time.Since(began), err)
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

// write sends a reply.
func (h *handler) write(w http.ResponseWriter, reply []byte) {
	header := w.Header()
	header["Content-Type"] = h.contentType
	header["Content-Length"] = []string{strconv.Itoa(len(reply))}
	_, _ = w.Write(reply) // nobody is left to be told of an error: the client has gone
}
