package webhook

import (
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestDrainMovesClientsAway keeps one client busy, as an API server is with its one HTTP/2 connection: while draining it is
// told to connect anew, where it may reach another replica, and loses no review over that.
func TestDrainMovesClientsAway(t *testing.T) {
	s := start(t, func(o *Options) { o.DrainDelay = 2 * time.Second })
	s.waitReady(t, http.StatusOK)
	client := s.client(t)
	var connections atomic.Int32
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if !i.Reused {
			connections.Add(1)
		}
	}}
	call := func() {
		ctx := httptrace.WithClientTrace(t.Context(), trace)
		url := "https://" + s.Addr().String() + closed.Path + "?timeout=5s"
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(string(reviewOf(t, nil))))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Content-Type", "application/json")
		response, err := client.Do(req)
		if err != nil {
			t.Errorf("a review was lost: %v", err)
			return
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("status is %d", response.StatusCode)
		}
	}
	call()
	call()
	if n := connections.Load(); n != 1 {
		t.Fatalf("%d connections before the drain, want 1", n)
	}
	s.stop()
	s.waitReady(t, http.StatusServiceUnavailable)
	began := time.Now()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for time.Since(began) < time.Second {
				call()
			}
		})
	}
	group.Wait()
	if n := connections.Load(); n < 2 {
		t.Errorf("%d connections in all, want new ones while draining", n)
	}
	if err := <-s.done; err != nil {
		t.Errorf("Run returned %v, want nil", err)
	}
}
