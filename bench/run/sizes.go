package main

import (
	"context"
	"fmt"

	"github.com/gesso-dev/gesso/bench/cases"
	"github.com/gesso-dev/gesso/bench/fixtures"
	"github.com/gesso-dev/gesso/bench/process"
)

// sizeRow is one body size.
type sizeRow struct {
	Bytes int `json:"bytes"`
	// Nanoseconds of CPU per review.
	Floor, Nothing, Ten              float64
	TimesFloorNothing, TimesFloorTen float64
}

// sizes measures bodies of 1 KB to 1 MB: F, nothing to do, and the ten policies.
func sizes(ctx context.Context, b *bed) (any, string, error) {
	if err := b.controlPlane(ctx); err != nil {
		return nil, "", err
	}
	floor, err := b.startFloor(ctx, "floor")
	if err != nil {
		return nil, "", err
	}
	nothing, err := b.startGesso(ctx, cases.Nothing())
	if err != nil {
		return nil, "", err
	}
	ten, err := b.startGesso(ctx, cases.Ten())
	if err != nil {
		return nil, "", err
	}
	path, err := pathOf(cases.Case{Entry: "open"})
	if err != nil {
		return nil, "", err
	}
	var sides []*side
	for _, size := range fixtures.Sizes() {
		name := fixtures.SizeName(size)
		for _, server := range []*process.Server{floor, nothing, ten} {
			made, err := newSide(ctx, name+", "+server.Name, server, path, name) // F answers at every path
			if err != nil {
				return nil, "", err
			}
			sides = append(sides, made)
		}
	}
	if err := b.rounds(ctx, sides, 1); err != nil {
		return nil, "", err
	}
	var (
		rows  []sizeRow
		lines [][]string
	)
	for i, size := range fixtures.Sizes() {
		body, err := fixtures.Review(fixtures.SizeName(size))
		if err != nil {
			return nil, "", err
		}
		f, n, t := sides[3*i].cpu[1], sides[3*i+1].cpu[1], sides[3*i+2].cpu[1]
		r := sizeRow{len(body), median(f), median(n), median(t), median(ratios(n, f)), median(ratios(t, f))}
		rows = append(rows, r)
		lines = append(lines, []string{
			fmt.Sprintf("%.1f KB", float64(r.Bytes)/1000), micros(r.Floor), micros(r.Nothing), times(r.TimesFloorNothing), micros(r.Ten), times(r.TimesFloorTen),
		})
	}
	return rows, table([]string{"body", "F", "nothing to do", "× F", "10 policies", "× F"}, lines), b.stopServers()
}
