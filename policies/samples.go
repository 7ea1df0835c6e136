package policies

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// Sample is a manifest in a policy's folder with the verdict that it must get: samples/accepted or samples/refused.
//
// Its first document is the object under review; the others are all that exists beside it, for policies that declare an inventory, and a
// Namespace among them holds the facts of its namespace. Lines of comment say what a manifest cannot:
//
//	# want: <policy> <field>     a finding; all that are found must be listed, and nothing else, whatever its action
//	# operation: UPDATE          CREATE when absent; UPDATE has the same object before, DELETE has no other
//	# as: <user>                 who asks; dev when absent
//	# platform: true             one of the platform's groups asks
//	# parameters: {"a": 1}       of the policy, as JSON
type Sample struct {
	// Policy is the id of the policy whose folder it lies in; File is its name, which begins with the name of the source.
	Policy, File string
	// Refused is the verdict that it must get.
	Refused bool

	id         string // samples/refused/x.yaml
	want       []string
	operation  string
	user       User
	parameters json.RawMessage
	object     map[string]any
	world      []map[string]any
}

// samples reads those of one policy, in the order of their names.
func (s Source) samples(id string) ([]Sample, []Problem) {
	var (
		list     []Sample
		problems []Problem
	)
	for _, verdict := range []string{"accepted", "refused"} {
		names, err := fs.Glob(s.FS, path.Join(id, "samples", verdict, "*.y*ml"))
		if err != nil {
			problems = append(problems, Problem{Policy: id, File: path.Join(s.Name, id, "samples"), Reason: readReason(err)})
		}
		slices.Sort(names)
		for _, name := range names {
			text, err := fs.ReadFile(s.FS, name)
			if err != nil {
				problems = append(problems, Problem{Policy: id, File: path.Join(s.Name, name), Reason: readReason(err)})
				continue
			}
			sample := Sample{Policy: id, File: path.Join(s.Name, name), Refused: verdict == "refused", id: strings.TrimPrefix(name, id+"/")}
			if err := sample.read(text); err != nil {
				problems = append(problems, Problem{Policy: id, File: sample.File, Reason: oneLine(err.Error())})
				continue
			}
			list = append(list, sample)
		}
	}
	return list, problems
}

// read takes the file apart.
func (s *Sample) read(text []byte) error {
	s.operation, s.user = "CREATE", User{Name: "dev", Groups: []string{"system:authenticated"}}
	for line := range strings.Lines(string(text)) {
		key, value, found := strings.Cut(strings.TrimPrefix(line, "# "), ":")
		value = strings.TrimSpace(value)
		if !found || !strings.HasPrefix(line, "# ") {
			continue
		}
		switch key {
		case "want":
			s.want = append(s.want, value)
		case "operation":
			if !slices.Contains(operations(), value) {
				return fmt.Errorf("operation %q; it must be one of %s", value, strings.Join(operations(), ", "))
			}
			s.operation = value
		case "as":
			s.user.Name = value
		case "platform":
			s.user.Platform = value == "true"
		case "parameters":
			s.parameters = json.RawMessage(value)
		}
	}
	slices.Sort(s.want)
	documents, err := documents(text)
	if err != nil {
		return err
	}
	if len(documents) == 0 {
		return errors.New("holds no object")
	}
	s.object, s.world = documents[0], documents[1:]
	return nil
}

// documents decodes every document of a YAML file, strictly.
func documents(text []byte) ([]map[string]any, error) {
	var list []map[string]any
	decoder := yamlv3.NewDecoder(bytes.NewReader(text))
	for {
		var node yamlv3.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		document, err := yamlv3.Marshal(&node)
		if err != nil {
			return nil, err
		}
		asJSON, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return nil, err
		}
		if string(asJSON) == "null" {
			continue
		}
		object, err := decodeObject(asJSON)
		if err != nil {
			return nil, err
		}
		list = append(list, object)
	}
}

// groupKindOf reads what an object says of itself.
func groupKindOf(object map[string]any) (group, version, kind string) {
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ = object["kind"].(string)
	group, version, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group, version = "", apiVersion
	}
	return group, version, kind
}

// metaText is the text at a path below metadata, or "".
func metaText(object map[string]any, names ...string) string {
	value := object["metadata"]
	for _, name := range names {
		fields, _ := value.(map[string]any)
		value = fields[name]
	}
	text, _ := value.(string)
	return text
}

// review is the request that the API server would send for the sample.
func (s *Sample) review(set *Set, names func(s *Sample, namespace *Namespace) Names) (Review, error) {
	group, version, kind := groupKindOf(s.object)
	name, namespace := metaText(s.object, "name"), metaText(s.object, "namespace")
	request := map[string]any{
		"uid": "00000000-0000-0000-0000-000000000001", "operation": s.operation,
		"kind": map[string]any{"group": group, "version": version, "kind": kind},
		"name": name, "namespace": namespace,
		"userInfo": map[string]any{"username": s.user.Name, "groups": s.user.Groups},
		"object":   s.object, "oldObject": nil,
	}
	switch s.operation {
	case "UPDATE":
		request["oldObject"] = s.object
	case "DELETE":
		request["object"], request["oldObject"] = nil, s.object
	}
	text, err := marshal(request)
	if err != nil {
		return Review{}, err
	}
	r := Review{
		Group: group, Version: version, Kind: kind, Operation: s.operation, Request: text, User: s.user, Namespaced: namespace != "",
	}
	if r.Namespaced {
		r.Namespace = s.namespace(namespace)
	}
	r.Derive = func(bool) Names { return names(s, r.Namespace) }
	inv := NewInventory(set)
	for _, object := range s.world {
		group, _, kind := groupKindOf(object)
		if err := inv.PutDecoded(group, kind, object); err != nil {
			return Review{}, err
		}
	}
	for _, kind := range set.InventoryKinds() {
		inv.MarkSynced(kind.Group, kind.Kind)
	}
	r.Inventory = inv.Snapshot()
	return r, nil
}

// namespace finds the facts of a namespace among the documents; without any it has a name.
func (s *Sample) namespace(name string) *Namespace {
	facts := &Namespace{Name: name}
	for _, object := range s.world {
		if group, _, kind := groupKindOf(object); group != "" || kind != "Namespace" || metaText(object, "name") != name {
			continue
		}
		meta, _ := object["metadata"].(map[string]any)
		facts.Labels, facts.Annotations = textMap(meta["labels"]), textMap(meta["annotations"])
	}
	return facts
}

func textMap(value any) map[string]string {
	object, _ := value.(map[string]any)
	texts := make(map[string]string, len(object))
	for key, value := range object {
		texts[key], _ = scalarText(value)
	}
	return texts
}
