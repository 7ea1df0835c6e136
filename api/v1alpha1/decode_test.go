package v1alpha1

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"sigs.k8s.io/yaml"
)

const profileHead = "apiVersion: gesso.dev/v1alpha1\nkind: Profile\n"

// decodeErrors returns the lines of an error: all at once where it is a list.
func decodeErrors(err error) []string {
	if err == nil {
		return nil
	}
	all, ok := errors.AsType[utilerrors.Aggregate](err)
	if !ok {
		return []string{err.Error()}
	}
	var lines []string
	for _, e := range all.Errors() {
		lines = append(lines, e.Error())
	}
	return lines
}

func TestDecodeProfileErrors(t *testing.T) {
	for _, tc := range []struct {
		name, doc string
		want      []string // what each error begins with, in order
	}{
		{"an empty document", "", []string{"not a Profile: the document is no object"}},
		{"a comment", "# nothing\n", []string{"not a Profile: the document is no object"}},
		{"a list", "- a\n", []string{"not a Profile: the document is no object"}},
		{"a text", "Profile\n", []string{"not a Profile: the document is no object"}},
		{"an empty object", "{}", []string{"not a Profile: apiVersion is missing and kind is missing, want gesso.dev/v1alpha1 and Profile"}},
		{"another kind", "apiVersion: gesso.dev/v1alpha1\nkind: Exception\n", []string{`not a Profile: apiVersion is "gesso.dev/v1alpha1" and kind is "Exception"`}},
		{"another version", "apiVersion: gesso.dev/v1\nkind: Profile\n", []string{`not a Profile: apiVersion is "gesso.dev/v1"`}},
		{"a kind that is an object", "apiVersion: gesso.dev/v1alpha1\nkind: {a: b}\n", []string{"not a Profile: apiVersion is"}},
		{"broken YAML", profileHead + "spec: {\n", []string{"read Profile: yaml: line 3: did not find expected node content"}},
		{"broken JSON", `{"apiVersion":`, []string{"read Profile: yaml: line 1: did not find expected node content"}},
		{"a tab", profileHead + "spec:\n\tenvironment: prod\n", []string{"read Profile: yaml: line 4: found character that cannot start any token"}},
		{"a key twice", profileHead + "spec:\n  environment: prod\n  aws: {}\n  environment: staging\n", []string{`read Profile: yaml: unmarshal errors:
  line 6: key "environment" already set in map`}},
		{"a key twice in JSON", `{"apiVersion":"gesso.dev/v1alpha1","kind":"Profile","spec":{"aws":{"account":"1","account":"2"}}}`, []string{`read Profile: yaml: unmarshal errors:
  line 1: key "account" already set in map`}},
		{"two documents", profileHead + "---\n" + profileHead, []string{"not one Profile: line 3 begins another document"}},
		{"two documents, the first in a line", "--- {}\n--- # and\n" + profileHead, []string{"not one Profile: line 2 begins another document"}},
		{"everything at once", profileHead + `
metadata: {name: demo, labels: [a]}
extra: 1
spec:
  environment: Not A Label
  environmnt: prod
  excludedNamespaces: [ok, 5, No_Good]
  platformGroups: [""]
  breakGlassGroups: ops
  aws: {identity: oidc, account: 111122223333, partition: google, cluster: "a/b", region: eu}
  defaults:
    resourcs: {mode: enforce}
    read-only-root-filesystem: {mode: on, tmpSizeLimit: big, a/b: 1}
    readOnlyRootFilesystem: {mode: enforce}
    resources: {mode: enforced, optOut: never, cpu: "-1", memory: 256Mib, cpuLimit: true}
    irsa: enforce
    ingress-class: {class: Shared_, annotations: {"a b": c, d: 5, "12": e}}
    sidecar: {container: {anything: goes}, volumes: {}}
  policies:
    image-tag: {action: refuse, params: {}}
    other: deny
`, []string{
			`extra: Forbidden: unknown field`,
			`metadata.labels: Invalid value: "a list": want an object`,
			`spec.aws.account: Invalid value: 111122223333: want a string`,
			`spec.aws.region: Forbidden: unknown field`,
			`spec.breakGlassGroups: Invalid value: "ops": want a list`,
			`spec.defaults.ingress-class.annotations[d]: Invalid value: 5: want a string`,
			`spec.defaults.irsa: Invalid value: "enforce": want an object`,
			`spec.defaults.read-only-root-filesystem[a/b]: Forbidden: unknown field`,
			`spec.defaults.read-only-root-filesystem.mode: Invalid value: true: want a string`,
			`spec.defaults.readOnlyRootFilesystem: Forbidden: unknown field; did you mean "read-only-root-filesystem"?`,
			`spec.defaults.resources.cpuLimit: Invalid value: true: want a quantity`,
			`spec.defaults.resourcs: Forbidden: unknown field; did you mean "resources"?`,
			`spec.defaults.sidecar.volumes: Invalid value: "an object": want a list`,
			`spec.environmnt: Forbidden: unknown field; did you mean "environment"?`,
			`spec.excludedNamespaces[1]: Invalid value: 5: want a string`,
			`spec.policies[image-tag].params: Forbidden: unknown field`,
			`spec.policies[other]: Invalid value: "deny": want an object`,
			`spec.environment: Invalid value: "Not A Label": a lowercase RFC 1123 label`,
			`spec.platformGroups[0]: Required value: name a group`,
			`spec.aws.identity: Unsupported value: "oidc": supported values: "irsa", "podIdentity", "none"`,
			`spec.aws.partition: Invalid value: "google": want aws`,
			`spec.aws.cluster: Invalid value: "a/b": want the name of an EKS cluster`,
			`spec.defaults.resources.mode: Unsupported value: "enforced": supported values: "enforce", "preview", "off"`,
			`spec.defaults.resources.optOut: Unsupported value: "never": supported values: "allowed", "forbidden"`,
			`spec.defaults.read-only-root-filesystem.tmpSizeLimit: Invalid value: "big": want a quantity`,
			`spec.defaults.resources.memory: Invalid value: "256Mib": want a quantity`,
			`spec.defaults.resources.cpu: Invalid value: "-1": want more than zero`,
			`spec.defaults.ingress-class.class: Invalid value: "Shared_": a lowercase RFC 1123 subdomain`,
			`spec.defaults.ingress-class.annotations[12]: Invalid value: "12": want more than a number`,
			`spec.defaults.ingress-class.annotations[a b]: Invalid value: "a b": name part must consist of`,
			`spec.policies[image-tag].action: Unsupported value: "refuse": supported values: "deny", "warn", "audit", "off"`,
		}},
		{"an empty environment", profileHead + "spec: {environment: ''}", []string{"spec.environment: Required value"}},
		{"an account with eleven digits", profileHead + "spec: {aws: {account: '11112222333'}}", []string{"spec.aws.account: Invalid value"}},
		{"an account with a line break", profileHead + `spec: {aws: {account: "111122223333\n"}}`, []string{"spec.aws.account: Invalid value"}},
		{"a limit below the request", profileHead + "spec: {environment: '', defaults: {resources: {cpu: '2', cpuLimit: 500m}}}", []string{
			"spec.environment: Required value", `spec.defaults.resources.cpuLimit: Invalid value: "500m": it is below cpu, the request`,
		}},
		{"actions for namespaces", profileHead + `
spec:
  policies:
    a: {namespaces: [{action: warn, names: [ok]}, {action: refuse, labels: {a: b}}, {action: deny}, {names: [No_Good]}, {action: off, names: [ok]}, null]}
`, []string{
			"spec.policies[a].namespaces[4].action: Invalid value: false: want a string",
			"spec.policies[a].namespaces[5]: Required value",
		}},
		{"actions for namespaces that fit", profileHead + `
spec: {policies: {a: {namespaces: [{action: refuse, labels: {a: b}}, {action: deny}, {names: [No_Good]}]}}}
`, []string{
			`spec.policies[a].namespaces[0].action: Unsupported value: "refuse"`,
			`spec.policies[a].namespaces[1]: Required value: say which namespaces`,
			`spec.policies[a].namespaces[2].action: Unsupported value: ""`,
			`spec.policies[a].namespaces[2].names[0]: Invalid value: "No_Good"`,
		}},
		{"modes for namespaces", profileHead + `
spec: {defaults: {seccomp: {namespaces: [{mode: on, names: [ok]}]}, resources: {namespaces: [{mode: enforced, labels: {a: b}}, {mode: off}, {names: [No_Good]}]}}}
`, []string{
			"spec.defaults.resources.namespaces[1].mode: Invalid value: false: want a string: in YAML off, on, yes and no need quotes",
			"spec.defaults.seccomp.namespaces[0].mode: Invalid value: true: want a string",
		}},
		{"modes for namespaces that fit", profileHead + `
spec: {defaults: {labels: {namespaces: [{mode: enforced, labels: {a: b}}, {mode: preview}, {names: [No_Good]}]}}}
`, []string{
			`spec.defaults.labels.namespaces[0].mode: Unsupported value: "enforced"`,
			`spec.defaults.labels.namespaces[1]: Required value: say which namespaces`,
			`spec.defaults.labels.namespaces[2].mode: Unsupported value: ""`,
			`spec.defaults.labels.namespaces[2].names[0]: Invalid value: "No_Good"`,
		}},
		{"values of labels", profileHead + `
spec: {defaults: {labels: {values: {name: "{namespace}", component: "a b", part-of: "{nothing}", instance: x}}}}
`, []string{
			`spec.defaults.labels.values.instance: Forbidden: unknown field`,
			`spec.defaults.labels.values.name: Unsupported value: "{namespace}": supported values: "{app}", ""`,
			`spec.defaults.labels.values.component: Invalid value: "a b"`,
			`spec.defaults.labels.values.part-of: Invalid value: "{nothing}"`,
		}},
		{"an empty mode", profileHead + "spec: {defaults: {irsa: {mode: ''}}}", []string{`spec.defaults.irsa.mode: Unsupported value: ""`}},
		{"nulls in lists", profileHead + "spec: {excludedNamespaces: [null], platformGroups: [null]}", []string{
			"spec.excludedNamespaces[0]: Required value", "spec.platformGroups[0]: Required value",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := DecodeProfile([]byte(tc.doc))
			if err == nil || p != nil {
				t.Fatalf("profile %v, error %v", p, err)
			}
			got := decodeErrors(err)
			for i, line := range got {
				if i >= len(tc.want) || !strings.HasPrefix(line, tc.want[i]) {
					t.Errorf("error %d is\n %s", i, line)
				}
			}
			if len(got) != len(tc.want) {
				t.Errorf("%d errors, want %d", len(got), len(tc.want))
			}
		})
	}
}

