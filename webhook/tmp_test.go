package webhook
import ("testing";"github.com/gesso-dev/gesso/internal/object")
func BenchmarkScanOnly(b *testing.B) {
	body := sized(b, 8800, true)
	b.SetBytes(int64(len(body)))
	for b.Loop() { if _, err := object.Scan(body); err != nil { b.Fatal(err) } }
}
func BenchmarkHandlerOnly(b *testing.B) {
	body := sized(b, 8800, true)
	c := newCaller(b, NewHandler(closed, Config{Reviewer: engine(b)}), body)
	b.SetBytes(int64(len(body)))
	for b.Loop() { c.call() }
}
