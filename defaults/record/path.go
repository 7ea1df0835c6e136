package record

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gesso-dev/gesso/internal/object"
)

// A path here is names of members and keys of list elements from the template, not positions: other webhooks and authors put
// elements in front of ours. "/spec/containers/web/volumeMounts/~1tmp/name".

// objectSection begins the paths of a kind without a template: its own fields.
const objectSection = "object"

// keyOf returns by which member the elements of the list at path are told apart; "" for a list that is one value. It is what the
// API's schema says (x-kubernetes-list-map-keys).
func keyOf(path []string) string {
	if len(path) < 2 || path[0] != "spec" {
		return ""
	}
	containers := path[1] == "containers" || path[1] == "initContainers"
	switch {
	case len(path) == 2 && (containers || path[1] == "volumes"):
		return "name"
	case len(path) == 4 && containers:
		return ListKey(path[3])
	}
	return ""
}

// ListKey is keyOf for the lists of a container, by their name.
func ListKey(name string) string {
	switch name {
	case "env":
		return "name"
	case "ports":
		return "containerPort"
	case "volumeMounts":
		return "mountPath"
	case "volumeDevices":
		return "devicePath"
	}
	return ""
}

// elementKey returns the key of a list element as a token; of a port "8080/TCP". It is not ok for an element that has none.
func elementKey(member string, element *object.Node) (token string, ok bool) {
	if member != "containerPort" {
		token, ok = element.Get(member).Text()
		return token, ok && token != ""
	}
	number, ok := element.Get(member).Int()
	protocol := element.Get("protocol").Str()
	if protocol == "" {
		protocol = "TCP"
	}
	return strconv.FormatInt(number, 10) + "/" + protocol, ok
}

// fewKeys is how many keys are compared with each other; more are looked up in a map.
const fewKeys = 16

// keys returns the keys of the elements of list in order, nil where they do not tell all of them apart: such a list is refused by
// the API server, or it is not safe to move anything in it.
func keys(member string, list *object.Node) []string {
	all := make([]string, 0, list.Len())
	var seen map[string]bool
	if list.Len() > fewKeys {
		seen = make(map[string]bool, list.Len())
	}
	for _, e := range list.Elements() {
		key, ok := elementKey(member, e)
		if !ok || seen[key] || seen == nil && slices.Contains(all, key) {
			return nil
		}
		if seen != nil {
			seen[key] = true
		}
		all = append(all, key)
	}
	return all
}

// Finder follows paths in one template that does not change meanwhile. It looks through each list once: a template may have
// thousands of volumes, and a record hundreds of entries.
type Finder struct {
	template *object.Node
	few      []keyedList
	many     map[*object.Node]*keyedList
}

// keyedList is a list with its keys.
type keyedList struct {
	node  *object.Node
	keys  []string       // nil where they do not tell all elements apart
	index map[string]int // of many keys
}

// In returns a Finder for a template.
func In(template *object.Node) *Finder { return in(template) }

func in(template *object.Node) *Finder { return &Finder{template: template} }

// find returns the node at path, nil where it leads nowhere, and the path with positions instead of keys.
func (f *Finder) find(path []string) (n *object.Node, positions []string) {
	var buf [12]string
	n, positions = f.follow(path, buf[:0])
	if n == nil {
		return nil, nil
	}
	return n, slices.Clone(positions)
}

// value returns the node at path, nil where it leads nowhere.
func (f *Finder) value(path []string) *object.Node {
	var buf [12]string
	n, _ := f.follow(path, buf[:0])
	return n
}

// follow is find, with the positions appended to a list of the caller's.
func (f *Finder) follow(path, positions []string) (*object.Node, []string) {
	if path == nil {
		return nil, nil
	}
	n := f.template
	for i, token := range path {
		if member := keyOf(path[:i]); member != "" && n.Type() == object.Array {
			at := f.list(member, n).position(token)
			if at < 0 {
				return nil, nil
			}
			token = strconv.Itoa(at)
		}
		if n = n.Step(token); n == nil {
			return nil, nil
		}
		positions = append(positions, token)
	}
	return n, positions
}

// list returns a list with its keys.
func (f *Finder) list(member string, n *object.Node) *keyedList {
	for i := range f.few {
		if f.few[i].node == n {
			return &f.few[i]
		}
	}
	if l := f.many[n]; l != nil {
		return l
	}
	l := keyedList{node: n, keys: keys(member, n)}
	if len(l.keys) > fewKeys {
		l.index = make(map[string]int, len(l.keys))
		for i, key := range l.keys {
			l.index[key] = i
		}
	}
	if len(f.few) < fewKeys {
		if f.few == nil {
			f.few = make([]keyedList, 0, 4)
		}
		f.few = append(f.few, l)
		return &f.few[len(f.few)-1]
	}
	if f.many == nil {
		f.many = map[*object.Node]*keyedList{}
	}
	f.many[n] = &l
	return &l
}

// position returns at which position the element with the key is, -1 where there is none.
func (l *keyedList) position(key string) int {
	if l.index == nil {
		return slices.Index(l.keys, key)
	}
	if at, ok := l.index[key]; ok {
		return at
	}
	return -1
}

