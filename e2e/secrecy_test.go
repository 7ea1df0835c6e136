package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestNoSecretLeaves posts reviews of objects that hold a secret, and looks for it in everything that leaves the running server: the
// answer with its message, causes, warnings and audit annotations, the log, the metrics, the status.
func TestNoSecretLeaves(t *testing.T) {
	const core = "Zq7kTw2vXb9mRf4c"
	secret := "AKIA" + "ZQ7KTW2VXB3MRF4C"
	encoded := base64.StdEncoding.EncodeToString([]byte(core))
	told := []string{core, secret, secret[4:], encoded}
	pod := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default"},"spec":{"containers":[{"name":"web","image":"shop:latest",%s}]}}`
	denied := 0
	for kind, object := range map[string]string{
		"Secret":    fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":"web","namespace":"default"},"data":{"password":%q}}`, encoded),
		"ConfigMap": fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"web","namespace":"default"},"data":{"url":"postgres://admin:%s@db/x","key":%q}}`, core, secret),
		"Pod":       fmt.Sprintf(pod, fmt.Sprintf(`"env":[{"name":"PASSWORD","value":%q},{"name":"AWS_SECRET_ACCESS_KEY","value":%q}],"args":["--password=%s"]`, core, secret, core)),
	} {
		review := fmt.Sprintf(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":%q},`+
			`"resource":{"group":"","version":"v1","resource":"%ss"},"name":"web","namespace":"default","operation":"CREATE","userInfo":{"username":"dev"},"object":%s}}`,
			kind, strings.ToLower(kind), object)
		for _, path := range []string{"/validate/closed", "/validate/open"} {
			status, answer := post(t, path, review)
			var got struct{ Response struct{ Allowed bool } }
			if err := json.Unmarshal(answer, &got); err != nil || status != http.StatusOK {
				t.Fatalf("%s at %s: HTTP %d, %v\n%s", kind, path, status, err, answer)
			}
			if !got.Response.Allowed {
				denied++
			}
			missing(t, kind+" at "+path, string(answer), told)
		}
	}
	if denied != 6 {
		t.Errorf("%d of 6 reviews are denied: this test looks at answers that say nothing", denied)
	}
	for _, path := range []string{"/metrics", "/statusz"} {
		body, err := shared.gesso.Get(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		missing(t, path, string(body), told)
	}
	log := shared.gesso.Log()
	if !strings.Contains(log, "native-secret") || !strings.Contains(log, "inline-credentials") {
		t.Error("the log does not hold the denials")
	}
	missing(t, "the log", log, told)
}

// missing holds that text holds none of the words.
func missing(t *testing.T, where, text string, words []string) {
	t.Helper()
	for _, word := range words {
		if strings.Contains(text, word) {
			t.Errorf("%s holds %q", where, word)
		}
	}
}
