package webhook

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// detached returns the context of a review. Its deadline is the one that the API server sends as ?timeout=, or seconds
// where it sends none, less a margin. It is cut off from the request's own context: controller-runtime ends that one for
// all requests at the moment of SIGTERM, and reviews in flight would turn into refusals in every roll-out.
func detached(req *http.Request, seconds int32) *deadline {
	limit := time.Duration(seconds) * time.Second
	// The API server waits 30 s at most; a larger value comes from somebody else, who shall not hold a slot for longer.
	if d, err := time.ParseDuration(timeout(req.URL.RawQuery)); err == nil && d > 0 && d <= 30*time.Second {
		limit = d
	}
	return &deadline{base: req.Context(), at: time.Now().Add(limit - margin(limit))}
}

// timeout returns the parameter of that name. The API server sends it alone and as it is, and that is cheap to read.
func timeout(query string) string {
	value, alone := strings.CutPrefix(query, "timeout=")
	if query == "" || alone && !strings.ContainsAny(value, "&;%+") {
		return value
	}
	values, _ := url.ParseQuery(query) // what is malformed is left out, as by [url.URL.Query]
	return values.Get("timeout")
}

// margin is what is kept of a timeout so that our answer, with its reason, arrives before the API server gives up and
// knows none: a tenth and at least 100 ms, but never more than half.
func margin(limit time.Duration) time.Duration {
	return min(max(limit/10, 100*time.Millisecond), limit/2)
}

// deadline is a context that ends at a time or when end is called, and with nothing else: of base it has the values only. It starts
// its timer when somebody first waits for it, which most reviews never do.
type deadline struct {
	base context.Context
	at   time.Time

	mu    sync.Mutex
	timed context.Context // made by the first who waits
	stop  context.CancelFunc
	ended bool
}

// Deadline implements [context.Context].
func (d *deadline) Deadline() (time.Time, bool) { return d.at, true }

// Done implements [context.Context].
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil {
		d.timed, d.stop = context.WithDeadline(context.WithoutCancel(d.base), d.at)
		if d.ended {
			d.stop()
		}
	}
	return d.timed.Done()
}

// Err implements [context.Context].
func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.timed != nil:
		return d.timed.Err()
	case d.ended:
		return context.Canceled
	case !time.Now().Before(d.at):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements [context.Context]. Package context asks it whose child a context is: once there is a timer, its.
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed != nil {
		return d.timed.Value(key)
	}
	return context.WithoutCancel(d.base).Value(key)
}

// end ends the context, as a [context.CancelFunc] does.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.stop != nil {
		d.stop()
	}
}
