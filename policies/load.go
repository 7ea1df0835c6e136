package policies

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Option is something that Load does beside the usual.
type Option func(*loader)

// Previous lets the policies of a set that is in force serve on where their new version cannot be loaded, and takes over what has not
// changed. Without it such a policy is not in force at all.
func Previous(set *Set) Option { return func(l *loader) { l.previous = set } }

// Reusing takes over from the sets what has been compiled already: policies whose text and setting are the same. Nothing else of the sets
// matters, and nil among them is none.
func Reusing(sets ...*Set) Option {
	return func(l *loader) { l.reusable = append(l.reusable, sets...) }
}

// PrintFunc receives what a policy prints: the position of the print and its text, which may hold anything that the policy sees.
type PrintFunc func(policy, file string, line int, text string)

// WithPrint keeps print statements, which are erased else, and hands what they print to w. w is called by concurrent reviews. It is for
// authors at work.
func WithPrint(w PrintFunc) Option { return func(l *loader) { l.print = w } }

// AnalyseLater leaves it to the caller to call [Set.Analyse], for a start that somebody waits for.
func AnalyseLater() Option { return func(l *loader) { l.later = true } }

// compileLimit is how long one policy may take to compile. Those of the library take a hundredth of a second; the type checker, which
// cannot be interrupted, may take for ever over a few lines that somebody wrote to that end.
const compileLimit = 20 * time.Second

// loader is one Load.
type loader struct {
	settings map[string]Setting
	previous *Set
	reusable []*Set
	print    PrintFunc
	shadow   *shadow
	later    bool
	only     string // the one policy that is loaded, "" for all

	compiler   *compiler
	candidates []*candidate // by id
	set        *Set
	problems   []Problem
	stale      []string // the fingerprints of what serves on
}

// candidate is one id of a Load.
type candidate struct {
	id string
	// policy is nil where it cannot be in force as it is written; problems say why.
	policy   *compiled
	problems []Problem
}

func (c *candidate) fail(problems ...Problem) {
	c.policy, c.problems = nil, append(c.problems, problems...)
}

// Load reads, checks and compiles every policy of the sources under the settings, which are keyed by policy id.
//
// It never fails as a whole: what cannot be loaded is listed as problems, in a stable order, and everything else serves. Two folders
// with one id are a problem that names both, and neither is loaded.
func Load(ctx context.Context, sources []Source, settings map[string]Setting, options ...Option) (*Set, []Problem) {
	l := &loader{settings: settings}
	for _, option := range options {
		option(l)
	}
	l.set = newSet("")
	l.set.print = l.print
	if l.shadow != nil {
		l.set.shadow = l.shadow
	}
	found, byID := l.read(sources)
	if err := l.loadAll(ctx, byID); err != nil {
		l.problems = append(l.problems, Problem{Reason: oneLine(err.Error())})
	}
	if !l.later {
		l.set.Analyse()
	}
	l.set.revision = revision(found, settings, l.stale)
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(
			strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Policy, b.Policy), strings.Compare(a.Reason, b.Reason),
		)
	})
	problems := slices.Compact(l.problems)
	for _, problem := range problems {
		if _, exists := byID[problem.Policy]; exists {
			l.set.quarantined = append(l.set.quarantined, problem)
		}
	}
	return l.set, problems
}

// read finds the folders of all policies, and the ids of those that exist: one whose folder cannot be read has an id and no folder.
func (l *loader) read(sources []Source) (found []folder, byID map[string][]folder) {
	byID = map[string][]folder{}
	for _, source := range sources {
		folders, problems := source.folders()
		if l.only != "" {
			folders = slices.DeleteFunc(folders, func(f folder) bool { return f.id != l.only })
			problems = slices.DeleteFunc(problems, func(p Problem) bool { return p.Policy != l.only })
		}
		l.problems = append(l.problems, problems...)
		found = append(found, folders...)
		for _, problem := range problems {
			if problem.Policy != "" {
				byID[problem.Policy] = slices.Clip(byID[problem.Policy])
			}
		}
		if len(folders) > 0 || len(problems) == 0 {
			continue
		}
		for _, p := range l.previous.list() { // a source that cannot be read does not take its policies away
			if p.Source == source.Name {
				byID[p.ID] = slices.Clip(byID[p.ID])
			}
		}
	}
	for _, f := range found {
		byID[f.id] = append(byID[f.id], f)
	}
	return found, byID
}

