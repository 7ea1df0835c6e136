package record

import (
	"slices"
	"strconv"
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
	stale *finder
	// rewritten is evidence where every such leaf counts as Gesso's that it does not claim, whatever stood there before.
	rewritten *Evidence
	// drop says of an element that Gesso made and somebody added something to that the additions do not count.
	drop func(path []string, rest *object.Node) bool
}

// Start begins a subtraction from a copy of template, from which the record itself is taken at once; author is the evidence of the
// object that it belongs to.
func Start(template *object.Node, author Evidence) *Subtraction {
	s := &Subtraction{
		original: template, template: template.Clone(), rules: rules{author: author},
		lists: map[string]*list{}, partial: map[string]bool{}, kept: map[string]bool{},
	}
	s.changed = removeRecord(s.template)
	return s
}

func removeRecord(template *object.Node) bool {
	if !template.Remove("metadata", "annotations", Annotation) {
		return false
	}
	if template.Get("metadata", "annotations").Len() == 0 {
		template.Remove("metadata", "annotations")
	}
	return true
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
func (s *Subtraction) Changed() bool { return s.changed }

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
	if rest := s.strip(s.template, r.trie(), nil, false); rest != nil {
		s.template = rest
	}
}

// trie is a record by the steps of its paths.
type trie struct {
	hash string // of the leaf that ends here
	kids map[string]*trie
}

func (r *Record) trie() *trie {
	root := &trie{}
	for pointer, hash := range r.leaves {
		t := root
		for _, token := range tokens(pointer) {
			if t.kids[token] == nil {
				if t.kids == nil {
					t.kids = map[string]*trie{}
				}
				t.kids[token] = &trie{}
			}
			t = t.kids[token]
		}
		t.hash = hash
	}
	return root
}

func (t *trie) leaf(name string) string {
	if t == nil || t.kids[name] == nil {
		return ""
	}
	return t.kids[name].hash
}

// strip returns n, which stands at path and which it changes, without what t says is ours; nil where nothing is left. made is
// whether n lies inside an element that Gesso made.
func (s *Subtraction) strip(n *object.Node, t *trie, path []string, made bool) *object.Node {
	if t.hash != "" && (n.Type() != object.Map || n.Len() == 0) {
		if s.ours(n, t.hash, path, made) {
			s.changed = true
			return nil
		}
		return n
	}
	switch n.Type() {
	case object.Map:
		return s.stripMembers(n, t, path, made)
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
	if Hash(n.Canonical()) != hash {
		if made && s.rules.rewritten != nil {
			return !s.rules.rewritten.Claims(path)
		}
		if !made || s.rules.stale == nil {
			return false
		}
		if old, _ := s.rules.stale.find(path); old == nil || !old.Equal(n) {
			return false
		}
	}
	return !s.rules.author.Claims(path)
}

func (s *Subtraction) stripMembers(n *object.Node, t *trie, path []string, made bool) *object.Node {
	emptied := false
	for _, name := range sortedKids(t) {
		kid := n.Get(name)
		if kid == nil {
			continue
		}
		at := object.Join(path, name)
		switch rest := s.strip(kid, t.kids[name], at, made); {
		case rest == nil:
			n.Remove(name)
			emptied = true
		case rest != kid || s.changed:
			n.Put(rest, name)
		}
	}
	if emptied && n.Len() == 0 && !alwaysStored(path) && !s.rules.author.Claims(path) {
		return nil
	}
	return n
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

func (s *Subtraction) stripElements(n *object.Node, t *trie, path []string, inMade bool) *object.Node {
	member := keyOf(path)
	if member == "" {
		return n
	}
	order := keys(member, n)
	if order == nil {
		return n
	}
	kept, removed := []*object.Node{}, []string{}
	for i, key := range order {
		e, below := n.Get(strconv.Itoa(i)), t.kids[key]
		if below == nil {
			kept = append(kept, e)
			continue
		}
		if e = s.stripElement(e, below, member, object.Join(path, key), inMade); e != nil {
			kept = append(kept, e)
		} else {
			removed = append(removed, key)
		}
	}
	if len(removed) > 0 {
		s.changed = true
		l := s.list(path)
		l.removed = append(l.removed, removed...)
	}
	if len(kept) == 0 && !s.rules.author.Claims(path) {
		return nil
	}
	n.SetElements(kept)
	return n
}

// stripElement returns what is left of the element e at path, nil where it is to be taken out.
func (s *Subtraction) stripElement(e *object.Node, t *trie, member string, path []string, inMade bool) *object.Node {
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
func (s *Subtraction) stripMade(e *object.Node, t *trie, member string, path []string) *object.Node {
	key, rest := e.Get(member), e.Clone()
	rest.Remove(member)
	if rest = s.strip(rest, &trie{kids: t.kids}, path, true); rest == nil || !s.somethingIn(rest, path) {
		return nil
	}
	if s.rules.drop != nil && s.rules.drop(path, rest) {
		return nil
	}
	switch path[len(path)-2] {
	case "volumeMounts", "env", "ports", "volumeDevices":
		return e // it makes no sense without all of it: it is somebody else's now
	case "volumes":
		if !otherSource(rest, t) && !s.rules.author.claimsBelow(rest, path, member) {
			s.kept[path[len(path)-1]] = true
			return e // half a source is none
		}
	case "initContainers":
		s.partial[path[len(path)-1]] = true
	}
	s.changed = true
	rest.Put(key, member)
	return rest
}

// otherSource reports whether what is left of a volume is of another source than Gesso gave it: it is somebody else's volume then.
func otherSource(rest *object.Node, t *trie) bool {
	for name := range rest.Members() {
		if t.kids[name] == nil {
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
func wasMade(e *object.Node, t *trie, member string, path []string, inMade bool) bool {
	if Hash(e.Get(member).Canonical()) != t.leaf(member) {
		return false
	}
	reserved := strings.HasPrefix(path[2], Reserved)
	if len(path) == 3 {
		return reserved
	}
	name := e.Get("name")
	if path[3] == "volumeMounts" && (!strings.HasPrefix(name.Str(), Reserved) || Hash(name.Canonical()) != t.leaf("name")) {
		return false
	}
	return inMade || path[3] == "volumeMounts" && (!reserved || strings.HasPrefix(name.Str(), Scratch))
}

func sortedKids(t *trie) []string {
	names := make([]string, 0, len(t.kids))
	for name := range t.kids {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
