package webhook

import (
	"fmt"
	"mime"
	"net/http"

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
	const want = "application/json"
	if content := req.Header.Get("Content-Type"); content != want { // the API server sends just that
		if media, _, err := mime.ParseMediaType(content); err != nil || media != want {
			return &fault{http.StatusUnsupportedMediaType, "content type is " + shown(content) + ", want " + want}
		}
	}
	if req.ContentLength > maxBody {
		return tooLarge()
	}
	return nil
}

func tooLarge() *fault {
	return &fault{http.StatusRequestEntityTooLarge, fmt.Sprintf("body is larger than %d bytes", maxBody)}
}

// openEnvelope reads an AdmissionReview strictly and returns its request, whose nodes refer to body and live in
// the memory of reader.
func openEnvelope(reader *object.Reader, body []byte) (request object.Node, f *fault) {
	root, err := reader.Scan(body)
	if err != nil {
		return request, &fault{http.StatusBadRequest, "read AdmissionReview: " + err.Error()}
	}
	ours, known := false, false
	root.Peek(func(name []byte, value object.Node) bool {
		switch string(name) {
		case "apiVersion":
			ours = value.Is(apiVersion)
		case "kind":
			known = value.Is(reviewKind)
		case "request":
			request = value
		}
		return true
	})
	if !ours || !known {
		return request, &fault{http.StatusBadRequest, fmt.Sprintf("body is no AdmissionReview of %s: apiVersion is %s, kind is %s",
			apiVersion, shown(root.Get("apiVersion").Str()), shown(root.Get("kind").Str()))}
	}
	if request.Type() != object.Map {
		return request, &fault{http.StatusBadRequest, "AdmissionReview without a request: it is " + request.Type().String() + ", want an object"}
	}
	return request, nil
}

// shown quotes a foreign word for a message of one line, and cuts a long one.
func shown(s string) string {
	if s == "" {
		return "missing"
	}
	return fmt.Sprintf("%q", cut(s, 64))
}
