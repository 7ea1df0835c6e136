package record

import (
	"slices"
	"strings"

	"github.com/gesso-dev/gesso/internal/object"
)

// Subtraction takes what records say is Gesso's out of a template, so that it can be filled afresh, and afterwards puts every element
// where it was. Elements that Gesso made are taken out of their lists whole; what somebody else added to one stays.
type Subtraction struct {
	original *object.Node // as it came
	template *object.Node // a copy without what was taken out
	rules    rules

	lists   map[string]*list // JSON pointer of the list → what was taken out of it
	partial map[string]bool  // names of sidecars that somebody added something to, which stays
	kept    map[string]bool  // names of volumes that somebody changed, which stay whole
	records []*Record
	changed bool
	mem     object.Memory
}

// list is a list from which elements were taken.
type list struct {
	path    []string
	order   []string // keys as they came
	removed []string // keys of the elements that are taken out
}

// rules say what is Gesso's.
type rules struct {
	author Evidence
	// stale is the old template where a leaf of an element that Gesso made counts as Gesso's although it reads otherwise now: another
	// webhook rewrote it before this request, and the author does not claim it.
	stale *Finder
	// rewritten is evidence where every such leaf counts as Gesso's that it does not claim, whatever stood there before.
	rewritten *Evidence
	// drop says of an element that Gesso made and somebody added something to that the additions do not count.
	drop func(path []string, rest *object.Node) bool
}

// Start begins a subtraction from template, which stays as it is, from which the record itself is taken at once; author is the evidence of the
// object that it belongs to.
func Start(template *object.Node, author Evidence) *Subtraction {
	s := &Subtraction{
		original: template, template: template.Copy(), rules: rules{author: author},
	}
	if template.Get("metadata", "annotations", Annotation) != nil {
		s.template, s.changed = withoutRecord(template, &s.mem), true
	}
	return s
}

// withoutRecord returns a copy of a template that has a record, without it.
func withoutRecord(template *object.Node, mem *object.Memory) *object.Node {
	metadata := template.Get("metadata")
	annotations := mem.With(metadata.Get("annotations"), Annotation, nil)
	if annotations.Len() == 0 {
		annotations = nil
	}
	return mem.With(template, "metadata", mem.With(metadata, "annotations", annotations))
}

// TakeStale makes leaves of elements that Gesso made count as Gesso's where they read as they do in old, although that is not what was
// written: between the two stands a webhook that rewrites, say, the registry of images, and left alone it would pin the value for
// ever. It needs evidence that the author does not claim them.
func (s *Subtraction) TakeStale(old *object.Node) {
	if s.rules.author.Any() {
		s.rules.stale = in(old)
	}
}

// Completes reports whether the sidecar of that name, which stands in the template, is to be completed: somebody added something to
// what Gesso made, or the author demonstrably wrote some of it. A nil Subtraction completes nothing.
func (s *Subtraction) Completes(name string) bool {
	return s != nil && (s.partial[name] || s.rules.author.Claims([]string{"spec", "initContainers", name}))
}

// Keeps reports whether the volume of that name is one that Gesso made and that stays, because somebody changed something in it.
func (s *Subtraction) Keeps(name string) bool { return s != nil && s.kept[name] }

// Template returns the template without what was taken out. It may be filled.
func (s *Subtraction) Template() *object.Node { return s.template }

// Changed reports whether anything was taken out.
func (s *Subtraction) Changed() bool { return s != nil && s.changed }

// Recorded reports whether one of the records taken out had an entry for the leaf at path, which the author does not claim.
func (s *Subtraction) Recorded(path []string) bool {
	return !s.rules.author.Claims(path) && slices.ContainsFunc(s.records, func(r *Record) bool { return r.Has(path) })
}

// Subtract takes out the leaves of r that stand as they were written and that the author does not claim, and the elements that r says
// were made. Objects that this empties go with them, but the pod's securityContext and a container's resources stay: the API server
// stores those empty ones.
func (s *Subtraction) Subtract(r *Record) {
	if r.Empty() {
		return
	}
	s.records = append(s.records, r)
	path := make([]string, 0, 12)
	if rest := s.strip(s.template, trie{entries: r.sorted()}, path, false); rest != nil {
		s.template = rest
	}
	if s.changed {
		s.template.Open() // whoever fills it and the rest of the subtraction edit one template
	}
}

