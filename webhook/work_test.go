package webhook

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/convention"
)

// slow is a body of which nothing more comes until it is closed.
type slow struct {
	io.Reader
	end chan struct{}
}

func (s *slow) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if n == 0 && err != nil {
		<-s.end
	}
	return n, err
}

// TestSlowBody sends a part of a body and then nothing: at the deadline there is an answer, whatever length was told, and the next
// request is served.
func TestSlowBody(t *testing.T) {
	for protocol, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		for name, length := range map[string]int64{"length told": 1000, "no length": -1} {
			t.Run(protocol+"/"+name, func(t *testing.T) {
				server := httptest.NewUnstartedServer(NewHandler(closed, Config{Reviewer: reviewer(allow), Concurrency: 1}))
				server.EnableHTTP2 = http2
				server.StartTLS()
				defer server.Close()
				body := &slow{strings.NewReader(`{"apiVersion":`), make(chan struct{})}
				end := sync.OnceFunc(func() { close(body.end) })
				defer end()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"?timeout=300ms", body)
				if err != nil {
					t.Fatal(err)
				}
				req.ContentLength = length
				req.Header.Set("Content-Type", "application/json")
				began := time.Now()
				response, err := server.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				text := read(t, response)
				end() // the client waits for the rest of the body before it lets go of the response
				response.Body.Close()
				if response.StatusCode != http.StatusRequestTimeout || text != "body did not arrive in time" {
					t.Errorf("status %d (%s), want 408", response.StatusCode, text)
				}
				if took := time.Since(began); took < 200*time.Millisecond {
					t.Errorf("refused after %v, want the deadline of 200ms", took)
				}
				after, err := server.Client().Post(server.URL, "application/json", bytes.NewReader(reviewOf(t, nil)))
				if err != nil {
					t.Fatal(err)
				}
				defer after.Body.Close()
				if text := read(t, after); after.StatusCode != http.StatusOK {
					t.Errorf("the next request got status %d (%s)", after.StatusCode, text)
				}
			})
		}
	}
}

// TestBodySizes sends bodies around every border of the buffers, with and without a length, and whole or in pieces.
func TestBodySizes(t *testing.T) {
	var got int
	h := NewHandler(closed, Config{Reviewer: reviewer(func(ctx context.Context, r admission.Request) admission.Result {
		got++
		return allow(ctx, r)
	})})
	small := len(reviewOf(t, nil))
	for _, size := range []int{small, 4<<10 - 1, 4 << 10, 4<<10 + 1, keptBuffer - 1, keptBuffer, keptBuffer + 1, trusted - 1, trusted, trusted + 1, maxBody - 1, maxBody, maxBody + 1} {
		body := append(reviewOf(t, nil), strings.Repeat(" ", size-small)...)
		for name, length := range map[string]int64{"told": int64(size), "not told": -1, "a lie": 1} {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x", bufio.NewReaderSize(bytes.NewReader(body), 1000))
			req.ContentLength = length
			req.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			got = 0
			h.ServeHTTP(w, req)
			want, called := http.StatusOK, 1
			if size > maxBody {
				want, called = http.StatusRequestEntityTooLarge, 0
			}
			if w.Code != want || got != called {
				t.Errorf("%d bytes, length %s: status %d and %d reviews, want %d and %d", size, name, w.Code, got, want, called)
			}
			if want == http.StatusOK && w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
				t.Errorf("%d bytes, length %s: Content-Length is %s, want %d", size, name, w.Header().Get("Content-Length"), w.Body.Len())
			}
		}
	}
}

// TestMemoryIsNotTakenOnTheClientsWord: a length that is not followed by a body costs no more than a bound, and what was large is not kept.
func TestMemoryIsNotTakenOnTheClientsWord(t *testing.T) {
	var shop workshop
	w := shop.take()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x", strings.NewReader("x"))
	req.ContentLength = maxBody
	if f := w.read(time.Now().Add(time.Minute), httptest.NewRecorder(), req); f != nil {
		t.Fatal(f.reason)
	}
	if cap(w.body) > trusted+8<<10 {
		t.Errorf("%d bytes were set aside for one", cap(w.body))
	}
	w.reply = make([]byte, keptBuffer+1)
	shop.give(w, true)
	if cap(w.body) > keptBuffer || cap(w.reply) > keptBuffer {
		t.Errorf("buffers of %d and %d bytes are kept, want at most %d", cap(w.body), cap(w.reply), keptBuffer)
	}
}

