package webhook

import (
	"context"
	"net/http"
	"time"
)

// detached returns the context of a review. Its deadline is the one that the API server sends as ?timeout=, or seconds
// where it sends none, less a margin. It is cut off from the request's own context: controller-runtime ends that one for
// all requests at the moment of SIGTERM, and reviews in flight would turn into refusals in every roll-out.
func detached(req *http.Request, seconds int32) (context.Context, context.CancelFunc) {
	limit := time.Duration(seconds) * time.Second
	// The API server waits 30 s at most; a larger value comes from somebody else, who shall not hold a slot for longer.
	if d, err := time.ParseDuration(req.URL.Query().Get("timeout")); err == nil && d > 0 && d <= 30*time.Second {
		limit = d
	}
	return context.WithTimeout(context.WithoutCancel(req.Context()), limit-margin(limit))
}

// margin is what is kept of a timeout so that our answer, with its reason, arrives before the API server gives up and
// knows none: a tenth and at least 100 ms, but never more than half.
func margin(limit time.Duration) time.Duration {
	return min(max(limit/10, 100*time.Millisecond), limit/2)
}