// trie is a record by the steps of its paths: the entries, in order, that begin with the same steps.
type trie struct {
	entries []entry
	depth   int
}

// hash returns the hash of the leaf that ends here, "" where none does.
func (t trie) hash() string {
	if len(t.entries) > 0 && len(t.entries[0].path) == t.depth {
		return t.entries[0].hash
	}
	return ""
}

// inner returns the entries that go on.
func (t trie) inner() trie {
	if len(t.entries) > 0 && len(t.entries[0].path) == t.depth {
		t.entries = t.entries[1:]
	}
	return t
}

// kid returns the entries that go on by name, and whether there are some.
func (t trie) kid(name string) (trie, bool) {
	all := t.inner().entries
	from, found := slices.BinarySearchFunc(all, name, func(e entry, name string) int { return strings.Compare(e.path[t.depth], name) })
	if !found {
		return trie{}, false
	}
	return trie{entries: all[from : from+sameStep(all[from:], t.depth)], depth: t.depth + 1}, true
}

// sameStep counts the first entries that take the same step.
func sameStep(all []entry, depth int) int {
	n := 1
	for n < len(all) && all[n].path[depth] == all[0].path[depth] {
		n++
	}
	return n
}

// leaf returns the hash of the leaf called name, "" where there is none.
func (t trie) leaf(name string) string {
	kid, _ := t.kid(name)
	return kid.hash()
}

// strip returns what is left of n, which stands at path, without what t says is ours; nil where nothing is. n stays as it is. made is
// whether n lies inside an element that Gesso made.
func (s *Subtraction) strip(n *object.Node, t trie, path []string, made bool) *object.Node {
	if hash := t.hash(); hash != "" && (n.Type() != object.Map || n.Len() == 0) {
		if s.ours(n, hash, path, made) {
			s.changed = true
			return nil
		}
		return n
	}
	switch n.Type() {
	case object.Map:
		return s.stripMembers(n, t, path, made, "")
	case object.Array:
		return s.stripElements(n, t, path, made)
	default:
		return n
	}
}

func (s *Subtraction) ours(n *object.Node, hash string, path []string, made bool) bool {
	if !made && len(path) > 3 && strings.HasPrefix(path[2], Reserved) && !ofAnyContainer(path) {
		return false // without the proof that Gesso made the element
	}
	if !wasWritten(n, hash) {
		if made && s.rules.rewritten != nil {
			return !s.rules.rewritten.Claims(path)
		}
		if !made || s.rules.stale == nil {
			return false
		}
		if old := s.rules.stale.value(path); old == nil || !old.Equal(n) {
			return false
		}
	}
	return !s.rules.author.Claims(path)
}

func (s *Subtraction) stripMembers(n *object.Node, t trie, path []string, made bool, without string) *object.Node {
	var buf [24]*object.Node
	kids, left, same, emptied := buf[:0], 0, true, false
	for i := range n.Len() {
		name, kid := n.MemberAt(i)
		rest := kid
		if name == without {
			rest = nil
		} else if below, ok := t.kid(name); ok {
			rest = s.strip(kid, below, append(path, name), made)
			emptied = emptied || rest == nil
		}
		if rest != nil {
			left++
		}
		same = same && rest == kid
		kids = append(kids, rest)
	}
	if emptied && left == 0 && !alwaysStored(path) && !s.rules.author.Claims(path) {
		return nil
	}
	if same {
		return n
	}
	return s.mem.Replaced(n, kids)
}

// alwaysStored reports whether the API server stores an object at path even where it is empty.
func alwaysStored(path []string) bool {
	switch {
	case len(path) < 2:
		return true // the template, its metadata and its spec
	case len(path) == 2:
		return path[0] == "spec" && path[1] == "securityContext"
	default:
		return len(path) == 4 && path[3] == "resources"
	}
}