// TestDecodeProfileOverlay holds that a Profile says only what differs from the built-in one.
func TestDecodeProfileOverlay(t *testing.T) {
	decode := func(spec string) *Profile {
		t.Helper()
		p, err := DecodeProfile([]byte(profileHead + "metadata: {name: demo}\nspec: " + spec))
		if err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		return p
	}
	want := func(change func(*ProfileSpec)) *Profile {
		p := Builtin()
		p.Name = "demo"
		change(&p.Spec)
		return p
	}
	for _, tc := range []struct {
		spec   string
		change func(*ProfileSpec)
	}{
		{"{}", func(*ProfileSpec) {}},
		{"null", func(*ProfileSpec) {}},
		{"{environment: null, excludedNamespaces: null, platformGroups: null, breakGlassGroups: null, aws: null, policies: null}", func(*ProfileSpec) {}},
		{"{aws: {identity: null, partition: null}, defaults: {irsa: null, resources: {mode: null, cpu: null}, sidecar: {container: null, volumes: null}, ingress-class: {annotations: null}}}", func(*ProfileSpec) {}},
		{"{policies: {a: null}}", func(*ProfileSpec) {}},
		{"{excludedNamespaces: []}", func(s *ProfileSpec) { s.ExcludedNamespaces = []string{} }},
		{"{excludedNamespaces: [a]}", func(s *ProfileSpec) { s.ExcludedNamespaces = []string{"a"} }},
		{"{defaults: {resources: {memory: 1024Mi}}}", func(s *ProfileSpec) { s.Defaults.Resources.Memory = "1Gi" }},
		{"{defaults: {resources: {cpu: '0.5', cpuLimit: 1000m}}}", func(s *ProfileSpec) { s.Defaults.Resources.CPU, s.Defaults.Resources.CPULimit = "500m", "1" }},
		{"{defaults: {resources: {cpu: 0.1, memory: 1e3}}}", func(s *ProfileSpec) { s.Defaults.Resources.CPU, s.Defaults.Resources.Memory = "100m", "1k" }},
		{"{defaults: {resources: {cpu: 1500u}}}", func(s *ProfileSpec) { s.Defaults.Resources.CPU = "2m" }},
		{"{defaults: {read-only-root-filesystem: {tmpSizeLimit: 1048576Ki}}}", func(s *ProfileSpec) { s.Defaults.ReadOnlyRootFilesystem.TmpSizeLimit = "1Gi" }},
		{"{defaults: {irsa: {mode: preview}}}", func(s *ProfileSpec) { s.Defaults.IRSA.Mode = ModePreview }},
		{"{defaults: {ingress-class: {annotations: {a: b, c: null}}}}", func(s *ProfileSpec) { s.Defaults.IngressClass.Annotations = map[string]string{"a": "b"} }},
		{"{defaults: {run-as-non-root: {namespaces: null}}}", func(*ProfileSpec) {}},
		{"{defaults: {run-as-non-root: {namespaces: []}}}", func(s *ProfileSpec) { s.Defaults.RunAsNonRoot.Namespaces = []NamespaceMode{} }},
		// What is written replaces the built-in list; an entry gets nothing from the one that stood there.
		{"{defaults: {run-as-non-root: {namespaces: [{labels: {a: b}, mode: 'off'}]}}}", func(s *ProfileSpec) {
			s.Defaults.RunAsNonRoot.Namespaces = []NamespaceMode{{NamespaceSelector{Labels: map[string]string{"a": "b"}}, ModeOff}}
		}},
		{"{defaults: {run-as-non-root: {namespaces: [{names: [a], mode: 'off'}]}}}", func(s *ProfileSpec) {
			s.Defaults.RunAsNonRoot.Namespaces = []NamespaceMode{{NamespaceSelector{Names: []string{"a"}}, ModeOff}}
		}},
		{"{defaults: {run-as-non-root: {mode: enforce}}}", func(s *ProfileSpec) { s.Defaults.RunAsNonRoot.Mode = ModeEnforce }},
		{"{defaults: {run-as-non-root: {mode: 'off'}}}", func(s *ProfileSpec) {
			s.Defaults.RunAsNonRoot.Mode, s.Defaults.RunAsNonRoot.Namespaces = ModeOff, []NamespaceMode{}
		}},
		{"{defaults: {run-as-non-root: {mode: 'off', namespaces: [{names: [a], mode: enforce}]}}}", func(s *ProfileSpec) {
			s.Defaults.RunAsNonRoot.Mode = ModeOff
			s.Defaults.RunAsNonRoot.Namespaces = []NamespaceMode{{NamespaceSelector{Names: []string{"a"}}, ModeEnforce}}
		}},
		{"{defaults: {labels: {mode: enforce, values: {part-of: '{namespace}-{environment}'}}}}", func(s *ProfileSpec) {
			s.Defaults.Labels.Mode, s.Defaults.Labels.Values.PartOf = ModeEnforce, "{namespace}-{environment}"
		}},
		{"{policies: {a: {action: warn}, b: {}}}", func(s *ProfileSpec) { s.Policies = map[string]PolicySetting{"a": {Action: "warn"}, "b": {}} }},
	} {
		if diff := cmp.Diff(want(tc.change), decode(tc.spec)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.spec, diff)
		}
	}
	// The fragment is the author's: unknown fields, long numbers and the null in it are kept for the strict check.
	p := decode(`{defaults: {sidecar: {container: {image: x, number: 123456789012345678, nothing: null}, volumes: [{name: a}]}}}`)
	if got := string(p.Spec.Defaults.Sidecar.Container.Raw); got != `{"image":"x","nothing":null,"number":123456789012345678}` {
		t.Errorf("container is %s", got)
	}
}

