package admission

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies"
)

// Operation is what a request does.
type Operation string

// The operations of admission.k8s.io/v1.
const (
	Create  Operation = "CREATE"
	Update  Operation = "UPDATE"
	Delete  Operation = "DELETE"
	Connect Operation = "CONNECT"
)

// Steps says which part of a review is wanted. The API server asks for each part at a time of its own, with the
// webhooks of others between them; everybody else wants both.
type Steps uint8

// The steps.
const (
	Both  Steps = iota // fill, apply, judge
	Fill               // only fill: the mutating entries
	Judge              // only judge the object as it comes: the validating entries
)

// Request is one review: an AdmissionRequest and what it takes to answer that the request does not hold. Make it with
// [Decode] or [NewRequest].
type Request struct {
	Steps Steps
	// Once promises that the request is reviewed once and only to answer it. Its object may then be filled in place, where a copy
	// of it is filled otherwise; and what people read in a result is left out: Object and Reviewed.
	Once bool
	// Source says where the object was read, for people: "file#document"; empty in the server.
	Source string
	// Namespace holds the facts of the object's Namespace. nil when they could not be had, and for cluster-scoped objects.
	Namespace *convention.Namespace
	// Inventory holds the other objects that policies read. nil when they could not be had: a policy that reads some cannot decide.
	Inventory *policies.Snapshot
	// Now is the time by which exceptions expire.
	Now time.Time

	UID         string
	Operation   Operation
	Subresource string
	DryRun      bool
	// NamespaceName is the namespace of the object, empty for a cluster-scoped one. (On a Namespace itself the API server
	// sets it to the name; there it is empty here too.)
	NamespaceName string
	Name          string

	root        object.Node // the whole AdmissionRequest
	object, old part        // not there where the operation has none
	userInfo    object.Node
	user        *User // of userInfo, once somebody asked
	kind        object.GroupKind
	version     string
	// bare: object was submitted without its namespace. Policies see it with one, as the API server would send it; what is
	// printed stays as the author wrote it.
	bare bool
}

// User is who asks.
type User struct {
	Name   string
	Groups []string
}

// Kind returns the group, version and kind that the request is about.
func (r *Request) Kind() (group, version, kind string) { return r.kind.Group, r.version, r.kind.Kind }

// Decode reads an AdmissionRequest of admission.k8s.io/v1, the member "request" of an AdmissionReview. It is strict about
// what a review stands on: UID, a known operation, a kind, and the objects that the operation carries.
func Decode(raw []byte) (Request, error) {
	root, err := object.Parse(raw)
	if err != nil {
		return Request{}, fmt.Errorf("read admission request: %w", err)
	}
	return DecodeNode(root)
}

// DecodeNode is [Decode] for a request that has been read as a part of its review. The request refers to root and to the bytes that it
// was read from; its texts, and those of a [Result], are copies.
func DecodeNode(root *object.Node) (Request, error) {
	if root.Type() != object.Map {
		return Request{}, fmt.Errorf("read admission request: it is %s, want an object", root.Type())
	}
	r := Request{root: *root}
	root.Peek(func(name []byte, value object.Node) bool {
		r.read(name, &value)
		return true
	})
	if r.UID == "" {
		return Request{}, fmt.Errorf("read admission request: uid is missing")
	}
	if err := r.object.check("object"); err != nil {
		return r, err
	}
	if err := r.old.check("oldObject"); err != nil {
		return r, err
	}
	return r, r.check()
}

// read takes one member of the AdmissionRequest.
func (r *Request) read(name []byte, value *object.Node) {
	switch string(name) {
	case "uid":
		r.UID = value.Str()
	case "operation":
		r.Operation = Operation(word(value))
	case "subResource":
		r.Subresource = value.Str()
	case "dryRun":
		r.DryRun = value.IsTrue()
	case "namespace":
		r.NamespaceName = value.Str()
	case "name":
		r.Name = value.Str()
	case "userInfo":
		r.userInfo = *value
	case "object":
		r.object.node = *value
	case "oldObject":
		r.old.node = *value
	case "kind":
		value.Peek(func(name []byte, value object.Node) bool {
			switch string(name) {
			case "group":
				r.kind.Group = word(&value)
			case "version":
				r.version = word(&value)
			case "kind":
				r.kind.Kind = word(&value)
			}
			return true
		})
	}
}

// word is the text of a node. Those that come most often cost no memory.
func word(n *object.Node) string {
	for _, known := range [...]string{"CREATE", "v1", "apps", "Deployment", "Pod", "UPDATE"} {
		if n.Is(known) {
			return known
		}
	}
	return n.Str()
}

// User returns who asks.
func (r *Request) User() User {
	if r.user == nil {
		r.user = &User{Name: r.userInfo.Get("username").Str()}
		groups := r.userInfo.Get("groups")
		if n := groups.Len(); n > 0 && groups.Type() == object.Array {
			r.user.Groups = make([]string, 0, n)
		}
		for _, group := range groups.Elements() {
			r.user.Groups = append(r.user.Groups, group.Str())
		}
	}
	return *r.user
}

// check refuses a request that cannot be reviewed.
func (r *Request) check() error {
	if r.kind.Kind == "" || r.version == "" {
		return fmt.Errorf("read admission request: kind is incomplete: it needs version and kind")
	}
	if r.kind == (object.GroupKind{Kind: "Namespace"}) {
		r.NamespaceName = ""
	}
	switch r.Operation {
	case Create, Update, Delete, Connect:
	default:
		return fmt.Errorf("read admission request: unknown operation %q", r.Operation)
	}
	if !r.object.there() && (r.Operation == Create || r.Operation == Update) {
		return fmt.Errorf("read admission request: %s without an object", r.Operation)
	}
	// Policies are chosen by the request's kind, defaults by the object's: a request whose parts disagree would be judged
	// as one thing and filled as another.
	for _, p := range []*part{&r.object, &r.old} {
		if !p.there() || p.is(r.kind) {
			continue
		}
		if o := p.get(); o.GroupKind() != r.kind {
			return fmt.Errorf("read admission request: kind is %s of %s, but the object is %s of %s",
				r.kind.Kind, group(r.kind.Group), o.Kind, group(o.Group))
		}
	}
	return nil
}

