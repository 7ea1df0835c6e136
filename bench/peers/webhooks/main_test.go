package main

import (
	"testing"

	"github.com/gesso-dev/gesso/bench/peers/compare"
)

// A comparison of engines that do not find the same is none.
func TestVerdicts(t *testing.T) {
	for _, c := range compare.Cases() {
		for _, p := range append(peers(), compare.Gesso()) {
			t.Run(c.Name+"/"+p.Name, func(t *testing.T) {
				engine, err := p.Load(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				if err := compare.Check(p, c, engine); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
