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
	// print gets what policies print; nil erases the print statements.
	print policies.PrintFunc
	// options are further ones of policies.Load.
	options []policies.Option
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

// loaded is everything that decides, as far as it could be loaded.
type loaded struct {
	*admission.Engine
	set *policies.Set
	// problems are those of single policies: these are not in force as they are written, and all others are.
	problems []policyProblem
}

// policyProblem is what is wrong with a policy, or with what the Profile says of it, in one line.
type policyProblem struct {
	policy string // "" for what belongs to no policy that exists
	line   string
}

// lines are the problems in words.
func (l *loaded) lines() []string {
	all := make([]string, len(l.problems))
	for i, p := range l.problems {
		all[i] = p.line
	}
	return all
}

// quarantined are the policies that are not in force as they are written, sorted.
func (l *loaded) quarantined() []string {
	var all []string
	for _, p := range l.problems {
		if p.policy != "" {
			all = append(all, p.policy)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

// engine loads everything that decides. The error lists all that is wrong: with the Profile, the policies, the exceptions.
func (f *engineFlags) engine(ctx context.Context, ownNamespace string) (*loaded, error) {
	l, wrong, err := f.read(ctx, ownNamespace, nil)
	if err != nil {
		return nil, err
	}
	if err := allWrong(append(l.lines(), wrong...)); err != nil {
		return nil, err
	}
	return l, nil
}

// load is engine for a server, which bad policies must not stop: they are in the problems, and their last good versions serve
// on where last has them. The error lists what is wrong with everything else.
func (f *engineFlags) load(ctx context.Context, ownNamespace string, last *policies.Set) (*loaded, error) {
	l, wrong, err := f.read(ctx, ownNamespace, last)
	if err != nil {
		return nil, err
	}
	if err := allWrong(wrong); err != nil {
		return nil, err
	}
	return l, nil
}

// read loads as much as it can: wrong is what else is not as it must be. The error is the reason why nothing could be loaded.
func (f *engineFlags) read(ctx context.Context, ownNamespace string, last *policies.Set) (l *loaded, wrong []string, err error) {
	profile, err := f.loadProfile()
	if err != nil {
		return nil, nil, err
	}
	sources := []policies.Source{policies.Library()}
	for _, dir := range f.policies {
		if info, err := os.Stat(dir); err != nil {
			return nil, nil, fmt.Errorf("read policies: %w", fileError(dir, err))
		} else if !info.IsDir() {
			return nil, nil, fmt.Errorf("read policies: %s: not a directory", dir)
		}
		sources = append(sources, policies.Source{Name: dir, FS: os.DirFS(dir)})
	}
	options := []policies.Option{policies.Previous(last), policies.Reusing(compiledBefore(ctx)...)}
	options = append(options, f.options...)
	if f.print != nil {
		options = append(options, policies.WithPrint(f.print))
	}
	set, problems := policies.Load(ctx, sources, admission.Settings(profile), options...)
	if ctx.Err() != nil {
		return nil, nil, errInterrupted // the problems are not the policies'
	}
	l = &loaded{set: set}
	quarantined := set.Quarantined()
	for _, p := range problems {
		line := policyProblem{line: f.problem(p)}
		if slices.Contains(quarantined, p) {
			line.policy = p.Policy
		}
		l.problems = append(l.problems, line)
	}
	exceptions, wrong := f.loadExceptions(l)
	if f.deadline > 0 {
		l.set = set.WithDeadline(f.deadline)
	}
	l.Engine, err = admission.New(admission.Config{Profile: profile, Policies: l.set, Exceptions: exceptions, OwnNamespace: ownNamespace})
	if err != nil {
		wrong = append(wrong, linesOf(f.profileName(), err)...)
	}
	return l, wrong, nil
}

// problem says in one line what is wrong with a policy, or with what the Profile says of it.
func (f *engineFlags) problem(p policies.Problem) string {
	if p.File == "" && p.Policy != "" { // what is wrong is the setting
		where := fmt.Sprintf("%s: spec.policies[%s]", f.profileName(), p.Policy)
		p.Policy = ""
		return where + ": " + p.Error()
	}
	return p.Error()
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
func (f *engineFlags) loadExceptions(l *loaded) (all []v1alpha1.Exception, wrong []string) {
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
	for _, p := range l.set.Policies() {
		known[p.ID] = true
	}
	for _, id := range l.quarantined() { // cannot be used, but does exist
		known[id] = true
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

// mistakes is one error for all that is wrong, each in a line.
type mistakes []string

func (m mistakes) Error() string {
	if len(m) == 1 {
		return m[0]
	}
	return fmt.Sprintf("%d mistakes:\n  %s", len(m), strings.Join(m, "\n  "))
}

// allWrong is one error for all that is wrong, nil for nothing.
func allWrong(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	return mistakes(lines)
}

// mistakesIn takes an error that lists all that is wrong apart.
func mistakesIn(err error) []string {
	if all, ok := errors.AsType[mistakes](err); ok {
		return all
	}
	return []string{err.Error()}
}

// compiledKey is the key under which a context holds sets that have been compiled.
type compiledKey struct{}

// withCompiled hands sets of policies to all that a context reaches: a process that runs many commands, as the tests do, compiles the
// library once.
func withCompiled(ctx context.Context, sets ...*policies.Set) context.Context {
	return context.WithValue(ctx, compiledKey{}, sets)
}

func compiledBefore(ctx context.Context) []*policies.Set {
	sets, _ := ctx.Value(compiledKey{}).([]*policies.Set)
	return sets
}
