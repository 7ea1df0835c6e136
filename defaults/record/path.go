package record

import (
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

// keys returns the keys of the elements of list in order, nil where they do not tell all of them apart: such a list is refused by
// the API server, or it is not safe to move anything in it.
func keys(member string, list *object.Node) []string {
	all := make([]string, 0, list.Len())
	seen := make(map[string]bool, list.Len())
	for _, e := range list.Elements() {
		key, ok := elementKey(member, e)
		if !ok || seen[key] {
			return nil
		}
		seen[key] = true
		all = append(all, key)
	}
	return all
}

// finder follows paths in one template that does not change meanwhile. It looks through each list once: a template may have
// thousands of volumes, and a record hundreds of entries.
type finder struct {
	template *object.Node
	lists    map[*object.Node]map[string]int
}

func in(template *object.Node) *finder {
	return &finder{template: template, lists: map[*object.Node]map[string]int{}}
}

// find returns the node at path, nil where it leads nowhere, and the path with positions instead of keys.
func (f *finder) find(path []string) (n *object.Node, positions []string) {
	if path == nil {
		return nil, nil
	}
	n = f.template
	positions = make([]string, 0, len(path))
	for i, token := range path {
		if member := keyOf(path[:i]); member != "" && n.Type() == object.Array {
			at, ok := f.index(member, n)[token]
			if !ok {
				return nil, nil
			}
			token = strconv.Itoa(at)
		}
		if n = n.Get(token); n == nil {
			return nil, nil
		}
		positions = append(positions, token)
	}
	return n, positions
}

func (f *finder) index(member string, list *object.Node) map[string]int {
	index, ok := f.lists[list]
	if !ok {
		index = map[string]int{}
		for i, key := range keys(member, list) {
			index[key] = i
		}
		f.lists[list] = index
	}
	return index
}

// Positions returns each path with the positions that its elements have in template; nil for one that leads nowhere.
func Positions(template *object.Node, paths [][]string) [][]string {
	f := in(template)
	all := make([][]string, len(paths))
	for i, path := range paths {
		_, all[i] = f.find(path)
	}
	return all
}

// Values returns what stands in template at each path; nil where it leads nowhere.
func Values(template *object.Node, paths [][]string) []*object.Node {
	f := in(template)
	all := make([]*object.Node, len(paths))
	for i, path := range paths {
		all[i], _ = f.find(path)
	}
	return all
}

// Keyed returns each path of positions as names and keys; nil for one that leads nowhere, or through a list whose elements cannot be
// told apart.
func Keyed(template *object.Node, paths [][]string) [][]string {
	lists := map[*object.Node][]string{}
	all := make([][]string, len(paths))
	for i, positions := range paths {
		all[i] = keyed(template, positions, lists)
	}
	return all
}

func keyed(n *object.Node, positions []string, lists map[*object.Node][]string) []string {
	if positions == nil {
		return nil
	}
	path := make([]string, 0, len(positions))
	for _, token := range positions {
		next := n.Get(token)
		if next == nil {
			return nil
		}
		if member := keyOf(path); member != "" && n.Type() == object.Array {
			order, ok := lists[n]
			if !ok {
				order = keys(member, n)
				lists[n] = order
			}
			if order == nil {
				return nil
			}
			j, _ := strconv.Atoi(token) // Get found it
			token = order[j]
		}
		path, n = append(path, token), next
	}
	return path
}

// Addressable reports whether all elements of the lists in which Gesso writes can be told apart by their keys. The API server refuses
// a template of which that is not true; a record of it would say nothing certain.
func Addressable(template *object.Node) bool {
	lists := [][]string{{"spec", "volumes"}}
	for _, containers := range [...]string{"initContainers", "containers"} {
		lists = append(lists, []string{"spec", containers})
		for i := range template.Get("spec", containers).Elements() {
			lists = append(lists, []string{"spec", containers, strconv.Itoa(i), "volumeMounts"})
		}
	}
	for _, path := range lists {
		if list := template.Get(path...); list.Len() > 0 && keys(keyOf(path), list) == nil {
			return false
		}
	}
	return true
}

// eachLeaf visits the leaves at and below n, which stands at path: scalars, lists that are one value, and empty objects.
func eachLeaf(n *object.Node, path []string, visit func(path []string, leaf *object.Node)) {
	switch n.Type() {
	case object.Absent, object.Null:
	case object.Map:
		if n.Len() == 0 {
			visit(path, n)
		}
		for name, kid := range n.Members() {
			eachLeaf(kid, object.Join(path, name), visit)
		}
	case object.Array:
		member := keyOf(path)
		if member == "" {
			visit(path, n)
			return
		}
		for i, key := range keys(member, n) {
			eachLeaf(n.Get(strconv.Itoa(i)), object.Join(path, key), visit)
		}
	default:
		visit(path, n)
	}
}

// formatPath writes a path as the record has it: resources.limits.memory, volumeMounts[/tmp].name. Tokens that are not plain, and
// all that follow a list, stand in brackets, where \ escapes.
func formatPath(path []string) string {
	var b strings.Builder
	for i, token := range path {
		switch {
		case !plain(token) || i > 0 && isList(path[i-1]):
			b.WriteString("[" + escape(token) + "]")
		case i > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return b.String()
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

// parsePath reads what formatPath wrote, and nothing else.
func parsePath(text string) (path []string, ok bool) {
	for rest := text; rest != ""; {
		if rest[0] != '[' {
			if rest[0] == '.' && len(path) > 0 {
				rest = rest[1:]
			}
			end := strings.IndexAny(rest+"[", ".[")
			if end == 0 {
				return nil, false
			}
			path, rest = append(path, rest[:end]), rest[end:]
			continue
		}
		var token strings.Builder
		i := 1
		for ; i < len(rest) && rest[i] != ']'; i++ {
			if rest[i] == '\\' {
				if i++; i == len(rest) {
					return nil, false
				}
			}
			token.WriteByte(rest[i])
		}
		if i == len(rest) {
			return nil, false
		}
		path, rest = append(path, token.String()), rest[i+1:]
	}
	return path, len(path) > 0 && formatPath(path) == text
}

// tokens splits a JSON pointer that object.Pointer made.
func tokens(pointer string) []string {
	all := strings.Split(pointer, "/")[1:]
	for i, t := range all {
		if strings.Contains(t, "~") {
			all[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
		}
	}
	return all
}
