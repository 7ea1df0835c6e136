package policies

import "github.com/gesso-dev/gesso/policies/demand"

// need is what a view must hold so that policies that read no more of their input than a demand says decide as if they saw all of it. It
// belongs to one kind of object, and to one set of policies: the same that made the demand.
type need struct {
	podPath []string
	// request is what is parsed of the request, folded; nil stands for all.
	request *demand.Node

	user, environment, app, pod bool
	// namespace and expected are what is read of these; nil: nothing.
	namespace, expected *demand.Node
	// containers and images are what is read of each element; all false for nothing.
	containers, images elementNeed
}

// elementNeed says whether the elements of input.containers or of input.images are read, and which of our own fields of them.
type elementNeed struct{ listed, kind, name, path, image, ref bool }

// newNeed maps a demand on the input of policies to what a view of a kind must hold. nil, like a demand that asks for every field of the
// input whatever its name, stands for everything. To be called when policies are loaded, not for each request.
//
// It maps the view back to the request: pod.P is P of the Pod spec; containers.*.P is P of each of the three lists of containers, but for our
// own fields, of which ref stands for image, and kind for restartPolicy; images needs image, name and the image volumes. On top comes what
// this package reads itself.
func newNeed(group, kind string, want *demand.Node) *need {
	if want == nil || want.Elem != nil {
		want = demand.Whole()
	}
	want = want.Fold()
	n := &need{
		podPath: podPath(group, kind),
		user:    member(want, "user") != nil, environment: member(want, "environment") != nil, app: member(want, "app") != nil,
		pod:       member(want, "pod") != nil,
		namespace: member(want, "namespace"), expected: member(want, "expected"),
		containers: newElementNeed(member(want, "containers")), images: newElementNeed(member(want, "images")),
	}
	if want.All {
		return n
	}
	n.request = n.ofRequest(want).Fold()
	return n
}

func newElementNeed(list *demand.Node) elementNeed {
	each := element(list)
	return elementNeed{
		listed: each != nil, kind: member(each, "kind") != nil, name: member(each, "name") != nil, path: member(each, "path") != nil,
		image: member(each, "image") != nil, ref: member(each, "ref") != nil,
	}
}

// member is what a folded demand asks for of a member of an object, nil for nothing.
func member(of *demand.Node, name string) *demand.Node {
	switch {
	case of == nil || of.All:
		return of
	case of.Kids[name] != nil:
		return of.Kids[name]
	}
	return of.Elem
}

// element is what a folded demand asks for of each element of a list, nil for nothing.
func element(of *demand.Node) *demand.Node {
	if of == nil || of.All {
		return of
	}
	return of.Elem
}

func (n *need) ofRequest(want *demand.Node) *demand.Node {
	request := &demand.Node{}
	request.Add(member(want, "request"))
	request.Kid("namespace") // for namespaceName and Review.action
	if n.podPath == nil || !n.pod && !n.containers.listed && !n.images.listed {
		return request
	}
	spec := request.Kid("object").Kid(n.podPath...)
	spec.Add(member(want, "pod"))
	if n.containers.listed || n.images.listed {
		n.addContainers(spec, element(member(want, "containers")))
	}
	if n.images.listed {
		addElements(spec.Kid("volumes"), n.ofVolume())
	}
	return request
}

// addContainers asks for what is read of containers, each being what input.containers is read for.
func (n *need) addContainers(spec, each *demand.Node) {
	for _, list := range containerLists() {
		item := withoutOurs(each)
		if n.containers.ref || n.images.ref || n.images.image {
			item.Kid("image")
		}
		if n.images.name {
			item.Kid("name")
		}
		if list.kind == "init" && (n.containers.kind || n.images.kind) {
			item.Kid("restartPolicy")
		}
		addElements(spec.Kid(list.field), item)
	}
}

// ofVolume is what is read of each volume. That it has an image makes it one of input.images.
func (n *need) ofVolume() *demand.Node {
	volume := &demand.Node{}
	volume.Kid("image")
	if n.images.image || n.images.ref {
		volume.Kid("image", "reference")
	}
	if n.images.name {
		volume.Kid("name")
	}
	return volume
}

// addElements asks for something of each element of a list, and of what stands in the place of the list: see each.
func addElements(list, each *demand.Node) {
	list.Each().Add(each)
	list.Add(each)
}

// withoutOurs is a demand of its own on an element of input.containers, without the fields that are not in the object.
func withoutOurs(each *demand.Node) *demand.Node {
	theirs := &demand.Node{}
	theirs.Add(each)
	for _, ours := range []string{"kind", "path", "ref"} {
		delete(theirs.Kids, ours)
	}
	return theirs
}
