package defaults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/internal/txtest"
)

// fixtureCount are the fixtures that there are at the least, and the seeds of the fuzz test with them.
const fixtureCount = 500

// baseProfile is what every fixture starts from: values for all defaults, so that each can act. In the folder of a default
// only that one is on, unless the fixture's profile.yaml says otherwise; what it says is laid over this.
const baseProfile = `
apiVersion: gesso.dev/v1alpha1
kind: Profile
metadata: {name: fixtures}
spec:
  environment: prod
  aws: {identity: irsa, account: "111122223333", cluster: demo}
  defaults:
    read-only-root-filesystem: {mode: enforce, tmpSizeLimit: 256Mi}
    resources: {mode: enforce, cpu: 100m, memory: 256Mi}
    sidecar:
      mode: enforce
      container:
        name: gesso-proxy
        image: proxy@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
        args: ["--upstream=http://127.0.0.1:{appPort}"]
        ports: [{name: proxy, containerPort: 8443}]
        volumeMounts: [{name: gesso-config, mountPath: /config}]
      volumes: [{name: gesso-config, emptyDir: {sizeLimit: 16Mi}}]
    seccomp: {mode: enforce}
    no-privilege-escalation: {mode: enforce}
    drop-capabilities: {mode: enforce, namespaces: []}
    run-as-non-root: {mode: enforce, namespaces: []}
    no-service-account-token: {mode: enforce, namespaces: []}
    no-service-links: {mode: enforce}
    irsa: {mode: enforce}
    ingress-class:
      mode: enforce
      class: shared
      annotations: {alb.ingress.kubernetes.io/target-type: ip}
    labels: {mode: enforce, values: {name: "{app}", part-of: "{namespace}", managed-by: gesso}}
`

// fixture is one archive, read.
type fixture struct {
	profile   []byte // JSON
	operation string
	input     []byte // JSON
	old       []byte // JSON; nil without old.yaml
	namespace *convention.Namespace
}

// sections is how a fixture is read: from a case, or for seeds from the sections alone.
type sections func(name string) ([]byte, bool)

// readFixture reads an archive in the folder of the default id:
//
//   - input.yaml: the object
//   - old.yaml: the object before; makes it an UPDATE
//   - operation: another operation than CREATE or UPDATE by old.yaml
//   - profile.yaml: laid over baseProfile
//   - namespace.yaml: a Namespace; null when its facts could not be had; without the section one without labels
func readFixture(tb testing.TB, id string, section sections) fixture {
	tb.Helper()
	f := fixture{operation: "CREATE", namespace: &convention.Namespace{Name: "team-a"}}
	optional := func(name string) []byte {
		data, ok := section(name)
		if !ok {
			return nil
		}
		raw, err := yaml.YAMLToJSONStrict(data)
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		return raw
	}
	f.input, f.old = optional("input.yaml"), optional("old.yaml")
	if f.old != nil {
		f.operation = "UPDATE"
	}
	if data, ok := section("operation"); ok {
		f.operation = strings.TrimSpace(string(data))
	}
	if raw := optional("namespace.yaml"); string(raw) == "null" {
		f.namespace = nil
	} else if raw != nil {
		var ns struct{ Metadata convention.Namespace }
		if err := yaml.UnmarshalStrict(raw, &ns, yaml.DisallowUnknownFields); err != nil {
			tb.Fatalf("namespace.yaml: %v", err)
		}
		f.namespace = &ns.Metadata
	}
	f.profile = overlay(tb, profileOf(tb, id), optional("profile.yaml"))
	return f
}

// profileOf is baseProfile with all defaults off but one.
func profileOf(tb testing.TB, id string) []byte {
	tb.Helper()
	raw, err := yaml.YAMLToJSONStrict([]byte(baseProfile))
	if err != nil {
		tb.Fatal(err)
	}
	for _, d := range List() {
		if d.ID != id && id != "" {
			raw = overlay(tb, raw, fmt.Appendf(nil, `{"spec":{"defaults":{%q:{"mode":"off","namespaces":[]}}}}`, d.ID))
		}
	}
	return raw
}

// overlay lays one JSON object over another: objects are merged, everything else is replaced.
func overlay(tb testing.TB, under, over []byte) []byte {
	tb.Helper()
	if over == nil {
		return under
	}
	var merge func(a, b any) any
	merge = func(a, b any) any {
		am, aOK := a.(map[string]any)
		bm, bOK := b.(map[string]any)
		if !aOK || !bOK {
			return b
		}
		for name, value := range bm {
			am[name] = merge(am[name], value)
		}
		return am
	}
	return mustJSON(merge(decode(tb, under), decode(tb, over)))
}

// decode reads JSON into an any, numbers as they are written.
func decode(tb testing.TB, data []byte) any {
	tb.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		tb.Fatalf("decode %s: %v", data, err)
	}
	return v
}

func newSet(tb testing.TB, profile []byte) (*Set, error) {
	tb.Helper()
	p, err := v1alpha1.DecodeProfile(profile)
	if err != nil {
		tb.Fatalf("profile: %v", err)
	}
	return New(p)
}

