package load

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// server answers as a webhook does, and counts.
func server(t *testing.T, asked *atomic.Int64, wait time.Duration) *Target {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 2 { // the first is New's
			time.Sleep(wait)
		}
		_, _ = w.Write([]byte(`{"response":{"allowed":true}}`))
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := New(t.Context(), s.Listener.Addr().String(), ca, "/", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(target.Close)
	return target
}

func TestClosedCounts(t *testing.T) {
	var asked atomic.Int64
	n, err := server(t, &asked, 0).Closed(t.Context(), 4, 100, time.Minute)
	if err != nil || n != 100 || asked.Load() != 101 {
		t.Errorf("asked %d, the server saw %d: %v", n, asked.Load(), err)
	}
}

// With one at a time, a stall of 50 ms makes the next ones late, and the histogram says so: a generator that counted from when it sent
// would see one slow review only.
func TestOpenCountsFromTheIntendedStart(t *testing.T) {
	var asked atomic.Int64
	h, err := server(t, &asked, 50*time.Millisecond).Open(t.Context(), 1000, 50*time.Millisecond, 1)
	if err != nil {
		t.Fatal(err)
	}
	if h.TotalCount() != 50 || asked.Load() != 51 {
		t.Errorf("recorded %d, the server saw %d, want 50 and one more", h.TotalCount(), asked.Load())
	}
	if late := h.ValueAtQuantile(80); late < (10 * time.Millisecond).Nanoseconds() {
		t.Errorf("a fifth of the reviews is no later than %s", time.Duration(late))
	}
}

func TestOnlyLoopback(t *testing.T) {
	if _, err := New(t.Context(), "192.0.2.1:443", "", "/", nil); err == nil {
		t.Error("another host is accepted")
	}
}
