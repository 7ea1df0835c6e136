package object

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// reviewOfPod is an AdmissionReview as the API server sends it: a Pod of two containers with its managedFields and its status.
func reviewOfPod(tb testing.TB) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/review.json")
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.TrimSpace(data)
}

// listOf repeats the review to a document of about size bytes.
func listOf(tb testing.TB, size int) []byte {
	tb.Helper()
	one := reviewOfPod(tb)
	return []byte(`{"items":[` + strings.Repeat(string(one)+",", size/len(one)) + string(one) + `]}`)
}

// manyMembers is an object of n members with names of one length that begin and end alike.
func manyMembers(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `,"member-%08d-of-many":0`, i)
	}
	b.WriteByte('}')
	b.Bytes()[0] = '{'
	return b.Bytes()
}

// readFew reads what an edge asks of an AdmissionReview to decide that nothing is to be done.
func readFew(tb testing.TB, root *Node) {
	tb.Helper()
	request := root.Get("request")
	if request.Get("uid").Str() == "" || request.Get("operation").Str() != "CREATE" || request.Get("kind", "kind").Str() != "Pod" ||
		request.Get("userInfo", "username").Str() == "" || request.Get("object", "metadata", "namespace").Str() != "shop" {
		tb.Fatal("it is another review")
	}
}

func BenchmarkScan(b *testing.B) {
	for _, body := range []struct {
		name string
		data []byte
	}{
		{"review", reviewOfPod(b)},
		{"100KB", listOf(b, 100_000)},
		{"1MB", listOf(b, 1_000_000)},
		{"members=100000", manyMembers(100_000)},
	} {
		run := func(name string, read func() bool) {
			b.Run(body.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(body.data)))
				b.ReportAllocs()
				for b.Loop() {
					if !read() {
						b.Fatal("it is refused")
					}
				}
			})
		}
		run("Scan", func() bool { _, err := Scan(body.data); return err == nil })
		run("Parse", func() bool { _, err := Parse(body.data); return err == nil })
		run("json.Valid", func() bool { return json.Valid(body.data) })
	}
}

// BenchmarkRead reads a few fields of a review, and all.
func BenchmarkRead(b *testing.B) {
	data := reviewOfPod(b)
	for _, way := range []struct {
		name string
		read func(root *Node)
	}{
		{"few", func(root *Node) { readFew(b, root) }},
		{"containers", func(root *Node) {
			o, err := Of(root.Get("request", "object"))
			if err != nil || len(o.Template().Containers()) != 2 {
				b.Fatal("it is another review")
			}
		}},
		{"all", func(root *Node) { walk(root) }},
		{"clone", func(root *Node) { root.Get("request", "object").Clone() }},
	} {
		for _, parser := range []struct {
			name  string
			parse func([]byte) (*Node, error)
		}{{"Scan", Scan}, {"Parse", Parse}} {
			b.Run(way.name+"/"+parser.name, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					root, err := parser.parse(data)
					if err != nil {
						b.Fatal(err)
					}
					way.read(root)
				}
			})
		}
	}
}

// walk reads all of a tree and returns how many values it has.
func walk(n *Node) int {
	count := 1
	for _, kid := range n.Members() {
		count += walk(kid)
	}
	for _, kid := range n.Elements() {
		count += walk(kid)
	}
	return count
}
