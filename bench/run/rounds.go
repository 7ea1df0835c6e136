package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gesso-dev/gesso/bench/cases"
	"github.com/gesso-dev/gesso/bench/fixtures"
	"github.com/gesso-dev/gesso/bench/load"
	"github.com/gesso-dev/gesso/bench/process"
)

// side is one server that is asked one review, again and again.
type side struct {
	name   string
	server *process.Server
	target *load.Target
	floor  *side // what it is divided by; nil for a floor itself
	empty  *side // the empty controller-runtime webhook with the same review
	// cpu and wall hold nanoseconds per review, one for each round, by the number of clients.
	cpu, wall map[int][]float64
}

func newSide(ctx context.Context, name string, server *process.Server, path, fixture string) (*side, error) {
	body, err := fixtures.Review(fixture)
	if err != nil {
		return nil, err
	}
	target, err := load.New(ctx, server.Reviews, server.CAFile, path, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &side{name: name, server: server, target: target, cpu: map[int][]float64{}, wall: map[int][]float64{}}, nil
}

// measure asks for a while and divides what the server's process has used by how many reviews it answered.
func (s *side) measure(ctx context.Context, clients int, window time.Duration) (cpu, wall float64, err error) {
	const most = 1_000_000 // never reached: the window is
	before, err := s.server.CPU()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	asked, err := s.target.Closed(ctx, clients, most, window)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w\n%s", s.name, err, s.server.Log())
	}
	took := time.Since(began)
	after, err := s.server.CPU()
	if err != nil {
		return 0, 0, err
	}
	if asked == 0 {
		return 0, 0, fmt.Errorf("%s answered nothing within %s", s.name, window)
	}
	return float64(after-before) / float64(asked), float64(took) * float64(clients) / float64(asked), nil
}

// rounds measures all sides in turn, again and again, so that whatever else the machine does meets all of them. Each round begins with
// another side. The first round warms up and does not count.
func (b *bed) rounds(ctx context.Context, sides []*side, clients ...int) error {
	for round := range b.options.rounds + 1 {
		for _, n := range clients {
			for i := range sides {
				s := sides[(i+round)%len(sides)]
				cpu, wall, err := s.measure(ctx, n, b.window)
				if err != nil {
					return err
				}
				if round > 0 {
					s.cpu[n], s.wall[n] = append(s.cpu[n], cpu), append(s.wall[n], wall)
				}
			}
		}
		if round > 0 {
			b.say("round %d of %d", round, b.options.rounds)
		}
	}
	return nil
}

// pathOf is where the server takes the reviews of a case.
func pathOf(c cases.Case) (string, error) {
	e, err := cases.EntryOf(c.Entry)
	return e.Path, err
}
