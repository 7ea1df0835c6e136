package controlplane

import (
	"os"
	"testing"
)

// ForTest starts a control plane for one test or benchmark and stops it at its end. A
// test that failed gets the ends of the processes' logs in its own. Without
// o.Progress, progress goes to stderr, so that a first build of the binaries is seen.
//
// go test kills a package after ten minutes: build the binaries beforehand (FindAssets)
// where they may be missing.
func ForTest(tb testing.TB, o Options) *ControlPlane {
	tb.Helper()
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	c, err := Start(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Log(c.LogTail(failureLines))
		}
		if err := c.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return c
}