// loadAll adds every policy to the set, in the order of their ids.
func (l *loader) loadAll(ctx context.Context, byID map[string][]folder) error {
	if err := l.setCompiler(ctx); err != nil {
		return err
	}
	l.consider(ctx, byID)
	l.link(ctx)
	for _, c := range l.candidates {
		l.add(c)
	}
	l.set.finish()
	for _, id := range slices.Sorted(maps.Keys(l.settings)) {
		if _, known := byID[id]; !known {
			l.problems = append(l.problems, Problem{Policy: id, Reason: "there is no policy of this name"})
		}
	}
	return nil
}

// setCompiler takes over the compiler of an earlier set, which holds the parsed helpers, or makes one.
func (l *loader) setCompiler(ctx context.Context) (err error) {
	for _, set := range l.earlier() {
		if l.compiler == nil && set != nil && set.compiler != nil && set.compiler.print == (l.print != nil) {
			l.compiler = set.compiler
		}
	}
	if l.compiler == nil {
		l.compiler, err = newCompiler(ctx, l.print != nil)
	}
	l.set.compiler = l.compiler
	return err
}

// consider makes the candidates, as far as that goes without compiling them. Where nobody is served yet all processors take part.
func (l *loader) consider(ctx context.Context, byID map[string][]folder) {
	ids := slices.Sorted(maps.Keys(byID))
	l.candidates = make([]*candidate, len(ids))
	workers := 1
	if l.previous == nil {
		workers = runtime.GOMAXPROCS(0)
	}
	var (
		next  atomic.Int64
		group sync.WaitGroup
	)
	for range min(workers, len(ids)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(ids)); i = next.Add(1) - 1 {
				l.candidates[i] = l.candidate(ctx, ids[i], byID[ids[i]])
			}
		})
	}
	group.Wait()
}

func (l *loader) candidate(ctx context.Context, id string, folders []folder) *candidate {
	setting := l.settings[id]
	c := &candidate{id: id, problems: setting.problems(id)}
	switch {
	case len(c.problems) > 0:
	case len(folders) > 1:
		c.problems = append(c.problems, twice(id, folders))
	case len(folders) == 1:
		c.policy, c.problems = l.take(ctx, folders[0], setting)
	}
	return c
}

// add adds a candidate to the set, or where it cannot be in force the version that was.
func (l *loader) add(c *candidate) {
	policy, id, setting := c.policy, c.id, l.settings[c.id]
	if before := l.previous.policy(id); policy == nil && before != nil {
		policy = before.serveOn(setting)
		l.stale = append(l.stale, id+" "+policy.fingerprint)
		if len(c.problems) == 0 && !slices.ContainsFunc(l.problems, func(p Problem) bool { return p.Policy == id }) {
			c.problems = append(c.problems, Problem{Policy: id, File: path.Join(before.Source, id), Reason: "is gone, as are all policies of " + before.Source})
		}
		for _, list := range [][]Problem{c.problems, l.problems} {
			for i := range list {
				list[i].Stale = list[i].Stale || list[i].Policy == id
			}
		}
	}
	l.problems = append(l.problems, c.problems...)
	if policy != nil {
		l.set.add(policy)
	}
}

// serveOn is an earlier version under today's setting, as far as that goes: its action can be changed, so that somebody may switch off
// what is broken, but not its parameters, which are those of another version. One that was off stays off, because nobody has checked
// whether it has the parameters that it needs.
func (p *compiled) serveOn(setting Setting) *compiled {
	serving := *p
	serving.Stale = true
	if p.Enabled() && len(setting.problems(p.ID)) == 0 {
		serving.Action, serving.Namespaces = cmp.Or(setting.Action, p.DefaultAction), setting.Namespaces
	}
	return &serving
}

