package webhook

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/object"
)

const (
	// keptBuffer is the largest buffer that is kept for the next request: nearly all reviews fit, and what is kept stays small.
	keptBuffer = 256 << 10
	// trusted is how much is set aside on the client's word about the length of its body: never the whole length.
	trusted = 1 << 20
)

// work is the memory of one request, used again by the next.
type work struct {
	body    []byte // what the request's nodes refer to
	reply   []byte
	scratch []byte
	reader  object.Reader
	// What would make the stack of each request's goroutine grow.
	envelope object.Node
	request  admission.Request
	result   admission.Result

	// The clock of the body. The server's own way to limit reading costs a timer and a message to the goroutine of the connection for
	// each request; this one uses it only when the time is up.
	clock   *time.Timer
	mu      sync.Mutex
	reading http.ResponseWriter // nil unless the body is being read
	fired   bool                // the clock may still be about to look at reading
}

// workshop keeps work between requests.
type workshop struct{ pool sync.Pool }

func (s *workshop) take() *work {
	if w, ok := s.pool.Get().(*work); ok {
		return w
	}
	return &work{}
}

// give takes w back. free says that nothing refers to what is in it any more; otherwise an evaluation that was left behind may.
func (s *workshop) give(w *work, free bool) {
	if !free || w.fired { // a clock that is late must not end the reading of another request
		return
	}
	w.envelope, w.request, w.result = object.Node{}, admission.Request{}, admission.Result{}
	if cap(w.body) > keptBuffer {
		w.body, w.reader = nil, object.Reader{} // which refers to the body
	}
	if cap(w.reply) > keptBuffer {
		w.reply = nil
	}
	if cap(w.scratch) > keptBuffer {
		w.scratch = nil
	}
	s.pool.Put(w)
}

// read reads the whole body until a time: a client that sends slowly must not hold a slot for longer.
func (w *work) read(until time.Time, rw http.ResponseWriter, req *http.Request) *fault {
	w.start(until, rw)
	err := w.fill(rw, req)
	w.stop()
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge()
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &fault{http.StatusRequestTimeout, "body did not arrive in time"}
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return &fault{http.StatusBadRequest, "read body failed"}
	case len(w.body) == 0:
		return &fault{http.StatusBadRequest, "body is empty, want an AdmissionReview"}
	}
	return nil // one that was cut short is no JSON, and the parser says where it ends
}

// fill reads into w.body until the end.
func (w *work) fill(rw http.ResponseWriter, req *http.Request) error {
	body := io.Reader(req.Body)
	if req.ContentLength < 0 { // a length that is told was checked, and the server holds the client to it
		body = http.MaxBytesReader(rw, req.Body, maxBody)
	}
	w.body = w.body[:0]
	// One byte more, so that the end is seen without growing.
	if want := int(min(max(req.ContentLength, 0), trusted)) + 1; cap(w.body) < want {
		w.body = make([]byte, 0, max(want, 4<<10))
	}
	for {
		if len(w.body) == cap(w.body) {
			w.body = append(w.body, 0)[:len(w.body)]
		}
		n, err := body.Read(w.body[len(w.body):cap(w.body)])
		w.body = w.body[:len(w.body)+n]
		switch {
		case len(w.body) > maxBody:
			return &http.MaxBytesError{Limit: maxBody}
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// answer writes the reply.
func (w *work) answer(a answer) { w.reply, w.scratch = a.append(w.reply[:0], w.scratch) }

// start sets the clock.
func (w *work) start(until time.Time, rw http.ResponseWriter) {
	w.mu.Lock()
	w.reading = rw
	w.mu.Unlock()
	if left := time.Until(until); w.clock == nil {
		w.clock = time.AfterFunc(left, w.interrupt)
	} else {
		w.clock.Reset(left)
	}
}

func (w *work) stop() {
	w.fired = !w.clock.Stop()
	w.mu.Lock()
	w.reading = nil
	w.mu.Unlock()
}

// interrupt makes the reading that is going on fail with [os.ErrDeadlineExceeded].
func (w *work) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reading != nil {
		_ = http.NewResponseController(w.reading).SetReadDeadline(time.Unix(1, 0)) // test recorders have no connection
	}
}
