package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gesso-dev/gesso/bench/cases"
	"github.com/gesso-dev/gesso/bench/fixtures"
)

// servedRow is one line of the table of the served path.
type servedRow struct {
	Name string `json:"name"`
	// CPU is nanoseconds of the server's process per review, Floor and Empty are how many times that of F and of an empty
	// controller-runtime webhook with the same body; by clients.
	CPU   map[int]float64 `json:"cpuNanoseconds"`
	Floor map[int]float64 `json:"timesFloor,omitempty"`
	Empty map[int]float64 `json:"timesEmpty,omitempty"`
	// P50 and P99 are nanoseconds, at a constant rate of so many a second.
	P50, P99 int64
	Rate     int `json:"rate"`
}

// servedNumbers are what is kept of the part.
type servedNumbers struct {
	Rows []servedRow `json:"rows"`
	// Ladder is what 1,000 installed policies cost where 50 would do, ten matching in both.
	Ladder float64 `json:"ladder"`
}

// served measures the main cases over TLS beside F and an empty controller-runtime webhook.
func served(ctx context.Context, b *bed) (any, string, error) {
	sides, err := b.servedSides(ctx)
	if err != nil {
		return nil, "", err
	}
	clients := []int{1, 8}
	if err := b.rounds(ctx, sides, clients...); err != nil {
		return nil, "", err
	}
	rows := make([]servedRow, len(sides))
	for i, s := range sides {
		rows[i] = servedRow{Name: s.name, CPU: map[int]float64{}, Floor: map[int]float64{}, Empty: map[int]float64{}}
		for _, n := range clients {
			rows[i].CPU[n] = median(s.cpu[n])
			if s.floor != nil {
				rows[i].Floor[n] = median(ratios(s.cpu[n], s.floor.cpu[n]))
			}
			if s.empty != nil {
				rows[i].Empty[n] = median(ratios(s.cpu[n], s.empty.cpu[n]))
			}
		}
		if err := b.openLoop(ctx, s, &rows[i]); err != nil {
			return nil, "", err
		}
	}
	ladder := ladderRatio(sides)
	if err := b.stopServers(); err != nil {
		return nil, "", err
	}
	return servedNumbers{rows, ladder}, servedTable(rows, ladder), nil
}

// openLoop asks at a rate that leaves the server idle most of the time, as API servers do.
func (b *bed) openLoop(ctx context.Context, s *side, row *servedRow) error {
	row.Rate = 100
	lasting := 5 * time.Second
	if b.quick {
		lasting = time.Second
	}
	h, err := s.target.Open(ctx, row.Rate, lasting, 16)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	row.P50, row.P99 = h.ValueAtQuantile(50), h.ValueAtQuantile(99)
	b.say("open loop, %d a second, %s: %d reviews, p50 %s, p99 %s", row.Rate, s.name, h.TotalCount(), millis(time.Duration(row.P50)), millis(time.Duration(row.P99)))
	return nil
}

func (b *bed) servedSides(ctx context.Context) ([]*side, error) {
	if err := b.controlPlane(ctx); err != nil {
		return nil, err
	}
	floor, err := b.startFloor(ctx, "floor")
	if err != nil {
		return nil, err
	}
	empty, err := b.startFloor(ctx, "empty")
	if err != nil {
		return nil, err
	}
	var sides []*side
	floors, empties := map[string]*side{}, map[string]*side{}
	for _, fixture := range []string{fixtures.Pod, fixtures.Minimal} {
		if floors[fixture], err = newSide(ctx, "F, "+fixture, floor, "/", fixture); err != nil {
			return nil, err
		}
		if empties[fixture], err = newSide(ctx, "empty controller-runtime webhook, "+fixture, empty, "/", fixture); err != nil {
			return nil, err
		}
		empties[fixture].floor = floors[fixture]
		sides = append(sides, floors[fixture], empties[fixture])
	}
	for _, c := range cases.Main() {
		server, err := b.startGesso(ctx, c.Setup)
		if err != nil {
			return nil, err
		}
		path, err := pathOf(c)
		if err != nil {
			return nil, err
		}
		s, err := newSide(ctx, c.Name, server, path, c.Fixture)
		if err != nil {
			return nil, err
		}
		s.floor, s.empty = floors[c.Fixture], empties[c.Fixture]
		sides = append(sides, s)
	}
	return sides, nil
}

// ladderRatio is what 1,000 installed policies cost where 50 would do, ten matching in both.
func ladderRatio(sides []*side) float64 {
	var few, many *side
	for _, s := range sides {
		switch s.name {
		case "50 installed":
			few = s
		case "1000 installed":
			many = s
		}
	}
	return median(ratios(many.cpu[1], few.cpu[1]))
}

func servedTable(rows []servedRow, ladder float64) string {
	var lines [][]string
	for _, r := range rows {
		lines = append(lines, []string{
			r.Name, micros(r.CPU[1]), orDash(r.Floor[1]), orDash(r.Empty[1]), micros(r.CPU[8]), orDash(r.Floor[8]), orDash(r.Empty[8]),
			millis(time.Duration(r.P50)), millis(time.Duration(r.P99)),
		})
	}
	return table([]string{"case", "CPU, 1 client", "× F", "× empty", "CPU, 8 clients", "× F", "× empty", "p50 at 100/s", "p99 at 100/s"}, lines) +
		fmt.Sprintf("\n1,000 policies installed against 50, ten of them matching: × %.2f.\n", ladder)
}

func orDash(r float64) string {
	if r == 0 {
		return "–"
	}
	return times(r)
}
