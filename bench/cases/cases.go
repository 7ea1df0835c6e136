// Package cases says what is measured: what Gesso is set up with, and what it is asked. A setup can be had as an engine in this process
// and as files for the gesso binary, so that both measure the same.
package cases

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	ten "github.com/gesso-dev/gesso/bench/policies"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/policies"
)

// Setup is what Gesso decides by. The policies of the library are off in it.
type Setup struct {
	Name string
	// Fills switches on the five defaults that the built-in Profile enforces everywhere; without it all are off.
	Fills bool
	// Policies are in force, beside nothing else; nil is none.
	Policies fs.FS
}

// The setups of the main cases.

// Nothing has one policy, which is for Ingresses, so that nothing is to do for a Pod.
func Nothing() Setup { return Setup{Name: "nothing", Policies: only("ingress-host")} }

// Ten has the ten policies, of which nine are for Pods.
func Ten() Setup { return Setup{Name: "ten", Policies: ten.Source().FS} }

// Defaults fills with five defaults and judges nothing.
func Defaults() Setup { return Setup{Name: "defaults", Fills: true} }

// Profile is the Profile of the setup, as JSON.
func (s Setup) Profile() ([]byte, error) {
	defaults := map[string]any{}
	for id, setting := range v1alpha1.Builtin().Spec.Defaults.Settings() {
		if !s.Fills || setting.Mode != v1alpha1.ModeEnforce || !five(id) {
			defaults[id] = map[string]any{"mode": v1alpha1.ModeOff}
		}
	}
	library, err := fs.ReadDir(policies.Library().FS, ".")
	if err != nil {
		return nil, err
	}
	off := map[string]any{}
	for _, folder := range library {
		off[folder.Name()] = map[string]any{"action": policies.Off}
	}
	return json.Marshal(map[string]any{
		"apiVersion": v1alpha1.APIVersion, "kind": "Profile", "metadata": map[string]any{"name": "bench"},
		"spec": map[string]any{"defaults": defaults, "policies": off},
	})
}

// five tells the defaults that act on a minimal Deployment from those that the built-in Profile enforces once they are given something.
func five(id string) bool { return id != "sidecar" && id != "irsa" && id != "ingress-class" }

// Engine is the setup in this process.
func (s Setup) Engine(ctx context.Context) (*admission.Engine, error) {
	text, err := s.Profile()
	if err != nil {
		return nil, err
	}
	profile, err := v1alpha1.DecodeProfile(text)
	if err != nil {
		return nil, err
	}
	sources := []policies.Source{policies.Library()}
	if s.Policies != nil {
		sources = append(sources, policies.Source{Name: s.Name, FS: s.Policies})
	}
	set, problems := policies.Load(ctx, sources, admission.Settings(profile))
	if len(problems) > 0 {
		all := make([]error, len(problems))
		for i, p := range problems {
			all[i] = p
		}
		return nil, fmt.Errorf("load %s: %w", s.Name, errors.Join(all...))
	}
	return admission.New(admission.Config{Profile: profile, Policies: set})
}

// Flags writes the setup into a folder and returns the flags by which gesso takes it.
func (s Setup) Flags(dir string) ([]string, error) {
	profile, err := s.Profile()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "profile.yaml") // JSON is YAML
	if err := os.WriteFile(file, profile, 0o600); err != nil {
		return nil, err
	}
	flags := []string{"--profile", file}
	if s.Policies == nil {
		return flags, nil
	}
	folder := filepath.Join(dir, "policies")
	if err := os.RemoveAll(folder); err != nil {
		return nil, err
	}
	return append(flags, "--policies", folder), os.CopyFS(folder, s.Policies)
}

// EntryOf finds the entry of a name among those that Gesso serves.
func EntryOf(name string) (admission.Entry, error) {
	for _, e := range admission.Entries() {
		if e.Name == name {
			return e, nil
		}
	}
	return admission.Entry{}, fmt.Errorf("there is no entry %q", name)
}
