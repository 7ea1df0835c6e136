package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// suite is what all tests of the package share: one control plane with one Gesso in it, registered.
type suite struct {
	root  string
	dir   string
	cp    *controlplane.ControlPlane
	gesso *e2e.Gesso
}

var shared suite // set once by TestMain, which cannot hand anything to a test

func TestMain(m *testing.M) {
	e2e.Main("e2e", func() (int, error) { return run(m) })
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	if shared.root, err = e2e.Root(); err != nil {
		return 1, err
	}
	if shared.dir, err = os.MkdirTemp("", "gesso-e2e-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(shared.dir)) }()
	if shared.cp, err = controlplane.Start(ctx, controlplane.Options{Progress: os.Stderr}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, shared.cp.Stop()) }()
	if err := e2e.ApplyExternalSecretCRDs(ctx, shared.cp); err != nil {
		return 1, err
	}
	// The binary as it is shipped: the race detector is at work in the packages' own tests, and would make ten reviews of one here.
	binary, err := e2e.Build(ctx, shared.root, shared.dir)
	if err != nil {
		return 1, err
	}
	example, err := os.ReadFile(filepath.Join(shared.root, "examples", "profile.yaml"))
	if err != nil {
		return 1, err
	}
	profile := append(example, "  breakGlassGroups: [break-glass]\n"...) // the file ends inside of spec
	if err := os.WriteFile(filepath.Join(shared.dir, "profile.yaml"), profile, 0o600); err != nil {
		return 1, err
	}
	shared.gesso, err = e2e.StartGesso(ctx, shared.cp, e2e.Options{Binary: binary, Dir: shared.dir, Flags: profileFlags()})
	if err != nil {
		return 1, err
	}
	defer func() {
		stopped := shared.gesso.Stop()
		if code != 0 || stopped != nil {
			fmt.Fprintf(os.Stderr, "log of gesso:\n%s\nlogs of the control plane:\n%s\n", shared.gesso.Log(), shared.cp.LogTail(20))
		}
		err = errors.Join(err, stopped)
	}()
	if err := shared.gesso.Register(ctx, shared.cp); err != nil {
		return 1, err
	}
	return m.Run(), nil
}
