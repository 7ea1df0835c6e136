package handler

import (
	"fmt"
	"testing"

	"github.com/gesso-dev/gesso/bench/cases"
	"github.com/gesso-dev/gesso/bench/fixtures"
)

// BenchmarkReview is a whole review of each main case.
func BenchmarkReview(b *testing.B) {
	for _, c := range cases.Main() {
		b.Run(c.Name, func(b *testing.B) { run(b, c) })
	}
}

// BenchmarkLadder is a Pod under so many policies, of which ten match it or all.
func BenchmarkLadder(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		for name, setup := range map[string]cases.Setup{"ten match": cases.Ladder(n), "all match": cases.LadderAll(n)} {
			b.Run(fmt.Sprintf("%d installed/%s", n, name), func(b *testing.B) {
				run(b, cases.Case{Name: setup.Name, Setup: setup, Entry: "open", Fixture: fixtures.Pod})
			})
		}
	}
}

// BenchmarkSize is a Pod of each size under the ten policies.
func BenchmarkSize(b *testing.B) {
	for _, size := range fixtures.Sizes() {
		b.Run(fmt.Sprintf("%d KB", size), func(b *testing.B) {
			run(b, cases.Case{Name: "size", Setup: cases.Ten(), Entry: "open", Fixture: fixtures.SizeName(size)})
		})
	}
}

func run(b *testing.B, c cases.Case) {
	b.Helper()
	r, err := New(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(r.Size()))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Ask(); err != nil {
			b.Fatal(err)
		}
	}
}
