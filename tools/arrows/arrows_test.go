// Package arrows tests the rules that hold the packages of Gesso apart: it hands depguard the rules of .golangci.yml and one
// file for each import that a package could have, and wants exactly the arrows of CONTRIBUTING.md to pass.
package arrows

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/OpenPeeDeeP/depguard/v2"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/go/analysis"
)

const (
	module = "github.com/gesso-dev/gesso"
	root   = "../.."
)

// anything stands for every package of Gesso but the command.
const anything = "*"

// house returns every room and the rooms that it may import. Each may import its own subpackages.
func house() map[string][]string {
	return map[string][]string{
		"cmd/gesso":           {anything},
		"webhook":             {"admission", "api/v1alpha1", "internal/object", "internal/convention", "internal/txtest"},
		"audit":               {"admission", "cluster", "api/v1alpha1", "internal/object", "internal/convention", "internal/txtest"},
		"admission":           {"defaults", "policies", "api/v1alpha1", "internal/object", "internal/convention", "internal/txtest"},
		"defaults":            {"api/v1alpha1", "internal/object", "internal/convention", "internal/txtest"},
		"policies":            {"api/v1alpha1", "internal/object", "internal/convention", "internal/txtest"},
		"cluster":             {"policies", "api/v1alpha1", "internal/object", "internal/convention", "internal/txtest"},
		"certs":               {"internal/object", "internal/convention", "internal/txtest"},
		"api/v1alpha1":        {},
		"internal/object":     {"internal/txtest"},
		"internal/convention": {"api/v1alpha1", "internal/txtest"},
		"internal/txtest":     {"internal/object"},
		"docs/docgen":         {anything},
		"charts":              {anything},
		"bench":               {anything},
		"e2e":                 {anything},
		"e2e/argocd":          {anything},
		"e2e/corpus":          {anything},
		"e2e/controlplane":    {anything},
		"e2e/up":              {anything},
		"e2e/update":          {anything},
	}
}

// outside returns imports from elsewhere that are refused to some rooms, and those rooms.
func outside() map[string][]string {
	pure := []string{"admission", "defaults", "policies", "api/v1alpha1", "internal/object", "internal/convention", "internal/txtest"}
	everyone := slices.Collect(maps.Keys(house()))
	return map[string][]string{
		"k8s.io/client-go/kubernetes":               pure,
		"sigs.k8s.io/controller-runtime/pkg/client": pure,
		"net/http":           pure,
		"math/rand/v2":       pure,
		"crypto/rand":        pure,
		"k8s.io/api/core/v1": {"api/v1alpha1"},
		"sigs.k8s.io/yaml":   nil, // the codec of apimachinery itself
		"github.com/open-policy-agent/opa/v1/rego":        {"api/v1alpha1"},
		"k8s.io/apimachinery/pkg/apis/meta/v1":            nil,
		"encoding/json":                                   nil,
		"net/url":                                         nil,
		"net/netip":                                       nil,
		"github.com/stretchr/testify/assert":              everyone,
		"github.com/onsi/ginkgo/v2":                       everyone,
		"github.com/gesso-dev/gesso/cmd/gesso":            everyone,
		"github.com/gesso-dev/gesso/cmd/gesso/somewhere":  everyone,
		"github.com/gesso-dev/gesso-extras/elsewhere/pkg": {"api/v1alpha1"},
	}
}

func TestArrowsBetweenRooms(t *testing.T) {
	refuses := depguardOf(t)
	for from, arrows := range house() {
		for to := range house() {
			if to == "cmd/gesso" {
				continue // in outside
			}
			drawn := slices.Contains(arrows, anything) || slices.Contains(arrows, to) || from == to || strings.HasPrefix(to, from+"/")
			for _, path := range []string{to, to + "/sub"} {
				if message := refuses(from+"/file.go", module+"/"+path); (message == "") != drawn {
					t.Errorf("%s imports %s: refused with %q, want refused: %v", from, path, message, !drawn)
				}
			}
		}
	}
}

func TestArrowsToOutside(t *testing.T) {
	refuses := depguardOf(t)
	for to, rooms := range outside() {
		for from := range house() {
			want := slices.Contains(rooms, from)
			if message := refuses(from+"/file.go", to); (message != "") != want {
				t.Errorf("%s imports %s: refused with %q, want refused: %v", from, to, message, want)
			}
		}
	}
}