// TestMemoryInUseIsNotGivenBack: what an evaluation that was left behind may read is never used for another request.
func TestMemoryInUseIsNotGivenBack(t *testing.T) {
	for name, review := range map[string]reviewer{
		"held": func(context.Context, admission.Request) admission.Result {
			return admission.Result{Allowed: true, Held: true}
		},
		"panic": func(context.Context, admission.Request) admission.Result { panic("x") },
	} {
		h, _ := NewHandler(closed, Config{Reviewer: review}).(*handler)
		post(t, h, reviewOf(t, nil))
		if w := h.works.pool.Get(); w != nil {
			t.Errorf("%s: the memory was given back", name)
		}
	}
}

// TestNothingOutlivesTheBody: the names that go to caches and logs stay as they were when the body's memory holds another request.
func TestNothingOutlivesTheBody(t *testing.T) {
	var asked []string
	var logged []any
	sink := funcr.NewJSON(func(string) {}, funcr.Options{RenderArgsHook: func(kv []any) []any {
		logged = append(logged, kv...)
		return kv
	}})
	h := NewHandler(closed, Config{
		Log: sink,
		Facts: facts(func(_ context.Context, name string) (*convention.Namespace, error) {
			asked = append(asked, name)
			return nil, errors.New("not known")
		}),
		Reviewer: reviewer(func(context.Context, admission.Request) admission.Result {
			return admission.Result{Violations: []admission.Violation{{Policy: "p", Action: "deny"}}}
		}),
	})
	members := func(c string) map[string]string {
		return map[string]string{"uid": `"` + c + `"`, "namespace": `"` + c + `"`, "name": `"` + c + `"`, "kind": `{"group":"apps","version":"v1","kind":"Deployment"}`}
	}
	post(t, h, reviewOf(t, members("aaaa")))
	first := fmt.Sprint(logged)
	values := append([]any(nil), logged...)
	for range 8 { // the pool may give other memory now and then
		post(t, h, reviewOf(t, members("bbbb")))
	}
	if asked[0] != "aaaa" || fmt.Sprint(values) != first || !strings.Contains(first, "aaaa") {
		t.Errorf("asked for %q; logged first %s, later %v", asked, first, values)
	}
}

func TestDeadlineIsAContext(t *testing.T) {
	type key struct{}
	base, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	d := &deadline{base: base, at: time.Now().Add(time.Minute)}
	cancel()
	for range 2 { // before and after somebody waits
		if d.Err() != nil || context.Cause(d) != nil || d.Value(key{}) != "value" {
			t.Errorf("error is %v, cause %v, value %v", d.Err(), context.Cause(d), d.Value(key{}))
		}
		d.Done()
	}
	child, stop := context.WithTimeout(d, time.Hour)
	defer stop()
	d.end()
	<-child.Done()
	if !errors.Is(child.Err(), context.Canceled) || !errors.Is(d.Err(), context.Canceled) {
		t.Errorf("after the end: %v, child %v", d.Err(), child.Err())
	}
	late := &deadline{base: base, at: time.Now()}
	if !errors.Is(late.Err(), context.DeadlineExceeded) {
		t.Errorf("past the deadline: %v", late.Err())
	}
	<-late.Done()
	if !errors.Is(late.Err(), context.DeadlineExceeded) {
		t.Errorf("past the deadline, waited for: %v", late.Err())
	}
	ended := &deadline{base: base, at: time.Now().Add(time.Minute)}
	ended.end()
	if !errors.Is(ended.Err(), context.Canceled) {
		t.Errorf("ended: %v", ended.Err())
	}
	<-ended.Done()
}
