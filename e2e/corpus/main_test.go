package corpus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/gesso-dev/gesso/e2e"
	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// suite is what all tests of the package share: a control plane and the binary. Each test serves Gesso with a Profile of its own.
type suite struct {
	root   string
	binary string
	cp     *controlplane.ControlPlane
	client dynamic.Interface
	mapper meta.RESTMapper
}

var shared suite // set once by TestMain, which cannot hand anything to a test

func TestMain(m *testing.M) {
	e2e.Main("corpus", func() (int, error) { return run(m) })
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	if shared.root, err = e2e.Root(); err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "gesso-corpus-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if shared.binary, err = e2e.Build(ctx, shared.root, dir); err != nil {
		return 1, err
	}
	if shared.cp, err = controlplane.Start(ctx, controlplane.Options{Progress: os.Stderr}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, shared.cp.Stop()) }()
	if err := connect(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// connect makes the clients. It is called again when a kind was added.
func connect() error {
	config := shared.cp.Config()
	config.WarningHandler = rest.NoWarnings{} // real objects have many
	known, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	groups, err := restmapper.GetAPIGroupResources(known)
	if err != nil {
		return fmt.Errorf("discover kinds: %w", err)
	}
	shared.mapper = restmapper.NewDiscoveryRESTMapper(groups)
	shared.client, err = dynamic.NewForConfig(config)
	return err
}