// TestTestsKeepTheArrows holds that a test file gets no way around them, but the API's tests may use what tests need.
func TestTestsKeepTheArrows(t *testing.T) {
	refuses := depguardOf(t)
	for _, forbidden := range [][2]string{
		{"webhook", module + "/cluster"},
		{"defaults", module + "/policies"},
		{"policies", module + "/defaults"},
		{"api/v1alpha1", module + "/admission"},
		{"internal/object", module + "/api/v1alpha1"},
		{"admission", "k8s.io/client-go/rest"},
	} {
		if refuses(forbidden[0]+"/file_test.go", forbidden[1]) == "" {
			t.Errorf("a test of %s may import %s", forbidden[0], forbidden[1])
		}
	}
	for _, allowed := range []string{"github.com/google/go-cmp/cmp", module + "/internal/txtest"} {
		if message := refuses("api/v1alpha1/file_test.go", allowed); message != "" {
			t.Errorf("a test of api/v1alpha1 may not import %s: %s", allowed, message)
		}
	}
}

// TestEveryRefusalExplains holds that whoever draws a forbidden arrow reads what to do instead.
func TestEveryRefusalExplains(t *testing.T) {
	for name, rule := range readConfig(t).Linters.Settings.Depguard.Rules {
		for _, deny := range rule.Deny {
			if deny.Desc == "" {
				t.Errorf("rule %s refuses %s without a word", name, deny.Pkg)
			}
		}
	}
}

// TestEveryPackageHasARoom keeps a new package from living outside the rules.
func TestEveryPackageHasARoom(t *testing.T) {
	for _, pkg := range goList(t, "./...") {
		path := strings.TrimPrefix(pkg, module+"/")
		inside := func(room string) bool { return path == room || strings.HasPrefix(path, room+"/") }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(house())), inside) {
			t.Errorf("package %s has no arrows: draw them in .golangci.yml, CONTRIBUTING.md and here", pkg)
		}
	}
}

// TestPureCoreAllTheWayDown looks where depguard does not: at what the core imports through others.
func TestPureCoreAllTheWayDown(t *testing.T) {
	for _, room := range outside()["k8s.io/client-go/kubernetes"] {
		if _, err := os.Stat(filepath.Join(root, room)); err != nil {
			continue // not built yet
		}
		for _, dep := range goList(t, "-deps", "./"+room+"/...") {
			if strings.HasPrefix(dep, "k8s.io/client-go") || strings.HasPrefix(dep, "sigs.k8s.io/controller-runtime") {
				t.Errorf("%s imports %s through another package", room, dep)
			}
		}
	}
}

type config struct {
	Linters struct {
		Enable   []string
		Settings struct {
			Depguard struct {
				Rules map[string]struct {
					ListMode string `yaml:"list-mode"`
					Files    []string
					Allow    []string
					Deny     []struct{ Pkg, Desc string }
				}
			}
		}
	}
}

func readConfig(t *testing.T) config {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var c config
	if err := yaml.Unmarshal(data, &c); err != nil {
		t.Fatalf("parse .golangci.yml: %v", err)
	}
	if !slices.Contains(c.Linters.Enable, "depguard") {
		t.Fatal("depguard is not enabled")
	}
	return c
}

// depguardOf returns a function that says how depguard, set up as golangci-lint does it, refuses an import in a file; ""
// when it does not.
func depguardOf(t *testing.T) func(file, imported string) string {
	t.Helper()
	house := filepath.ToSlash(t.TempDir())
	settings := depguard.LinterSettings{}
	for name, rule := range readConfig(t).Linters.Settings.Depguard.Rules {
		list := &depguard.List{ListMode: rule.ListMode, Allow: rule.Allow, Deny: map[string]string{}}
		for _, pattern := range rule.Files {
			list.Files = append(list.Files, strings.ReplaceAll(pattern, "${config-path}", house))
		}
		for _, deny := range rule.Deny {
			list.Deny[deny.Pkg] = deny.Desc
		}
		settings[name] = list
	}
	analyzer, err := depguard.NewAnalyzer(&settings)
	if err != nil {
		t.Fatalf("compile the rules of depguard: %v", err)
	}
	return func(name, imported string) string {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, house+"/"+name, fmt.Sprintf("package p\n\nimport _ %q\n", imported), parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		var messages []string
		pass := &analysis.Pass{Analyzer: analyzer, Fset: fset, Files: []*ast.File{file}, Report: func(d analysis.Diagnostic) {
			messages = append(messages, d.Message)
		}}
		if _, err := analyzer.Run(pass); err != nil {
			t.Fatalf("run depguard: %v", err)
		}
		return strings.Join(messages, "\n")
	}
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Dir = root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.Fields(string(out))
}
