package vap_test

import (
	"testing"

	"github.com/gesso-dev/gesso/bench/peers/compare"
	"github.com/gesso-dev/gesso/bench/peers/vap"
)

// A comparison of engines that do not find the same is none.
func TestVerdicts(t *testing.T) {
	for _, c := range compare.Cases() {
		for _, p := range append(vap.Peers(), compare.Gesso()) {
			t.Run(c.Name+"/"+p.Name, func(t *testing.T) {
				t.Parallel()
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
