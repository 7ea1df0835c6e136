package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplacePart(t *testing.T) {
	page := "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n"
	got, err := replacePart(page, "x", "new")
	if want := strings.Replace(page, "old", "new", 1); err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := replacePart(page, "y", "new"); err == nil {
		t.Error("a part without marks is written")
	}
}

// Every part has its place in the page, else a run of a quarter of an hour would end with nothing written.
func TestPageHasAllParts(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{figuresPart}
	for _, p := range parts() {
		names = append(names, p.name)
	}
	for _, name := range names {
		if _, err := replacePart(string(raw), name, ""); err != nil {
			t.Error(err)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		numbers []float64
		want    float64
	}{{nil, 0}, {[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(tc.numbers); got != tc.want {
			t.Errorf("median of %v is %v, want %v", tc.numbers, got, tc.want)
		}
	}
}
