package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Environment variables that FindAssets reads.
const (
	assetsVariable = "KUBEBUILDER_ASSETS" // a folder of ready-made binaries
	cacheVariable  = "GESSO_CACHE"        // where built ones are kept
)

// Assets are the paths of the binaries of a control plane.
type Assets struct {
	Etcd              string
	APIServer         string
	ControllerManager string
	Kubectl           string
}

// FindAssets returns the binaries to run, and builds those that are missing.
//
// If KUBEBUILDER_ASSETS is set, etcd and kube-apiserver are taken from the folder that it
// names, and it is an error if they are not there; kube-controller-manager and kubectl
// are taken from there if they are.
//
// All others are built from the pinned module in binaries/ by the go command on PATH,
// once: they stay in GESSO_CACHE (else the "gesso" folder in the user's cache folder),
// in a folder for each combination of module versions, build flags and Go version. The
// first build takes minutes and most of a gigabyte in Go's own cache. Processes that
// need the same binaries at once wait for the one that builds. The working directory
// must be inside a checkout of this repository.
//
// progress receives lines of text: one when a binary's build begins, one about every 15
// seconds while it goes on, one at its end. Nil: nothing is written. An ended ctx ends
// the build.
func FindAssets(ctx context.Context, progress io.Writer) (Assets, error) {
	if progress == nil {
		progress = io.Discard
	}
	found, err := readyMade(os.Getenv(assetsVariable))
	if err != nil {
		return Assets{}, fmt.Errorf("find assets: %w", err)
	}
	var missing []binary
	for _, b := range binaries() {
		if found[b.name] == "" {
			missing = append(missing, b)
		}
	}
	if len(missing) > 0 {
		if err := buildMissing(ctx, progress, missing, found); err != nil {
			return Assets{}, fmt.Errorf("find assets: %w", err)
		}
	}
	return Assets{
		Etcd:              found[etcdName],
		APIServer:         found[apiServerName],
		ControllerManager: found[controllerManagerName],
		Kubectl:           found[kubectlName],
	}, nil
}

// readyMade finds the binaries in a folder, by name. An empty folder name finds none.
func readyMade(folder string) (map[string]string, error) {
	found := map[string]string{}
	if folder == "" {
		return found, nil
	}
	// The processes run in a folder of their own.
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", assetsVariable, err)
	}
	for _, b := range binaries() {
		path := filepath.Join(folder, b.name)
		err := executable(path)
		switch {
		case err == nil:
			found[b.name] = path
		case b.optional && errors.Is(err, fs.ErrNotExist):
		default:
			return nil, fmt.Errorf("%s=%s: no usable %s: %w (unset %s to build the binaries from source)",
				assetsVariable, folder, b.name, err, assetsVariable)
		}
	}
	return found, nil
}

// executable says why a path is not a program that we can run.
func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable", path)
	}
	return nil
}

// cacheFolder is where binaries built by us are kept: one folder in it for each key.
func cacheFolder() (string, error) {
	if folder := os.Getenv(cacheVariable); folder != "" {
		folder, err := filepath.Abs(folder)
		if err != nil {
			return "", fmt.Errorf("resolve %s: %w", cacheVariable, err)
		}
		return filepath.Join(folder, "controlplane"), nil
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache folder (set %s to choose one): %w", cacheVariable, err)
	}
	return filepath.Join(folder, "gesso", "controlplane"), nil
}