// take reads a folder, or takes over what was read, and compiled, before where nothing has changed.
func (l *loader) take(ctx context.Context, f folder, setting Setting) (*compiled, []Problem) {
	hash := folderHash(f)
	fingerprint := hash + " " + settingHash(setting)
	var (
		known *definition
		ready *program
	)
	for _, set := range l.earlier() {
		before := set.policy(f.id)
		if before == nil || before.hash != hash {
			continue
		}
		if known == nil {
			known = before.definition
		}
		if (set.print == nil) != (l.print == nil) {
			continue
		}
		if before.fingerprint == fingerprint && !before.Stale { // what serves on may do so under another action
			same := *before
			return &same, nil
		}
		if ready == nil {
			ready = before.program
		}
	}
	type result struct {
		policy   *compiled
		problems []Problem
	}
	r, reason := guarded(ctx, compileLimit, func() (r result) {
		if known == nil {
			if known, r.problems = l.compiler.read(ctx, f); known == nil {
				return r
			}
			known.hash = hash
		}
		r.policy, r.problems = l.compiler.configure(ctx, f, known, setting)
		return r
	})
	if reason != "" {
		return nil, []Problem{{Policy: f.id, File: f.dir, Reason: reason}}
	}
	if r.policy == nil {
		return nil, r.problems
	}
	r.policy.fingerprint = fingerprint
	if ready == nil {
		ready = &program{definition: known}
	}
	r.policy.program, r.policy.ReadsNamespace = ready, ready.readsNamespace
	return r.policy, nil
}

func (l *loader) earlier() []*Set { return append([]*Set{l.previous}, l.reusable...) }

func twice(id string, folders []folder) Problem {
	var dirs []string
	for _, f := range folders {
		dirs = append(dirs, f.dir)
	}
	return Problem{
		Policy: id, File: dirs[len(dirs)-1],
		Reason: fmt.Sprintf("the policy %s exists more than once: %s; none of them is in force", id, strings.Join(dirs, " and ")),
	}
}

// folderHash is the same for the same files in the same place: messages name the place.
func folderHash(f folder) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q", f.dir)
	for _, file := range f.files {
		fmt.Fprintf(hash, "%q%d ", file.name, len(file.text))
		hash.Write(file.text)
	}
	return string(hash.Sum(nil))
}

// settingHash is the same for settings that are spelled the same way.
func settingHash(s Setting) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q%q%q", s.Action, s.Parameters, s.Namespaces))
	return string(sum[:])
}

// revision hashes everything that decides a verdict: the Rego, the shared helpers, the capabilities and the settings. Where the files
// lie is no part of it, so that two replicas with the same policies have the same revision. more is what else counts.
func revision(folders []folder, settings map[string]Setting, more []string) string {
	var parts []string
	add := func(kind, name string, text []byte) {
		parts = append(parts, fmt.Sprintf("%s %s %x", kind, name, sha256.Sum256(text)))
	}
	for _, f := range folders {
		for _, file := range f.files {
			add("policy", strings.TrimPrefix(file.name, f.dir[:len(f.dir)-len(f.id)]), file.text)
		}
	}
	for _, file := range libFiles() {
		add("lib", file.name, file.text)
	}
	add("capabilities", "", capabilitiesJSON)
	for id, setting := range settings {
		parameters := []byte(setting.Parameters)
		if object, err := decodeObject(parameters); err == nil { // spelled the same way however it was written
			if text, err := marshal(object); err == nil {
				parameters = text
			}
		}
		add("setting", id, slices.Concat([]byte(setting.Action), []byte{0}, parameters))
		if len(setting.Namespaces) > 0 {
			add("namespaces", id, fmt.Appendf(nil, "%q", setting.Namespaces)) // maps are printed in the order of their keys
		}
	}
	for _, text := range more {
		add("more", "", []byte(text))
	}
	slices.Sort(parts)
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:6])
}

// marshal writes JSON with sorted keys and leaves <, > and & as they are.
func marshal(value any) (json.RawMessage, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(text.Bytes()), nil
}