// group names an API group in an error; the core group's name is empty.
func group(name string) string {
	if name == "" {
		return "the core group"
	}
	return "group " + name
}

// part is the object or the old object of a request. What is in it is read when it is needed: most of them are passed over.
type part struct {
	node  object.Node
	whole *object.Object
}

// there reports whether the request has this part.
func (p *part) there() bool {
	return p.whole != nil || p.node.Type() != object.Absent && p.node.Type() != object.Null
}

// get returns the object, nil where there is none. It must have been checked.
func (p *part) get() *object.Object {
	if p.whole == nil && p.there() {
		node := p.node
		o, err := object.Of(&node)
		if err != nil {
			panic(fmt.Sprintf("read checked object: %v", err))
		}
		p.whole = o
	}
	return p.whole
}

// check refuses a part that is no Kubernetes object.
func (p *part) check(name string) error {
	if !p.there() {
		return nil
	}
	// Looked at first, because what is as it should be costs no memory.
	if apiVersion, kind := p.header(); len(apiVersion) > 0 && len(kind) > 0 {
		return nil
	}
	node := p.node
	o, err := object.Of(&node)
	if err != nil {
		return fmt.Errorf("read admission request: %s: %w", name, err)
	}
	p.whole = o
	return nil
}

// is reports whether the object is of a kind. Where it may only look different, because of how it is written, it is not.
func (p *part) is(kind object.GroupKind) bool {
	apiVersion, name := p.header()
	group := apiVersion[:max(bytes.IndexByte(apiVersion, '/'), 0)]
	return len(apiVersion) > 0 && string(group) == kind.Group && string(name) == kind.Kind
}

// header returns apiVersion and kind as they are written between their quotes, nothing for one that is not there, no text, or has escapes.
func (p *part) header() (apiVersion, kind []byte) {
	p.node.Peek(func(name []byte, value object.Node) bool {
		switch string(name) {
		case "apiVersion":
			apiVersion = written(&value)
		case "kind":
			kind = written(&value)
		}
		return apiVersion == nil || kind == nil
	})
	return apiVersion, kind
}

func written(n *object.Node) []byte {
	raw := n.Bytes()
	if n.Type() != object.String || bytes.IndexByte(raw, '\\') >= 0 {
		return []byte{}
	}
	return raw[1 : len(raw)-1]
}

// NewRequest makes the request that the API server would send if the user created o, or, where old is not nil, updated it.
// resource is the plural name of the kind. namespace is empty for a cluster-scoped object; an object that does not name it is
// judged in it all the same. o and old stay as they are.
func NewRequest(o, old *object.Object, resource, namespace string, user User) (Request, error) {
	type groupVersion struct {
		Group    string `json:"group"`
		Version  string `json:"version"`
		Kind     string `json:"kind,omitempty"`
		Resource string `json:"resource,omitempty"`
	}
	kind := groupVersion{Group: o.Group, Version: o.Version, Kind: o.Kind}
	res := groupVersion{Group: o.Group, Version: o.Version, Resource: resource}
	operation, options := Create, "CreateOptions"
	var oldObject json.RawMessage
	if old != nil {
		operation, options, oldObject = Update, "UpdateOptions", placed(old, namespace).Root.Bytes()
	}
	groups := user.Groups
	if groups == nil {
		groups = []string{}
	}
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false) // the author's bytes are kept
	err := encoder.Encode(struct {
		UID             string          `json:"uid"`
		Kind            groupVersion    `json:"kind"`
		Resource        groupVersion    `json:"resource"`
		RequestKind     groupVersion    `json:"requestKind"`
		RequestResource groupVersion    `json:"requestResource"`
		Name            string          `json:"name,omitempty"`
		Namespace       string          `json:"namespace,omitempty"`
		Operation       Operation       `json:"operation"`
		UserInfo        any             `json:"userInfo"`
		Object          json.RawMessage `json:"object"`
		OldObject       json.RawMessage `json:"oldObject"`
		DryRun          bool            `json:"dryRun"`
		Options         any             `json:"options"`
	}{
		UID: "offline", Kind: kind, Resource: res, RequestKind: kind, RequestResource: res,
		Name: o.Root.Get("metadata", "name").Str(), Namespace: namespace, Operation: operation,
		UserInfo: map[string]any{"username": user.Name, "groups": groups},
		Object:   placed(o, namespace).Root.Bytes(), OldObject: oldObject,
		Options: map[string]string{"apiVersion": "meta.k8s.io/v1", "kind": options},
	})
	if err != nil {
		return Request{}, fmt.Errorf("make admission request: %w", err)
	}
	r, err := Decode(raw.Bytes())
	if err != nil {
		return r, err
	}
	if o.Namespace == "" && namespace != "" {
		r.object, r.bare = part{whole: copyOf(o)}, true
	}
	return r, nil
}

// placed returns o in a namespace: o itself where it names one or none is asked for, else a copy.
func placed(o *object.Object, namespace string) *object.Object {
	if namespace == "" || o.Namespace != "" {
		return o
	}
	c := copyOf(o)
	c.SetNamespace(namespace)
	return c
}

// copyOf returns a copy of o that can be edited without touching o.
func copyOf(o *object.Object) *object.Object {
	c := *o
	c.Root = o.Root.Clone()
	return &c
}
