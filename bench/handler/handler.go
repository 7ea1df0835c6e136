// Package handler measures one whole review in this process, from the bytes of the body to those of the answer: benchmarks, and budgets
// of what may be allocated.
package handler

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"time"

	"github.com/gesso-dev/gesso/bench/cases"
	"github.com/gesso-dev/gesso/bench/fixtures"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/webhook"
)

// Review is one review, ready to be asked again and again. It costs next to nothing itself.
type Review struct {
	handler http.Handler
	body    []byte
	request *http.Request
	reader  bytes.Reader
	answer  answer
}

// New makes the review of a case.
func New(ctx context.Context, c cases.Case) (*Review, error) {
	engine, err := c.Setup.Engine(ctx)
	if err != nil {
		return nil, err
	}
	return With(ctx, c, engine)
}

// With is New with an engine of the setup that exists already.
func With(ctx context.Context, c cases.Case, engine *admission.Engine) (*Review, error) {
	entry, err := cases.EntryOf(c.Entry)
	if err != nil {
		return nil, err
	}
	r := &Review{handler: webhook.NewHandler(entry, webhook.Config{Reviewer: engine, Facts: facts{}})}
	if r.body, err = fixtures.Review(c.Fixture); err != nil {
		return nil, err
	}
	// Half a minute, so that a thousand policies have the time that they need on a slow machine too.
	r.request, err = http.NewRequestWithContext(ctx, http.MethodPost, "https://gesso"+entry.Path+"?timeout=30s", http.NoBody)
	if err != nil {
		return nil, err
	}
	r.request.Header.Set("Content-Type", "application/json")
	r.request.ContentLength = int64(len(r.body))
	r.answer.header = http.Header{}
	if err := r.Ask(); err != nil {
		return nil, err
	}
	if want := []byte(`"allowed":true`); !bytes.Contains(r.answer.body.Bytes(), want) {
		return nil, fmt.Errorf("%s is not allowed: %s", c.Name, r.answer.body.Bytes())
	}
	return r, nil
}

// Ask has it reviewed once.
func (r *Review) Ask() error {
	r.reader.Reset(r.body)
	r.request.Body = io.NopCloser(&r.reader)
	r.answer.body.Reset()
	r.answer.code = http.StatusOK
	r.handler.ServeHTTP(&r.answer, r.request)
	if r.answer.code != http.StatusOK {
		return fmt.Errorf("status %d: %s", r.answer.code, r.answer.body.Bytes())
	}
	return nil
}

// Allocated counts what a review allocates. The runtime counts for the whole process, so that a collection that empties the pools, or policies
// that are still prepared in the background, are in it too: it counts until three runs in a row agree with the least, or half a minute is over.
func (r *Review) Allocated() (allocations, allocated uint64, err error) {
	const reviews, agreeing, patience = 50, 3, 30 * time.Second
	least, agreed := [2]uint64{1 << 62, 1 << 62}, 0
	for began := time.Now(); agreed < agreeing && time.Since(began) < patience; {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range reviews {
			if err := r.Ask(); err != nil {
				return 0, 0, err
			}
		}
		runtime.ReadMemStats(&after)
		now := [2]uint64{(after.Mallocs - before.Mallocs) / reviews, (after.TotalAlloc - before.TotalAlloc) / reviews}
		if now[0] < least[0]-least[0]/50 { // the least was no least
			agreed = 0
		}
		least = [2]uint64{min(least[0], now[0]), min(least[1], now[1])}
		if now[0] <= least[0]+least[0]/50 {
			agreed++
		} else {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return least[0], least[1], nil
}

// Answer is the body of the last answer, until the next.
func (r *Review) Answer() []byte { return r.answer.body.Bytes() }

// Size is that of the body.
func (r *Review) Size() int { return len(r.body) }

// answer is an http.ResponseWriter that is used again.
type answer struct {
	header http.Header
	body   bytes.Buffer
	code   int
}

func (a *answer) Header() http.Header             { return a.header }
func (a *answer) Write(p []byte) (int, error)     { return a.body.Write(p) }
func (a *answer) WriteHeader(code int)            { a.code = code }
func (a *answer) SetReadDeadline(time.Time) error { return nil }

// facts knows every Namespace, with no labels.
type facts struct{}

func (facts) Namespace(_ context.Context, name string) (*convention.Namespace, error) {
	return &convention.Namespace{Name: name}, nil
}
