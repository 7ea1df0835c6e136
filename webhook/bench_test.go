package webhook

import (
	"net/http"
	"strings"
	"testing"
)

// BenchmarkHandler is what the edge itself costs for one review, with the given number of containers in the object.
func BenchmarkHandler(b *testing.B) {
	for name, containers := range map[string]int{"1": 1, "10": 10, "100": 100} {
		container := `{"name":"c","image":"shop:0123abc","env":[{"name":"A","value":"b"}],"ports":[{"containerPort":8080}]}`
		object := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"shop"},"spec":{"template":{"spec":{"containers":[` +
			strings.TrimSuffix(strings.Repeat(container+",", containers), ",") + `]}}}}`
		body := reviewOf(b, map[string]string{"object": object})
		b.Run("containers="+name, func(b *testing.B) {
			h := NewHandler(closed, Config{Reviewer: reviewer(allow)})
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if w := post(b, h, body); w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
