package cases

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"

	ten "github.com/gesso-dev/gesso/bench/policies"
)

// only is the folder of one of the ten policies.
func only(id string) fs.FS {
	return fstest.MapFS{id + "/" + id + ".rego": &fstest.MapFile{Data: text(id)}}
}

func text(id string) []byte {
	data, err := fs.ReadFile(ten.Source().FS, id+"/"+id+".rego")
	if err != nil {
		panic(err) // it is embedded
	}
	return data
}

// forPods are those of the ten policies that are for Pods.
func forPods() []string {
	entries, err := fs.ReadDir(ten.Source().FS, ".")
	if err != nil {
		panic(err)
	}
	var ids []string
	for _, entry := range entries {
		if entry.Name() != "ingress-host" {
			ids = append(ids, entry.Name())
		}
	}
	return ids
}

// Ladder has so many policies, copies of the nine that are for Pods. Ten of them match a Pod; the others are for other kinds, a few dozen,
// as in a cluster that runs many operators.
func Ladder(installed int) Setup { return ladder(installed, 10) }

// LadderAll has so many policies, and all of them match a Pod.
func LadderAll(installed int) Setup {
	s := ladder(installed, installed)
	s.Name += "-all"
	return s
}

func ladder(installed, matching int) Setup {
	files, ids := fstest.MapFS{}, forPods()
	for i := range installed {
		id := fmt.Sprintf("%s-p%04d", ids[i%len(ids)], i)
		copied := renamed(text(ids[i%len(ids)]), ids[i%len(ids)], id)
		if i >= matching {
			copied = forKind(copied, i%36)
		}
		files[id+"/"+id+".rego"] = &fstest.MapFile{Data: copied}
	}
	return Setup{Name: fmt.Sprintf("installed-%d", installed), Policies: files}
}

func renamed(rego []byte, from, to string) []byte {
	pkg := func(id string) []byte {
		return []byte("package gesso.policies." + strings.ReplaceAll(id, "-", "_") + "\n")
	}
	return bytes.Replace(rego, pkg(from), pkg(to), 1)
}

// forKind replaces `pods: true` by a kind that nobody creates here.
func forKind(rego []byte, i int) []byte {
	kind := fmt.Sprintf("#       kinds:\n#         - {group: operator-%d.example, kind: %s}", i%12, []string{"Cluster", "Backup", "User"}[i%3])
	return regexp.MustCompile(`(?m)^#       pods: true$`).ReplaceAll(rego, []byte(kind))
}

// Case is a review of a setup.
type Case struct {
	Name    string
	Setup   Setup
	Entry   string // the name of an admission.Entry
	Fixture string // the name of a fixture
}

// Find returns the one of a name.
func Find(all []Case, name string) (Case, bool) {
	i := slices.IndexFunc(all, func(c Case) bool { return c.Name == name })
	if i < 0 {
		return Case{}, false
	}
	return all[i], true
}
