package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/policies"
)

// engineFlags are the flags of every verb that decides.
type engineFlags struct {
	profile    string
	policies   []string
	exceptions string
	// deadline is how long one policy may take over one review; 0 for what a webhook can afford.
	deadline time.Duration
}

func (f *engineFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.profile, "profile", "", "Profile `FILE`; what it leaves out, and everything without it, has the built-in values")
	cmd.Flags().StringArrayVar(&f.policies, "policies", nil, "`DIR` of further policy folders beside the built-in library; may be repeated")
	cmd.Flags().StringVar(&f.exceptions, "exceptions", "", "`FILE` of Exception objects")
	completeFiles(cmd, "profile", "yaml", "yml", "json")
	completeFiles(cmd, "exceptions", "yaml", "yml", "json")
	_ = cmd.MarkFlagDirname("policies")
}

// errInterrupted is all that is left to say after Ctrl-C.
var errInterrupted = errors.New("interrupted")

// engine loads everything that decides. The error lists all that is wrong: with the Profile, the policies, the exceptions.
func (f *engineFlags) engine(ctx context.Context, ownNamespace string) (*admission.Engine, error) {
	profile, err := f.loadProfile()
	if err != nil {
		return nil, err
	}
	sources := []policies.Source{policies.Library()}
	for _, dir := range f.policies {
		if info, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("read policies: %w", fileError(dir, err))
		} else if !info.IsDir() {
			return nil, fmt.Errorf("read policies: %s: not a directory", dir)
		}
		sources = append(sources, policies.Source{Name: dir, FS: os.DirFS(dir)})
	}
	settings := map[string]policies.Setting{}
	for id, s := range profile.Spec.Policies {
		setting := policies.Setting{Action: policies.Action(s.Action)}
		if s.Parameters != nil {
			setting.Parameters = s.Parameters.Raw
		}
		settings[id] = setting
	}
	set, problems := policies.Load(ctx, sources, settings)
	if ctx.Err() != nil {
		return nil, errInterrupted // the problems are not the policies'
	}
	var wrong []string
	for _, p := range problems {
		if p.File == "" && p.Policy != "" { // what is wrong is the setting
			wrong = append(wrong, fmt.Sprintf("%s: spec.policies[%s]: %s", f.profileName(), p.Policy, p.Reason))
			continue
		}
		wrong = append(wrong, p.Error())
	}
	exceptions, more := f.loadExceptions(set)
	wrong = append(wrong, more...)
	if f.deadline > 0 {
		set = set.WithDeadline(f.deadline)
	}
	e, err := admission.New(admission.Config{Profile: profile, Policies: set, Exceptions: exceptions, OwnNamespace: ownNamespace})
	if err != nil {
		wrong = append(wrong, linesOf(f.profileName(), err)...)
	}
	if err := allWrong(wrong); err != nil {
		return nil, err
	}
	return e, nil
}

func (f *engineFlags) profileName() string {
	if f.profile == "" {
		return "built-in profile"
	}
	return f.profile
}

func (f *engineFlags) loadProfile() (*v1alpha1.Profile, error) {
	if f.profile == "" {
		return v1alpha1.Builtin(), nil
	}
	data, err := os.ReadFile(f.profile)
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", fileError(f.profile, err))
	}
	docs, err := documents(data)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", f.profile, err)
	case len(docs) != 1:
		return nil, fmt.Errorf("%s: want one Profile, there are %d documents", f.profile, len(docs))
	}
	raw, err := docs[0].json(false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.profile, err)
	}
	p, err := v1alpha1.DecodeProfile(raw)
	if err != nil {
		return nil, allWrong(linesOf(f.profile, err))
	}
	return p, nil
}

// loadExceptions reads the exceptions, and says everything that is wrong with them.
func (f *engineFlags) loadExceptions(set *policies.Set) (all []v1alpha1.Exception, wrong []string) {
	if f.exceptions == "" {
		return nil, nil
	}
	data, err := os.ReadFile(f.exceptions)
	if err != nil {
		return nil, []string{"read exceptions: " + fileError(f.exceptions, err).Error()}
	}
	docs, err := documents(data)
	if err != nil {
		return nil, []string{f.exceptions + ": " + err.Error()}
	}
	known := map[string]bool{}
	for _, p := range set.Policies() {
		known[p.ID] = true
	}
	for _, doc := range docs {
		raw, err := doc.json(false)
		if err != nil {
			wrong = append(wrong, f.exceptions+": "+err.Error())
			continue
		}
		at := f.exceptions + ": " + doc.at()
		x, err := v1alpha1.DecodeException(raw)
		if err != nil {
			wrong = append(wrong, linesOf(at, err)...)
			continue
		}
		for i, id := range x.Spec.Policies {
			if !known[id] {
				wrong = append(wrong, fmt.Sprintf("%s: spec.policies[%d]: there is no policy %q", at, i, id))
			}
		}
		if slices.ContainsFunc(all, func(other v1alpha1.Exception) bool { return other.Name == x.Name }) {
			wrong = append(wrong, fmt.Sprintf("%s: metadata.name: the name %q comes twice; results could not tell which is meant", at, x.Name))
		}
		all = append(all, *x)
	}
	return all, wrong
}

// linesOf takes an error that lists many things apart, and says before each where it is.
func linesOf(where string, err error) []string {
	list := []error{err}
	if many, ok := errors.AsType[utilerrors.Aggregate](err); ok {
		list = many.Errors()
	}
	lines := make([]string, len(list))
	for i, err := range list {
		lines[i] = where + ": " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return lines
}

// allWrong is one error for all that is wrong, nil for nothing.
func allWrong(lines []string) error {
	switch len(lines) {
	case 0:
		return nil
	case 1:
		return errors.New(lines[0])
	}
	return fmt.Errorf("%d mistakes:\n  %s", len(lines), strings.Join(lines, "\n  "))
}
