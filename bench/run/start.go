package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// startRow is how gesso serve starts with the whole library.
type startRow struct {
	Objects int `json:"objects"`
	// Ready is the median from the start of the process to the first 200 of /readyz; RSS is what it holds when it has been idle.
	Ready time.Duration `json:"ready"`
	RSS   int64         `json:"rss"`
}

// libraryFlags switch the whole library on, and every default: the example's Profile.
func (b *bed) libraryFlags() []string {
	return []string{"--profile", filepath.Join(b.root, "examples", "profile.yaml")}
}

// starts measures cold starts: a new process, nothing compiled.
func starts(ctx context.Context, b *bed) (any, string, error) {
	if err := b.controlPlane(ctx); err != nil {
		return nil, "", err
	}
	var (
		rows  []startRow
		lines [][]string
	)
	for _, objects := range []int{0, b.objects} {
		if err := b.ingresses(ctx, objects); err != nil {
			return nil, "", err
		}
		r := startRow{Objects: objects}
		var ready, rss []float64
		for i := range b.options.rounds {
			s, err := b.serve(ctx, fmt.Sprintf("start-%d-%d", objects, i), b.libraryFlags())
			if err != nil {
				return nil, "", err
			}
			ready = append(ready, float64(s.Ready))
			if i < 3 { // idle memory hardly differs, and takes its time
				held, err := idle(ctx, s.RSS)
				if err != nil {
					return nil, "", err
				}
				rss = append(rss, float64(held))
			}
			if err := b.stopServers(); err != nil {
				return nil, "", err
			}
		}
		r.Ready, r.RSS = time.Duration(median(ready)), int64(median(rss))
		b.say("%d objects: ready after %s (median of %d), %s when idle", objects, millis(r.Ready), len(ready), mebibytes(r.RSS))
		rows = append(rows, r)
		lines = append(lines, []string{fmt.Sprintf("%d", objects), millis(r.Ready), mebibytes(r.RSS)})
	}
	return rows, table([]string{"indexed Ingresses", "start to Ready", "RSS when idle"}, lines), nil
}

// idle waits a few seconds and returns what a process holds then.
func idle(ctx context.Context, rss func() (int64, error)) (int64, error) {
	select {
	case <-time.After(5 * time.Second):
		return rss()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