func parse(tb testing.TB, data []byte) *object.Object {
	tb.Helper()
	if data == nil {
		return nil
	}
	o, err := object.New(slices.Clone(data))
	if err != nil {
		tb.Fatalf("object: %v", err)
	}
	return o
}

func (f fixture) request(tb testing.TB, input []byte) Request {
	tb.Helper()
	return Request{
		Operation: f.operation, Object: parse(tb, input), Old: parse(tb, f.old),
		Namespace: f.namespace, NamespaceName: "team-a",
	}
}

// TestFill runs every fixture: what is filled, what is reported, and the properties that hold for any object at all.
func TestFill(t *testing.T) {
	seen := map[string]bool{} // reasons
	txtest.Run(t, "testdata", fixtureCount, func(t *testing.T, c *txtest.Case) {
		id, _, _ := strings.Cut(strings.TrimPrefix(t.Name(), "TestFill/"), "/")
		if id == updates {
			runUpdates(t, c)
			return
		}
		f := readFixture(t, id, c.Optional)
		_, err := newSet(t, f.profile)
		c.Want("error", errorLines(err))
		if err != nil {
			c.Want("patch", nil)
			c.Want("report", nil)
			return
		}
		out := checkProperties(t, f)
		if t.Failed() {
			return
		}
		for _, s := range out.Skipped {
			seen[s.Reason] = true
		}
		c.Want("patch", patchLines(t, out))
		c.Want("report", reportLines(id, out))
	})
	if t.Failed() || txtest.Updating() {
		return
	}
	for _, reason := range reasons(t) {
		if !seen[reason] && !givenElsewhere(reason) {
			t.Errorf("no fixture gives the reason %q", reason)
		}
	}
}

// givenElsewhere are the reasons of this package's vocabulary that another package gives, or that the histories of updates do.
func givenElsewhere(reason string) bool {
	return slices.Contains([]string{ExcludedNamespace, Restored, RecordTooLarge}, reason)
}

// TestFixtureFolders holds that every default has fixtures and every folder is a default.
func TestFixtureFolders(t *testing.T) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != updates && e.Name() != "fuzz" { // where go test keeps what a fuzz test found
			folders = append(folders, e.Name())
		}
	}
	for _, d := range List() {
		files, err := os.ReadDir("testdata/" + d.ID)
		if err != nil || len(files) < 3 {
			t.Errorf("%s: want at least 3 fixtures in testdata/%s, have %d", d.ID, d.ID, len(files))
		}
		folders = slices.DeleteFunc(folders, func(name string) bool { return name == d.ID })
	}
	if len(folders) > 0 {
		t.Errorf("folders of no default: %q", folders)
	}
}

// reasons reads the reasons from the source: a constant that somebody adds must not escape the test above.
func reasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "defaults.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, decl := range file.Decls {
		constants, ok := decl.(*ast.GenDecl)
		if !ok || constants.Tok != token.CONST {
			continue
		}
		ast.Inspect(constants, func(n ast.Node) bool {
			if value, ok := n.(*ast.BasicLit); ok {
				reason, err := strconv.Unquote(value.Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, reason)
			}
			return true
		})
	}
	if !slices.Contains(all, Windows) || len(all) < 15 {
		t.Fatalf("read %d reasons from defaults.go: were they moved?", len(all))
	}
	return all
}

func errorLines(err error) []byte {
	all, ok := errors.AsType[utilerrors.Aggregate](err)
	if !ok {
		if err != nil {
			return []byte(err.Error())
		}
		return nil
	}
	var b bytes.Buffer
	for _, e := range all.Errors() {
		fmt.Fprintln(&b, e)
	}
	return b.Bytes()
}

// patchLines writes one operation a line, without those of the record: its hashes follow from the others.
func patchLines(t *testing.T, out Outcome) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, op := range out.Patch {
		if strings.HasSuffix(op.Path, "/gesso.dev~1filled") {
			continue
		}
		if bytes.Contains(op.Value, []byte(record.Annotation)) {
			value, err := object.Parse(op.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range [][]string{{record.Annotation}, {"annotations", record.Annotation}} {
				value.Remove(path...)
			}
			if value.Len() == 0 || value.Len() == 1 && value.Get("annotations").Type() == object.Map && value.Get("annotations").Len() == 0 {
				continue
			}
			op.Value = value.Bytes()
		}
		if err := e.Encode(op); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// reportLines writes what out says of everything but the defaults that the folder of id switched off.
func reportLines(id string, out Outcome) []byte {
	var b bytes.Buffer
	for _, list := range []struct {
		verb   string
		filled []Filled
	}{{"filled", out.Filled}, {"preview", out.Preview}} {
		for _, f := range list.filled {
			for _, p := range f.Paths {
				fmt.Fprintln(&b, list.verb, f.ID, p)
			}
		}
	}
	for _, s := range out.Skipped {
		if s.Reason != Off || s.ID == id {
			fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintln("skipped", s.ID, s.Reason, s.Field), " \n"))
		}
	}
	for _, w := range out.Warnings {
		fmt.Fprintln(&b, "warning", w)
	}
	return b.Bytes()
}
