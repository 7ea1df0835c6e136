package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/policies"
)

// engineFlags are the flags of every verb that decides.
type engineFlags struct {
	profile    string
	policies   []string
	exceptions string
}

func (f *engineFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.profile, "profile", "", "Profile `FILE`; what it leaves out, and everything without it, has the built-in values")
	cmd.Flags().StringArrayVar(&f.policies, "policies", nil, "`DIR` of further policy folders beside the built-in library; may be repeated")
	cmd.Flags().StringVar(&f.exceptions, "exceptions", "", "`FILE` of Exception objects")
	completeFiles(cmd, "profile", "yaml", "yml", "json")
	completeFiles(cmd, "exceptions", "yaml", "yml", "json")
	_ = cmd.MarkFlagDirname("policies")
}

// engine loads everything that decides. The error lists all that is wrong: with the Profile, the policies, the exceptions.
func (f *engineFlags) engine(ctx context.Context, ownNamespace string) (*admission.Engine, error) {
	profile, err := f.loadProfile()
	if err != nil {
		return nil, err
	}
	sources := []policies.Source{policies.Library()}
	for _, dir := range f.policies {
		if info, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("read policies: %w", err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("read policies: %s is no directory", dir)
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
	if len(problems) > 0 {
		lines := make([]string, len(problems))
		for i, p := range problems {
			lines[i] = p.Error()
		}
		return nil, fmt.Errorf("load policies: %s", strings.Join(lines, "\n  "))
	}
	exceptions, err := f.loadExceptions(set)
	if err != nil {
		return nil, err
	}
	e, err := admission.New(admission.Config{Profile: profile, Policies: set, Exceptions: exceptions, OwnNamespace: ownNamespace})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.profileName(), err)
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
		return nil, fmt.Errorf("read profile: %w", err)
	}
	p, err := v1alpha1.DecodeProfile(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.profile, oneLine(err))
	}
	return p, nil
}

func (f *engineFlags) loadExceptions(set *policies.Set) ([]v1alpha1.Exception, error) {
	if f.exceptions == "" {
		return nil, nil
	}
	data, err := os.ReadFile(f.exceptions)
	if err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	known := map[string]bool{}
	for _, p := range set.Policies() {
		known[p.ID] = true
	}
	var all []v1alpha1.Exception
	for _, doc := range documents(data) {
		x, err := v1alpha1.DecodeException(doc.text)
		if err != nil {
			return nil, fmt.Errorf("%s: document %d, line %d: %w", f.exceptions, doc.number, doc.line, oneLine(err))
		}
		for _, id := range x.Spec.Policies {
			if !known[id] {
				return nil, fmt.Errorf("%s: document %d, line %d: spec.policies: there is no policy %q", f.exceptions, doc.number, doc.line, id)
			}
		}
		all = append(all, *x)
	}
	return all, nil
}

// oneLine keeps an error of several lines readable behind a file name: the YAML library breaks its lines.
func oneLine(err error) error {
	return errors.New(strings.ReplaceAll(strings.ReplaceAll(err.Error(), "yaml: unmarshal errors:\n  ", "yaml: "), "\n  ", "; "))
}

// document is one document of a YAML stream.
type document struct {
	number int // counted from 1, empty ones not
	line   int // its first line in the file, from 1
	text   []byte
}

// documents splits a YAML stream at its --- lines. Documents that are empty or hold only comments are left out.
func documents(data []byte) []document {
	var all []document
	start, line, from := 1, 1, 0
	flush := func(to int) {
		if text := data[from:to]; !blank(text) {
			all = append(all, document{number: len(all) + 1, line: start, text: text})
		}
	}
	for at := 0; at < len(data); line++ {
		end := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if rest, found := bytes.CutPrefix(data[at:end], []byte("---")); found && (len(bytes.TrimSpace(rest)) == 0 || rest[0] == ' ' || rest[0] == '\t') {
			flush(at)
			// What follows the dashes on their line belongs to the next document; it starts here, so that lines count right.
			from, start = end, line+1
			if text, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte("#")); len(text) > 0 {
				from, start = at+3, line
			}
		}
		at = end
	}
	flush(len(data))
	return all
}

// blank reports whether text holds nothing but space and comments.
func blank(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && string(line) != "..." {
			return false
		}
	}
	return true
}