// TestProfileRoundTrip holds that a Profile that is printed whole and read again is the same: a written one pins every value.
func TestProfileRoundTrip(t *testing.T) {
	for _, doc := range []string{
		profileHead,
		profileHead + `
metadata: {name: demo, labels: {a: b}}
spec:
  environment: staging
  excludedNamespaces: []
  aws: {account: "012345678901", cluster: demo, identity: none, partition: aws-cn}
  defaults:
    resources: {mode: preview, optOut: forbidden, cpu: 250m, memory: 512Mi, cpuLimit: "1"}
    sidecar: {container: {name: gesso-proxy, image: "proxy:1", args: ["{app}", "<&>"]}, volumes: [{name: gesso-a, emptyDir: {}}]}
    ingress-class: {class: shared, annotations: {a/b: "c"}}
    drop-capabilities: {namespaces: []}
    run-as-non-root: {mode: "off"}
    labels: {namespaces: [{names: [a], labels: {b: c}, mode: enforce}], values: {name: ""}}
  policies: {image-tag: {action: warn, parameters: {a: [1, 2.50]}}, other: {}}
`,
	} {
		p, err := DecodeProfile([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		asYAML, err := yaml.JSONToYAML(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, printed := range [][]byte{raw, asYAML} {
			again, err := DecodeProfile(printed)
			if err != nil {
				t.Fatalf("%s: %v", printed, err)
			}
			if diff := cmp.Diff(p, again); diff != "" {
				t.Errorf("%s (-before +after):\n%s", printed, diff)
			}
		}
	}
	// The built-in Profile is a valid one, and each call gives one of its own.
	raw, err := json.Marshal(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	p, err := DecodeProfile(raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Builtin(), p); diff != "" {
		t.Errorf("(-built-in +read):\n%s", diff)
	}
	p.Spec.ExcludedNamespaces[0] = "x"
	if Builtin().Spec.ExcludedNamespaces[0] == "x" {
		t.Error("two built-in Profiles share memory")
	}
}

// TestSettings holds that no default is forgotten: each field of Defaults is in Settings, under its own name.
func TestSettings(t *testing.T) {
	d := &Builtin().Spec.Defaults
	want, got := map[string]*DefaultSetting{}, maps.Collect(d.Settings())
	value := reflect.ValueOf(d).Elem()
	for f := range value.Type().Fields() {
		at := value.FieldByIndex(f.Index)
		if f.Type != reflect.TypeFor[DefaultSetting]() {
			at = at.FieldByName("DefaultSetting")
		}
		setting, ok := reflect.TypeAssert[*DefaultSetting](at.Addr())
		if !ok {
			t.Fatalf("%s has no setting", f.Name)
		}
		want[f.Tag.Get("json")] = setting
	}
	for id := range want {
		if got[id] != want[id] {
			t.Errorf("%s is not in Settings", id)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d settings of %d defaults", len(got), len(want))
	}
	for range d.Settings() { // a loop may end early
		break
	}
}

func TestParseQuantity(t *testing.T) {
	for _, s := range []string{"1", "0", "-1", "100m", "256Mi", "1E", "1Ei", "1e3", "1E-3", "1e+09", "0.5", "1e-12", "123456789012345678"} {
		if _, err := ParseQuantity(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	// The first takes apimachinery minutes, which is what this test would take without the guard.
	for _, s := range []string{"1e-99999999", "1E-0099999999", "1e999999999", "0." + strings.Repeat("9", 100_000), "", "1 Gi", "1e-9x"} {
		if _, err := ParseQuantity(s); err == nil {
			t.Errorf("%.20s is a quantity", s)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"environment", "defaults", "read-only-root-filesystem", "optOut", "policies"}
	for name, want := range map[string]string{
		"environmnt": "environment", "Environment": "environment", "default": "defaults", "readOnlyRootFilesystem": "read-only-root-filesystem",
		"opt-out": "optOut", "policy": "", "": "", "x": "", "polices": "policies",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%s is near %q, want %q", name, got, want)
		}
	}
}

const exceptionHead = "apiVersion: gesso.dev/v1alpha1\nkind: Exception\nmetadata: {name: legacy}\n"

func TestDecodeException(t *testing.T) {
	x, err := DecodeException([]byte(exceptionHead + `
spec:
  policies: [image-tag]
  objects: {namespaces: [team-a], labels: {matchLabels: {app: shop}}}
  owner: team-a
  reason: the vendor has no tags
  expires: 2027-01-31T00:00:00Z
`))
	if err != nil {
		t.Fatal(err)
	}
	if x.Name != "legacy" || x.Spec.Policies[0] != "image-tag" || x.Spec.Objects.Labels.MatchLabels["app"] != "shop" || x.Spec.Expires.UTC().Year() != 2027 {
		t.Errorf("%+v", x)
	}
	full := func(change string) string {
		spec := map[string]string{
			"policies": "[image-tag]", "objects": "{names: [a]}", "owner": "team-a", "reason": "why", "expires": "'2027-01-31T00:00:00Z'",
		}
		if name, value, ok := strings.Cut(change, ":"); ok {
			spec[name] = value
		}
		var lines []string
		for _, name := range []string{"policies", "objects", "owner", "reason", "expires"} {
			lines = append(lines, fmt.Sprintf("  %s: %s", name, spec[name]))
		}
		return exceptionHead + "spec:\n" + strings.Join(lines, "\n")
	}
	if _, err := DecodeException([]byte(full(""))); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, doc string
		want      []string
	}{
		{"nothing in it", "apiVersion: gesso.dev/v1alpha1\nkind: Exception\n", []string{
			"metadata.name: Required value", "spec.policies: Required value", "spec.objects: Required value",
			"spec.owner: Required value", "spec.reason: Required value", "spec.expires: Required value",
		}},
		{"a Profile", profileHead, []string{"not a Exception"}},
		{"no end", full("expires: null"), []string{"spec.expires: Required value"}},
		{"a day is no moment", full("expires: '2027-01-31'"), []string{"spec.expires: Invalid value"}},
		{"a moment that is an object", full("expires: {at: never}"), []string{"spec.expires: Invalid value"}},
		{"everything", full("objects: {}"), []string{"spec.objects: Required value"}},
		{"everything, by an empty selector", full("objects: {labels: {}}"), []string{"spec.objects: Required value"}},
		{"everything, by empty lists", full("objects: {names: [], labels: {matchLabels: {}}}"), []string{"spec.objects: Required value"}},
		{"nulls", full("objects: null"), []string{"spec.objects: Required value"}},
		{"a selector that is none", full("objects: {labels: {matchExpressions: [{key: a, operator: Near}]}}"), []string{"spec.objects.labels: Invalid value"}},
		{"an unknown field beside a wrong type", full("policies: image-tag\n  untl: x"), []string{
			`spec.policies: Invalid value: "image-tag": want a list`, "spec.untl: Forbidden: unknown field",
		}},
		{"a list with a number", full("policies: [5]"), []string{"spec.policies[0]: Invalid value: 5: want a string"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := DecodeException([]byte(tc.doc))
			got := decodeErrors(err)
			for i, line := range got {
				if i >= len(tc.want) || !strings.HasPrefix(line, tc.want[i]) {
					t.Errorf("error %d is\n %s", i, line)
				}
			}
			if len(got) != len(tc.want) {
				t.Errorf("%d errors, want %d", len(got), len(tc.want))
			}
		})
	}
}

// FuzzDecode holds that no bytes panic, and that a Profile that was read is valid and can be printed and read again.
func FuzzDecode(f *testing.F) {
	for _, doc := range []string{
		"", "{}", "[]", "null", profileHead, profileHead + "spec: null", profileHead + "spec: {defaults: null, aws: [], policies: {a: {parameters: [1]}}}",
		profileHead + "spec: {defaults: {sidecar: {container: {a: null}, volumes: [null, 5, {}]}}}", exceptionHead + "spec: {expires: 2027-01-31T00:00:00Z}",
		"a: &a [*a]", "? {a: b}\n: c", "1: 2", "---\n---\n", `{"apiVersion":"gesso.dev/v1alpha1","kind":"Profile","spec":{"defaults":{"resources":{"cpu":"1e999999999"}}}}`,
		profileHead + "metadata: {creationTimestamp: 5, managedFields: [{fieldsV1: x}], deletionGracePeriodSeconds: 1.5}",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if x, err := DecodeException(data); err == nil && (x.Name == "" || x.Spec.Expires.IsZero()) {
			t.Errorf("an exception without name or end: %+v", x)
		}
		p, err := DecodeProfile(data)
		if err != nil {
			return
		}
		if p.Spec.Environment == "" || p.Spec.Defaults.Resources.CPU == "" || p.Spec.Defaults.Seccomp.Namespaces == nil || p.Spec.ExcludedNamespaces == nil || p.Spec.Policies == nil {
			t.Errorf("a required value was erased: %+v", p.Spec)
		}
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeProfile(raw)
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})
}
