package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
)

// reviewFlags are the flags of gesso review.
type reviewFlags struct {
	engineFlags
	files      []string
	old        string
	namespaces string
	namespace  string
	as         string
	asGroups   []string
	now        string
	output     string
	verbose    bool
	why        bool
	world      *world // what was read
}

func newReviewCommand() *cobra.Command {
	var flags reviewFlags
	cmd := &cobra.Command{
		Use:   "review -f FILE|DIR|-",
		Short: "Show what Gesso would fill in and refuse, without a cluster",
		Long: `Review every object as the API server would have it reviewed: filled with the Profile's defaults, then judged by the policies.

One result for each object, in input order. Lists and files of several documents are flattened; a directory is walked in the
order of names. Namespaces among the input, or in --namespaces, supply labels and annotations; a namespace that is in neither
counts as one without any.

Exit codes: 0 all allowed; 1 something is denied; 2 could not read (nothing is printed but one error) or could not decide.`,
		Example: `  gesso review -f deploy/
  gesso review -f deploy/ --why
  gesso review -f new.yaml --old live.yaml --profile profile.yaml -o json
  kustomize build . | gesso review -f - -o yaml > filled.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: name files and directories by -f", args[0])
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return flags.review(cmd) },
	}
	flags.register(cmd)
	cmd.Flags().StringArrayVarP(&flags.files, "filename", "f", nil, "`FILE`, directory or - for standard input; may be repeated")
	cmd.Flags().StringVar(&flags.old, "old", "", "`FILE` or directory of the objects as they are now: a review of one of them is an UPDATE")
	cmd.Flags().StringVar(&flags.namespaces, "namespaces", "", "`FILE` or directory of Namespaces that supply labels and annotations")
	cmd.Flags().StringVarP(&flags.namespace, "namespace", "n", "default", "`NAMESPACE` of objects that name none")
	cmd.Flags().StringVar(&flags.as, "as", "", "`USER` who asks; without it an unprivileged developer")
	cmd.Flags().StringArrayVar(&flags.asGroups, "as-group", nil, "`GROUP` of the user who asks; may be repeated")
	cmd.Flags().StringVar(&flags.now, "now", "", "`TIME` by which exceptions expire, RFC 3339; without it the clock's")
	cmd.Flags().StringVarP(&flags.output, "output", "o", "", "table, yaml or json; without it table on a terminal, else yaml")
	cmd.Flags().BoolVarP(&flags.verbose, "verbose", "v", false, "tell on standard error what the print statements of policies say")
	cmd.Flags().BoolVar(&flags.why, "why", false, "say in words, in a table, why each default was not filled")
	completeFiles(cmd, "filename", "yaml", "yml", "json")
	completeFiles(cmd, "old", "yaml", "yml", "json")
	completeFiles(cmd, "namespaces", "yaml", "yml", "json")
	completeWith(cmd, "output", "table", "yaml", "json")
	for _, flag := range []string{"namespace", "as", "as-group", "now"} {
		completeWith(cmd, flag)
	}
	return cmd
}

// patience is how long one policy may take over one object: nobody waits for an answer with a timeout, and a busy machine must
// not change a verdict.
const patience = 10 * time.Second

func (f *reviewFlags) review(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	width, terminal := terminalWidth(out)
	render, err := f.renderer(terminal)
	if err != nil {
		return err
	}
	if len(f.files) == 0 {
		return errors.New("nothing to review: give -f FILE, -f DIR, or -f - for standard input")
	}
	// Everything is read before anything is printed: an error means no results.
	in := &input{stdin: cmd.InOrStdin()}
	requests, err := f.requests(in)
	if err != nil {
		return err
	}
	f.deadline = patience
	var prints printed
	if f.verbose {
		f.print = prints.take
	}
	engine, err := f.engine(cmd.Context(), "")
	if err != nil {
		return err
	}
	inventory, err := f.world.inventory(engine.set)
	if err != nil {
		return err
	}
	results := make([]admission.Result, len(requests))
	for i, r := range requests {
		r.Inventory = inventory
		prints.reviewing(r.Source)
		results[i] = engine.Review(cmd.Context(), r)
	}
	if err := cmd.Context().Err(); err != nil {
		return errInterrupted // what was not asked in time is not undecided
	}
	for _, note := range in.notes {
		fmt.Fprintln(cmd.ErrOrStderr(), "note:", note)
	}
	for _, line := range prints.lines {
		fmt.Fprintln(cmd.ErrOrStderr(), line)
	}
	if err := render(out, cmd.ErrOrStderr(), results, width); err != nil {
		return fmt.Errorf("print results: %w", err)
	}
	if code := codeOf(results); code != exitOK {
		return exitCode(code)
	}
	return nil
}

// renderer returns what prints the results.
func (f *reviewFlags) renderer(terminal bool) (func(out, errOut io.Writer, results []admission.Result, width int) error, error) {
	if f.output == "" {
		f.output = "yaml"
		if terminal || f.why {
			f.output = "table"
		}
	}
	switch {
	case f.output == "table" && f.why:
		return printWhy, nil
	case f.output == "table":
		return printTable, nil
	case f.output != "yaml" && f.output != "json":
		return nil, fmt.Errorf("unknown output %q: want table, yaml or json", f.output)
	case f.why:
		return nil, fmt.Errorf("--why is for -o table, not %s: json has the reasons, docs/names.md what they mean", f.output)
	case f.output == "json":
		return printJSON, nil
	}
	return printYAML, nil
}

// codeOf returns the exit code for results: not having decided is worse than a denial.
func codeOf(results []admission.Result) int {
	code := exitOK
	for i := range results {
		switch {
		case len(results[i].Undecided) > 0:
			return exitError
		case !results[i].Allowed:
			code = exitDenied
		}
	}
	return code
}

// terminalWidth returns the width of w in columns, and whether it is a terminal at all.
func terminalWidth(w io.Writer) (width int, terminal bool) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		return width, true
	}
	return 0, true
}

// requests reads everything that is to be reviewed.
func (f *reviewFlags) requests(in *input) ([]admission.Request, error) {
	now := time.Now()
	if f.now != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, f.now); err != nil {
			return nil, fmt.Errorf("--now %q: want a time such as 2026-11-24T12:00:00Z", f.now)
		}
	}
	var objects []inputObject
	for _, file := range f.files {
		more, err := in.read(file)
		if err != nil {
			return nil, err
		}
		objects = append(objects, more...)
	}
	world := newWorld(f.namespace, objects)
	f.world = world
	if f.namespaces != "" {
		more, err := in.read(f.namespaces)
		if err != nil {
			return nil, err
		}
		world.objects = append(more, world.objects...)
		if world.addNamespaces(more) == 0 {
			return nil, fmt.Errorf("%s: no Namespace in it", named(f.namespaces))
		}
	}
	if f.old != "" {
		old, err := in.read(f.old)
		if err != nil {
			return nil, err
		}
		world.objects = append(old, world.objects...) // the new ones replace them
		world.addOld(old)
	}
	requests := make([]admission.Request, 0, len(objects))
	for _, o := range objects {
		r, err := world.request(o, f.user())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.source, err)
		}
		r.Now = now
		if f.old != "" && r.Operation == admission.Create && !recorded(o) {
			in.note("%s: %s %q is not among the old objects; reviewed as a CREATE", o.source, o.Kind, o.Name)
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// user returns who asks.
func (f *reviewFlags) user() admission.User {
	name := f.as
	if name == "" {
		name = "developer"
	}
	groups := slices.Clone(f.asGroups)
	// The API server knows the groups of a service account by its name.
	if account, ok := strings.CutPrefix(name, "system:serviceaccount:"); ok {
		namespace, _, _ := strings.Cut(account, ":")
		groups = append(groups, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	}
	return admission.User{Name: name, Groups: append(groups, "system:authenticated")}
}

// world is what an offline review knows besides the object: the manifests that were given are all there is.
type world struct {
	defaultNamespace string
	namespaces       map[string]*convention.Namespace
	old              map[identity]*object.Object
	objects          []inputObject // all of them, what is to be reviewed last
}

// identity names an object across versions.
type identity struct {
	kind            object.GroupKind
	namespace, name string
}

func newWorld(defaultNamespace string, objects []inputObject) *world {
	w := &world{
		defaultNamespace: defaultNamespace,
		namespaces:       map[string]*convention.Namespace{},
		old:              map[identity]*object.Object{},
		objects:          objects,
	}
	w.addNamespaces(objects)
	return w
}

// addNamespaces takes the facts of the Namespaces among objects, and returns how many there are.
func (w *world) addNamespaces(objects []inputObject) int {
	found := 0
	for _, o := range objects {
		if o.GroupKind() != (object.GroupKind{Kind: "Namespace"}) {
			continue
		}
		found++
		ns := &convention.Namespace{
			Name:        o.Name,
			Labels:      stringMap(o.Root.Get("metadata", "labels")),
			Annotations: stringMap(o.Root.Get("metadata", "annotations")),
		}
		ns.Labels[nameLabel] = o.Name
		w.namespaces[o.Name] = ns
	}
	return found
}

// nameLabel is the label that the API server keeps on every Namespace.
const nameLabel = "kubernetes.io/metadata.name"

func (w *world) addOld(objects []inputObject) {
	for _, o := range objects {
		w.old[w.identity(o.Object)] = o.Object
	}
}

func (w *world) identity(o *object.Object) identity {
	return identity{o.GroupKind(), w.namespaceOf(o), o.Name}
}

// namespaceOf returns the namespace that an object would be applied to; empty for a cluster-scoped one.
func (w *world) namespaceOf(o *object.Object) string {
	if _, namespaced := object.Scope(o.GroupKind()); !namespaced {
		return ""
	}
	if o.Namespace == "" {
		return w.defaultNamespace
	}
	return o.Namespace
}

// facts returns what is known of a namespace. One that was not given is one without labels: offline nothing else will come.
func (w *world) facts(name string) *convention.Namespace {
	if name == "" {
		return nil
	}
	if ns := w.namespaces[name]; ns != nil {
		return ns
	}
	return &convention.Namespace{Name: name, Labels: map[string]string{nameLabel: name}}
}

// request makes the review of one object. An AdmissionReview that was recorded is replayed as it stands.
func (w *world) request(o inputObject, user admission.User) (admission.Request, error) {
	var r admission.Request
	var err error
	if recorded(o) {
		if o.Root.Get("request").Missing() {
			return r, errors.New("an AdmissionReview without a request")
		}
		r, err = admission.Decode(o.Root.Get("request").Bytes())
	} else {
		var old *object.Object
		if !o.Root.Get("metadata", "name").Missing() { // an object that is still to get its name is a new one
			old = w.old[w.identity(o.Object)]
		}
		resource, _ := object.Scope(o.GroupKind())
		r, err = admission.NewRequest(o.Object, old, resource, w.namespaceOf(o.Object), user)
	}
	if err != nil {
		return r, err
	}
	r.Source = o.source
	r.Namespace = w.facts(r.NamespaceName)
	return r, nil
}

// recorded reports whether o is the recorded question of an API server and not an object to be applied.
func recorded(o inputObject) bool {
	return o.Group == "admission.k8s.io" && o.Kind == "AdmissionReview"
}

// stringMap reads an object of strings; other values are left out.
func stringMap(n *object.Node) map[string]string {
	m := map[string]string{}
	for name, value := range n.Members() {
		if s, ok := value.Text(); ok {
			m[name] = s
		}
	}
	return m
}
