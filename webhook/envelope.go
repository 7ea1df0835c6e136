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

// openEnvelope reads an AdmissionReview strictly and returns its request, whose nodes refer to body, and the UID, which is never
// empty. A fault is one that no AdmissionReview can answer: there is no UID to put into it.
func openEnvelope(body []byte) (request *object.Node, uid string, f *fault) {
	root, err := object.Scan(body)
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
	return node, uid, nil
}

// shown quotes a foreign word for a message of one line, and cuts a long one.
func shown(s string) string {
	if s == "" {
		return "missing"
	}
	return fmt.Sprintf("%q", cut(s, 64))
}
