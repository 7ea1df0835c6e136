package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gesso-dev/gesso/bench/cases"
	"github.com/gesso-dev/gesso/bench/handler"
)

// figure is something that Gesso promises.
type figure struct {
	what string
	// must is what holds, reach is what is aimed at; measured is what came out, the worst where there are several, and 0 where it was not measured.
	must, reach, measured float64
	unit                  string
	note                  string
	// least is set where more is better.
	least bool
}

// verdict says in a word how it went.
func (f figure) verdict() string {
	good := func(bound float64) bool { return (f.measured <= bound) != f.least || f.measured == bound }
	switch {
	case f.measured == 0:
		return "not measured"
	case good(f.reach):
		return "reached"
	case good(f.must):
		return "held"
	}
	return "**missed**"
}

// keepFigures writes the table of what must be and what is, from the numbers of this run and, for parts that were not run, of the last.
func (b *bed) keepFigures(ctx context.Context) error {
	all, err := b.figures(ctx)
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	var lines [][]string
	for _, f := range all {
		show := func(n float64) string { return fmt.Sprintf("%.4g%s", n, f.unit) }
		measured := "–"
		if f.measured > 0 {
			measured = show(f.measured) + f.note
		}
		bound := "≤ "
		if f.least {
			bound = "≥ "
		}
		lines = append(lines, []string{f.what, bound + show(f.must), show(f.reach), measured, f.verdict()})
	}
	text := table([]string{"figure", "must", "reach", "measured", ""}, lines)
	fmt.Fprintf(b.out, "\n%s\n", text)
	if b.quick {
		return nil
	}
	return writePart(filepath.Join(b.root, b.page), figuresPart, text)
}

// figuresPart is the place of the figures in the page.
const figuresPart = "figures"

func (b *bed) figures(ctx context.Context) ([]figure, error) {
	var (
		served servedNumbers
		ways   []wayRow
		starts []startRow
		soak   soakNumbers
		others peersNumbers
	)
	for name, into := range map[string]any{"served": &served, "end-to-end": &ways, "start": &starts, "soak": &soak, "peers": &others} {
		if err := b.numbers(name, into); err != nil {
			return nil, err
		}
	}
	allocations, err := allocationsOf(ctx, "10 policies")
	if err != nil {
		return nil, err
	}
	row := func(name string) servedRow {
		for _, r := range served.Rows {
			if r.Name == name {
				return r
			}
		}
		return servedRow{}
	}
	overHTTPS := func(what, name string, must, reach float64) figure {
		by := row(name).Floor
		return figure{what: what, must: must, reach: reach, measured: max(by[1], by[8]), unit: " F", note: clients(by)}
	}
	ten := row("10 policies")
	endToEnd := figure{what: "webhook CPU end to end against one that echoes", must: 2.5, reach: 1.5, unit: " ×"}
	if len(ways) > 0 {
		endToEnd.measured = ways[len(ways)-1].Times
	}
	cold := figure{what: "cold start to Ready, whole library", must: 500, reach: 300, unit: " ms"}
	if len(starts) > 0 {
		last := starts[len(starts)-1]
		cold.measured = float64(starts[0].Ready) / float64(time.Millisecond)
		cold.note = fmt.Sprintf(" (with %d objects to index: %s)", last.Objects, millis(last.Ready))
	}
	all := []figure{
		overHTTPS("nothing to do, over HTTPS", "nothing to do", 1.3, 1.15),
		overHTTPS("10 policies (9 match), Pod of 8.8 KB", "10 policies", 4, 2.5),
		{what: "the same against an empty controller-runtime webhook", must: 1.25, reach: 1.25, measured: max(ten.Empty[1], ten.Empty[8]), unit: " ×", note: clients(ten.Empty)},
		overHTTPS("5 defaults on a minimal Deployment", "5 defaults", 2.5, 1.6),
		{what: "1,000 policies installed against 50, 10 match", must: 1.2, reach: 1.1, measured: served.Ladder, unit: " ×"},
		endToEnd,
		{what: "allocations per review, 10 policies", must: 850, reach: 500, measured: allocations},
		{what: "RSS with the library and 10,000 objects, most of a soak", must: 96, reach: 64, measured: float64(soak.Most) / (1 << 20), unit: " MiB"},
		{what: "its growth from the second to the last fifth of a soak", must: growth, reach: 1.02, measured: soak.Growth, unit: " ×"},
		cold,
	}
	return append(all, others.figures()...), nil
}

// clients shows both numbers where the worse of two counts.
func clients(by map[int]float64) string {
	return fmt.Sprintf(" (%.2f with one client, %.2f with eight)", by[1], by[8])
}

// numbers reads what a part has kept; nothing where it never ran.
func (b *bed) numbers(name string, into any) error {
	raw, err := os.ReadFile(filepath.Join(b.results(), name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, &struct{ Numbers any }{into})
}

// allocationsOf counts what one review of a main case allocates, in this process.
func allocationsOf(ctx context.Context, name string) (float64, error) {
	c, ok := cases.Find(cases.Main(), name)
	if !ok {
		return 0, fmt.Errorf("there is no case %q", name)
	}
	r, err := handler.New(ctx, c)
	if err != nil {
		return 0, err
	}
	allocations, _, err := r.Allocated()
	return float64(allocations), err
}