func (s *Subtraction) stripElements(n *object.Node, t trie, path []string, inMade bool) *object.Node {
	member := keyOf(path)
	if member == "" {
		return n
	}
	order := keys(member, n)
	if order == nil {
		return n
	}
	var buf [24]*object.Node
	kept, removed, same, left := buf[:0], []string(nil), true, 0
	for i, key := range order {
		e := n.At(i)
		rest := e
		if below, ok := t.kid(key); ok {
			rest = s.stripElement(e, below, member, append(path, key), inMade)
		}
		same = same && rest == e
		kept = append(kept, rest)
		if rest != nil {
			left++
		} else {
			removed = append(removed, key)
		}
	}
	if len(removed) > 0 {
		s.changed = true
		l := s.list(path)
		l.removed = append(l.removed, removed...)
	}
	if left == 0 && !s.rules.author.Claims(path) {
		return nil
	}
	if same {
		return n
	}
	return s.mem.Replaced(n, kept)
}

// stripElement returns what is left of the element e at path, nil where it is to be taken out.
func (s *Subtraction) stripElement(e *object.Node, t trie, member string, path []string, inMade bool) *object.Node {
	if e.Type() != object.Map {
		return e
	}
	made := wasMade(e, t, member, path, inMade)
	switch {
	case made && onlyMade(path):
		return s.stripMade(e, t, member, path)
	case onlyMade(path) && (len(path) > 3 || path[1] != "initContainers"):
		return e // a volume or a mount of somebody else's
	}
	if rest := s.strip(e, t, path, false); rest != nil {
		return rest
	}
	return e
}

// stripMade returns what is left of an element that Gesso made.
func (s *Subtraction) stripMade(e *object.Node, t trie, member string, path []string) *object.Node {
	key, rest := e.Get(member), s.stripMembers(e, t.inner(), path, true, member)
	if rest == nil || !s.somethingIn(rest, path) {
		return nil
	}
	if s.rules.drop != nil && s.rules.drop(path, rest) {
		return nil
	}
	name := path[len(path)-1]
	switch path[len(path)-2] {
	case "volumeMounts", "env", "ports", "volumeDevices":
		return e // it makes no sense without all of it: it is somebody else's now
	case "volumes":
		if !otherSource(rest, t) && !s.rules.author.claimsBelow(rest, path, member) {
			s.kept = mark(s.kept, name)
			return e // half a source is none
		}
	case "initContainers":
		s.partial = mark(s.partial, name)
	}
	s.changed = true
	rest.Put(key, member)
	return rest
}

// mark adds name to a set, which is made where there is none.
func mark(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[name] = true
	return set
}

// otherSource reports whether what is left of a volume is of another source than Gesso gave it: it is somebody else's volume then.
func otherSource(rest *object.Node, t trie) bool {
	for name := range rest.Members() {
		if _, ours := t.kid(name); !ours {
			return true
		}
	}
	return false
}

// somethingIn reports whether something is left at path: a leaf, or an empty object that the author wrote.
func (s *Subtraction) somethingIn(rest *object.Node, path []string) bool {
	found := false
	eachLeaf(rest, path, func(at []string, leaf *object.Node) {
		found = found || leaf.Type() != object.Map || len(at) > len(path) && s.rules.author.Claims(at)
	})
	return found
}

// onlyMade reports whether the element at path lies in a list of which Gesso records whole elements only: all but the containers
// of the author.
func onlyMade(path []string) bool {
	switch len(path) {
	case 3:
		return path[1] == "volumes" || path[1] == "initContainers" && strings.HasPrefix(path[2], Reserved)
	default:
		return len(path) > 3
	}
}

// wasMade reports whether the record proves that Gesso made e: it has an entry for the key that fits, and the name is one that only
// Gesso gives. A mount is Gesso's if the volume is. inMade is whether e lies in an element that is proved; without it nothing in a
// container of a reserved name is, but the mounts of scratch volumes, which any container gets.
func wasMade(e *object.Node, t trie, member string, path []string, inMade bool) bool {
	if !wasWritten(e.Get(member), t.leaf(member)) {
		return false
	}
	reserved := strings.HasPrefix(path[2], Reserved)
	if len(path) == 3 {
		return reserved
	}
	name := e.Get("name")
	if path[3] == "volumeMounts" && (!strings.HasPrefix(name.Str(), Reserved) || !wasWritten(name, t.leaf("name"))) {
		return false
	}
	return inMade || path[3] == "volumeMounts" && (!reserved || strings.HasPrefix(name.Str(), Scratch))
}