// Value returns the node at path, nil where it leads nowhere.
func (f *Finder) Value(path []string) *object.Node { return f.value(path) }

// Find returns the node at path, nil where it leads nowhere, and appends the path with positions instead of keys to positions.
func (f *Finder) Find(path, positions []string) (*object.Node, []string) {
	return f.follow(path, positions)
}

// Keyed returns each path of positions as names and keys; nil for one that leads nowhere, or through a list whose elements cannot be
// told apart.
func Keyed(template *object.Node, paths [][]string) [][]string {
	f := in(template)
	all := make([][]string, len(paths))
	var buf [12]string
	for i, positions := range paths {
		if keyed, _ := f.keyed(positions, buf[:0]); keyed != nil {
			all[i] = slices.Clone(keyed)
		}
	}
	return all
}

// keyed appends a path of positions as names and keys to path, and returns what stands there.
func (f *Finder) keyed(positions, path []string) ([]string, *object.Node) {
	if positions == nil {
		return nil, nil
	}
	n := f.template
	for i, token := range positions {
		next := n.Step(token)
		if next == nil {
			return nil, nil
		}
		if member := keyOf(path[:i]); member != "" && n.Type() == object.Array {
			l := f.list(member, n)
			if l.keys == nil {
				return nil, nil
			}
			j, _ := strconv.Atoi(token) // Get found it
			token = l.keys[j]
		}
		path, n = append(path, token), next
	}
	return path, n
}

// Addressable reports whether all elements of the lists in which Gesso writes can be told apart by their keys. The API server refuses
// a template of which that is not true; a record of it would say nothing certain.
func Addressable(template *object.Node) bool {
	spec := template.Get("spec")
	distinct := func(member string, list *object.Node) bool {
		return list.Len() == 0 || list.Len() == 1 && hasKey(member, list) || keys(member, list) != nil
	}
	if !distinct("name", spec.Get("volumes")) {
		return false
	}
	for _, containers := range [...]string{"initContainers", "containers"} {
		list := spec.Get(containers)
		if !distinct("name", list) {
			return false
		}
		for _, c := range list.Elements() {
			if !distinct("mountPath", c.Get("volumeMounts")) {
				return false
			}
		}
	}
	return true
}

// hasKey reports whether the only element of a list has a key.
func hasKey(member string, list *object.Node) bool {
	_, ok := elementKey(member, list.Get("0"))
	return ok
}

// eachLeaf visits the leaves at and below n, which stands at path: scalars, lists that are one value, and empty objects. The path that
// is visited holds only until the visit is over.
func eachLeaf(n *object.Node, path []string, visit func(path []string, leaf *object.Node)) {
	switch n.Type() {
	case object.Absent, object.Null:
	case object.Map:
		if n.Len() == 0 {
			visit(path, n)
		}
		for name, kid := range n.Members() {
			eachLeaf(kid, append(path, name), visit)
		}
	case object.Array:
		member := keyOf(path)
		if member == "" {
			visit(path, n)
			return
		}
		for i, key := range keys(member, n) {
			eachLeaf(n.At(i), append(path, key), visit)
		}
	default:
		visit(path, n)
	}
}

// appendPath appends a path as the record has it: resources.limits.memory, volumeMounts[/tmp].name. Tokens that are not plain, and
// all that follow a list, stand in brackets, where \ escapes.
func appendPath(b []byte, path []string) []byte {
	for i, token := range path {
		switch {
		case !plain(token) || i > 0 && isList(path[i-1]):
			b = append(append(append(b, '['), escape(token)...), ']')
		case i > 0:
			b = append(append(b, '.'), token...)
		default:
			b = append(b, token...)
		}
	}
	return b
}

func escape(token string) string {
	if strings.ContainsAny(token, `]\`) {
		token = strings.ReplaceAll(strings.ReplaceAll(token, `\`, `\\`), `]`, `\]`)
	}
	return token
}

// isList reports whether the record writes what follows a member of this name in brackets. It is about looks only.
func isList(name string) bool {
	switch name {
	case "volumes", "volumeMounts", "volumeDevices", "env", "ports", "annotations", "labels":
		return true
	}
	return false
}

func plain(token string) bool {
	return token != "" && !strings.ContainsAny(token, `.[]\/~ `)
}

// parsePath appends the tokens of what appendPath wrote, and of nothing else, to path.
func parsePath(text string, path []string) (_ []string, ok bool) {
	under := len(path)
	for rest := text; rest != ""; {
		if rest[0] != '[' {
			if rest[0] == '.' && len(path) > under {
				rest = rest[1:]
			}
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, false
			}
			path, rest = append(path, rest[:end]), rest[end:]
			continue
		}
		token, after, ok := unbracket(rest[1:])
		if !ok {
			return nil, false
		}
		path, rest = append(path, token), after
	}
	var buf [128]byte
	return path, len(path) > under && string(appendPath(buf[:0], path[under:])) == text
}

// unbracket reads a token up to the bracket that ends it.
func unbracket(text string) (token, rest string, ok bool) {
	end := strings.IndexAny(text, `]\`)
	if end >= 0 && text[end] == ']' {
		return text[:end], text[end+1:], true
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ']':
			return b.String(), text[i+1:], true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
		}
		b.WriteByte(text[i])
	}
	return "", "", false
}
