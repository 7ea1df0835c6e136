package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// writePart puts text between the two marks of a part in the page, which must be there.
func writePart(page, name, text string) error {
	raw, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	written, err := replacePart(string(raw), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, []byte(written), 0o644)
}

func replacePart(page, name, text string) (string, error) {
	begin, end := fmt.Sprintf("<!-- begin %s -->\n", name), fmt.Sprintf("<!-- end %s -->\n", name)
	before, rest, found := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("there is no pair of marks for %s", name)
	}
	return before + begin + strings.TrimSpace(text) + "\n" + end + after, nil
}

// table writes markdown.
func table(header []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	line(slices.Repeat([]string{"---"}, len(header)))
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// median of numbers; 0 of none.
func median(numbers []float64) float64 {
	if len(numbers) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(numbers))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// ratios divides pairwise.
func ratios(of, by []float64) []float64 {
	var list []float64
	for i := range min(len(of), len(by)) {
		if by[i] > 0 {
			list = append(list, of[i]/by[i])
		}
	}
	return list
}

func micros(d float64) string { return fmt.Sprintf("%.0f µs", d/1e3) }

func times(r float64) string { return fmt.Sprintf("%.2f", r) }

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
