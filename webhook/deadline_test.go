package webhook

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadline(t *testing.T) {
	for name, tc := range map[string]struct {
		query string
		want  time.Duration
	}{
		"the API server's":          {"?timeout=10s", 9 * time.Second},
		"short":                     {"?timeout=1s", 900 * time.Millisecond},
		"shorter than two margins":  {"?timeout=100ms", 50 * time.Millisecond},
		"at least 100 ms are kept":  {"?timeout=500ms", 400 * time.Millisecond},
		"none: the entry's":         {"", 1800 * time.Millisecond},
		"no duration: the entry's":  {"?timeout=soon", 1800 * time.Millisecond},
		"negative: the entry's":     {"?timeout=-1s", 1800 * time.Millisecond},
		"unreasonable: the entry's": {"?timeout=24h", 1800 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base, cancel := context.WithCancel(t.Context())
				req := httptest.NewRequestWithContext(base, http.MethodPost, "/mutate"+tc.query, http.NoBody)
				began := time.Now()
				ctx := detached(req, fill.TimeoutSeconds)
				defer ctx.end()
				cancel() // SIGTERM
				if err := ctx.Err(); err != nil {
					t.Fatalf("the review ends with the server: %v", err)
				}
				<-ctx.Done()
				if got := time.Since(began); got != tc.want {
					t.Errorf("review may take %v, want %v", got, tc.want)
				}
			})
		})
	}
}
