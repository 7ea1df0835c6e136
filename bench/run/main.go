// Run measures what Gesso costs and writes it into docs/benchmarks.md; `make bench` calls it.
//
//	run [--quick] [PART...]    parts: go served sizes end-to-end peers start soak; all without one
//
// Each part prints what it does, writes its numbers to .cache/bench/<part>.json, and its table between two marks in the page.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	quick   bool
	rounds  int
	window  time.Duration
	reviews int64
	limit   time.Duration
	objects int
	base    string
	page    string
	parts   []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, parse())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse() options {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "fewer and shorter rounds, a short soak, nothing written into the page: to see whether it works, not for figures")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds of each part; 0 is 11, or 3 with --quick")
	flag.DurationVar(&o.window, "window", 0, "how long one case is asked in one round; 0 is 500ms, or 200ms with --quick")
	flag.Int64Var(&o.reviews, "reviews", 0, "reviews of the soak; 0 is 1,000,000, or 5,000 with --quick")
	flag.DurationVar(&o.limit, "soak-limit", 0, "how long the soak may take; 0 is 8m, or 15s with --quick")
	flag.IntVar(&o.objects, "objects", 0, "Ingresses that the soak's inventory holds; 0 is 10,000, or 1,000 with --quick")
	flag.StringVar(&o.base, "base", "HEAD~1", "the commit whose Go benchmarks are compared with")
	flag.StringVar(&o.page, "page", "docs/benchmarks.md", "the page, from the top of the checkout")
	flag.Parse()
	o.parts = flag.Args()
	pick := func(full, quick int) int {
		if o.quick {
			return quick
		}
		return full
	}
	if o.rounds == 0 {
		o.rounds = pick(11, 3)
	}
	if o.window == 0 {
		o.window = time.Duration(pick(500, 200)) * time.Millisecond
	}
	if o.reviews == 0 {
		o.reviews = int64(pick(1_000_000, 5_000))
	}
	if o.limit == 0 {
		o.limit = time.Duration(pick(480, 15)) * time.Second
	}
	if o.objects == 0 {
		o.objects = pick(10_000, 1_000)
	}
	return o
}

// part is one measurement: it gives its numbers and its table.
type part struct {
	name string
	run  func(ctx context.Context, b *bed) (numbers any, table string, err error)
}

func parts() []part {
	return []part{
		{"go", compare},
		{"served", served},
		{"sizes", sizes},
		{"end-to-end", endToEnd},
		{"peers", peers},
		{"start", starts},
		{"soak", soak},
	}
}

func run(ctx context.Context, o options) (err error) {
	all := parts()
	for _, name := range o.parts {
		if !slices.ContainsFunc(all, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("there is no part %q", name)
		}
	}
	b, err := newBed(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	b.say("%s", strings.ReplaceAll(b.machine, "\n", ", "))
	var failed error
	for _, p := range all {
		if len(o.parts) > 0 && !slices.Contains(o.parts, p.name) {
			continue
		}
		began := time.Now()
		b.say("== %s", p.name)
		numbers, table, err := p.run(ctx, b)
		if table != "" {
			fmt.Fprintf(b.out, "\n%s\n", table)
		}
		if err == nil || table != "" { // what was measured before it failed is told too
			err = errors.Join(err, b.keep(p.name, numbers, table))
		}
		b.say("== %s: %s", p.name, time.Since(began).Round(time.Second))
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.name, err))
		}
		if ctx.Err() != nil {
			return errors.Join(failed, ctx.Err())
		}
	}
	return errors.Join(failed, b.keepFigures(ctx))
}
