package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"

	"github.com/gesso-dev/gesso/internal/object"
)

const (
	apiVersion = "admission.k8s.io/v1"
	reviewKind = "AdmissionReview"
)

// maxBody is the largest body that is read. The API server accepts no request over 3 MiB, and an update carries the object
// twice, as it was and as it shall be: 6 MiB. One more is for the rest of the review (user, options, names) and for
// what JSON adds to an object that came in another encoding.
const maxBody = 7 << 20

// checkHeader refuses what is no review before anything of its body is read.
func checkHeader(req *http.Request) *fault {
	if req.Method != http.MethodPost {
		return &fault{http.StatusMethodNotAllowed, "method " + shown(req.Method) + " is not allowed, want POST"}
	}
	media, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return &fault{http.StatusUnsupportedMediaType, "content type is " + shown(req.Header.Get("Content-Type")) + ", want application/json"}
	}
	if req.ContentLength > maxBody {
		return tooLarge()
	}
	return nil
}

func tooLarge() *fault {
	return &fault{http.StatusRequestEntityTooLarge, fmt.Sprintf("body is larger than %d bytes", maxBody)}
}

// readBody reads the whole body, within the deadline of ctx: a client that sends slowly must not hold a slot for longer.
func readBody(ctx context.Context, w http.ResponseWriter, req *http.Request) ([]byte, *fault) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = http.NewResponseController(w).SetReadDeadline(deadline) // test recorders have no connection
	}
	var b bytes.Buffer
	b.Grow(int(min(max(req.ContentLength, 0), 1<<20)) + bytes.MinRead) // never the whole length on the client's word
	_, err := b.ReadFrom(http.MaxBytesReader(w, req.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge()
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &fault{http.StatusRequestTimeout, "body did not arrive in time"}
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &fault{http.StatusBadRequest, "read body failed"}
	case b.Len() == 0:
		return nil, &fault{http.StatusBadRequest, "body is empty, want an AdmissionReview"}
	}
	return b.Bytes(), nil // one that was cut short is no JSON, and the parser says where it ends
}

// openEnvelope reads an AdmissionReview strictly and returns the bytes of its request, and the UID, which is never empty.
// A fault is one that no AdmissionReview can answer: there is no UID to put into it.
func openEnvelope(body []byte) (request []byte, uid string, f *fault) {
	root, err := object.Parse(body)
	if err != nil {
		return nil, "", &fault{http.StatusBadRequest, "read AdmissionReview: " + err.Error()}
	}
	version, kind := root.Get("apiVersion").Str(), root.Get("kind").Str()
	if version != apiVersion || kind != reviewKind {
		return nil, "", &fault{http.StatusBadRequest, fmt.Sprintf("body is no AdmissionReview of %s: apiVersion is %s, kind is %s",
			apiVersion, shown(version), shown(kind))}
	}
	node := root.Get("request")
	if node.Type() != object.Map {
		return nil, "", &fault{http.StatusBadRequest, "AdmissionReview without a request: it is " + node.Type().String() + ", want an object"}
	}
	if uid = node.Get("uid").Str(); uid == "" {
		return nil, "", &fault{http.StatusBadRequest, "AdmissionReview without request.uid"}
	}
	return node.Bytes(), uid, nil
}

// shown quotes a foreign word for a message of one line, and cuts a long one.
func shown(s string) string {
	if s == "" {
		return "missing"
	}
	return fmt.Sprintf("%q", cut(s, 64))
}
