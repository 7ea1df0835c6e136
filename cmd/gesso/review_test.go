package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/admission"
)

const (
	examples       = "../../examples"
	exampleProfile = "../../examples/profile.yaml"
)

// TestExamples holds what the README promises of the examples: what is filled, and both refusals.
func TestExamples(t *testing.T) {
	got := gesso(t, "", "review", "-f", examples+"/shop", "-f", examples+"/refused", "--namespaces", examples+"/platform", "--profile", exampleProfile, "-o", "json")
	if got.code != exitDenied {
		t.Fatalf("exit %d: %s", got.code, got.stderr)
	}
	denied := map[string][]string{}
	filled := 0
	for _, r := range results(t, got.stdout) {
		for _, v := range r.Denials() {
			denied[r.Object.Name] = append(denied[r.Object.Name], v.Policy+" "+v.Field)
		}
		if len(r.Patch) > 0 {
			filled++
		}
	}
	want := map[string][]string{
		"shop-latest": {"image-commit-tag spec.template.spec.containers[0].image", "image-tag spec.template.spec.containers[0].image"},
		"borrowed":    {"external-secret-scope spec.dataFrom[0].find.path", "external-secret-scope spec.data[0].remoteRef.key"},
	}
	if diff := cmp.Diff(want, denied); diff != "" {
		t.Errorf("denied (-want +got):\n%s", diff)
	}
	if filled != 5 {
		t.Errorf("%d objects are filled, want 5", filled)
	}
	for _, s := range []string{
		`"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/k8s/demo/team-a/shop"`, `"ingressClassName": "shared"`, `"readOnlyRootFilesystem": true`,
	} {
		if !strings.Contains(got.stdout, s) {
			t.Errorf("the results hold no %s", s)
		}
	}
}

// results decodes the JSON of gesso review.
func results(t *testing.T, stdout string) []admission.Result {
	t.Helper()
	var out struct{ Results []admission.Result }
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%v in:\n%s", err, stdout)
	}
	return out.Results
}

// TestFilledIsComplete: what -o yaml prints, reviewed again, is filled no further, and is what was submitted plus the patch.
func TestFilledIsComplete(t *testing.T) {
	for name, flags := range map[string][]string{"built-in": nil, "example": {"--profile", exampleProfile}} {
		t.Run(name, func(t *testing.T) {
			review := func(stdin string, args ...string) outcome {
				return gesso(t, stdin, append(append([]string{"review"}, args...), flags...)...)
			}
			first := review("", "-f", examples, "-o", "yaml")
			again := review(first.stdout, "-f", "-", "-o", "yaml")
			if diff := cmp.Diff(first.stdout, again.stdout); diff != "" {
				t.Errorf("the second time (-first +second):\n%s", diff)
			}
			for _, r := range results(t, review(first.stdout, "-f", "-", "-o", "json").stdout) {
				if len(r.Patch)+len(r.Defaults) > 0 {
					t.Errorf("%s %s is filled again: %v", r.Object.Kind, r.Object.Name, r.Patch)
				}
			}
			documents := strings.Split(first.stdout, "---\n")
			for i, r := range results(t, review("", "-f", examples, "-o", "json").stdout) {
				file, _, _ := strings.Cut(r.Source, "#")
				submitted, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if submitted, err = yaml.YAMLToJSON(submitted); err != nil {
					t.Fatal(err)
				}
				raw, err := json.Marshal(r.Patch)
				if err != nil {
					t.Fatal(err)
				}
				patch, err := jsonpatch.DecodePatch(raw)
				if err != nil {
					t.Fatal(err)
				}
				want, err := patch.Apply(submitted)
				if err != nil {
					t.Fatal(err)
				}
				printed, err := yaml.YAMLToJSON([]byte(documents[i]))
				if err != nil {
					t.Fatal(err)
				}
				if !jsonpatch.Equal(want, r.Reviewed) || !jsonpatch.Equal(want, printed) {
					t.Errorf("%s: the patch on what was submitted gives\n%s\nreviewed is\n%s\nand printed was\n%s", r.Source, want, r.Reviewed, printed)
				}
			}
		})
	}
}

// TestTableFits: on a terminal every line fits, unless a single word does not.
func TestTableFits(t *testing.T) {
	got := gesso(t, "", "review", "-f", examples, "-f", "../../policies/library", "--profile", exampleProfile, "-o", "json")
	all := results(t, got.stdout)
	if len(all) < 25 {
		t.Fatalf("%d results: was a folder moved?", len(all))
	}
	for _, width := range []int{80, 120} {
		var out bytes.Buffer
		if err := printTable(&out, nil, all, width); err != nil {
			t.Fatal(err)
		}
		wrapped := false
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			if strings.HasPrefix(line, strings.Repeat(" ", 12)) {
				wrapped = true
			}
			words := strings.Fields(line)
			if utf8.RuneCountInString(line) > width && len(words) > 1 && strings.HasPrefix(line, " ") {
				t.Errorf("%d columns in a table of %d: %s", utf8.RuneCountInString(line), width, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("space at the end of %q", line)
			}
		}
		if !wrapped {
			t.Errorf("nothing is wrapped at %d columns", width)
		}
	}
}

func TestTogether(t *testing.T) {
	for name, tc := range map[string]struct {
		podSpec      string
		fields, want []string
	}{
		"nothing":              {"", nil, []string{}},
		"one":                  {"spec.", []string{"spec.containers[0].image"}, []string{"containers[0].image"}},
		"several containers":   {"spec.", []string{"spec.containers[0].image", "spec.containers[2].image"}, []string{"containers[0,2].image"}},
		"fields of one parent": {"spec.", []string{"spec.containers[0].resources.limits.cpu", "spec.containers[0].resources.requests.cpu"}, []string{"containers[0].resources.{limits.cpu,requests.cpu}"}},
		"both":                 {"", []string{"c[0].r.a", "c[0].r.b", "c[1].r.a", "c[1].r.b"}, []string{"c[0,1].r.{a,b}"}},
		"unlike":               {"", []string{"c[0].r.a", "c[1].r.b"}, []string{"c[0].r.a", "c[1].r.b"}},
		"twice the same":       {"", []string{"c[0].a", "c[0].a", "x"}, []string{"c[0].a", "x"}},
		"an annotation":        {"spec.", []string{"metadata.annotations[a.b/c]"}, []string{"metadata.annotations[a.b/c]"}},
		"elements":             {"", []string{"volumes[0]", "volumes[1]"}, []string{"volumes[0,1]"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, together(tc.podSpec, tc.fields)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestHelp: exit codes and examples are where people look for them.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"review", "--help"}} {
		got := gesso(t, "", args...)
		if got.code != exitOK || got.stderr != "" {
			t.Errorf("%v: exit %d, %s", args, got.code, got.stderr)
		}
		for _, s := range []string{"Exit codes:", "0 all allowed", "1 something is denied", "2 could not read"} {
			if !strings.Contains(got.stdout, s) {
				t.Errorf("%v does not say %q:\n%s", args, s, got.stdout)
			}
		}
	}
	review := gesso(t, "", "review", "--help").stdout
	for _, flag := range []string{
		"-f, --filename", "--profile", "--policies", "--exceptions", "--old", "--namespaces", "-n, --namespace", "--as ", "--as-group", "--now", "-o, --output",
	} {
		if !strings.Contains(review, flag) {
			t.Errorf("gesso review --help does not list %s", flag)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		got := gesso(t, "", "completion", shell)
		if got.code != exitOK || !strings.Contains(got.stdout, "gesso") || got.stderr != "" {
			t.Errorf("%s: exit %d, %d bytes, %s", shell, got.code, len(got.stdout), got.stderr)
		}
	}
	for words, want := range map[string]string{
		"review -o ":                   "table\nyaml\njson\n:4\n",
		"review --output t":            "table\nyaml\njson\n:4\n", // the shell filters
		"review -n ":                   ":4\n",
		"review ":                      ":4\n",
		"review -f ":                   "yaml\nyml\njson\n:8\n",
		"review --profile ":            "yaml\nyml\njson\n:8\n",
		"review --policies ":           ":16\n",
		"profile -o ":                  "yaml\njson\ntext\n:4\n",
		"webhooks -o ":                 "yaml\njson\n:4\n",
		"review -f a.yaml --as-group ": ":4\n",
	} {
		args := strings.Split(words, " ")
		got := gesso(t, "", append([]string{"__complete"}, args...)...)
		if got.stdout != want {
			t.Errorf("%q completes to\n%swant\n%s", words, got.stdout, want)
		}
	}
}

// TestProfileIsWhole: what gesso profile prints pins every value: read back, it is the same.
func TestProfileIsWhole(t *testing.T) {
	for _, flags := range [][]string{nil, {"--profile", exampleProfile}} {
		first := gesso(t, "", append([]string{"profile"}, flags...)...)
		if first.code != exitOK {
			t.Fatal(first.stderr)
		}
		file := filepath.Join(t.TempDir(), "profile.yaml")
		write(t, file, []byte(first.stdout))
		second := gesso(t, "", "profile", "--profile", file)
		if diff := cmp.Diff(first.stdout, second.stdout); diff != "" || second.code != exitOK {
			t.Errorf("%s(-first +second):\n%s", second.stderr, diff)
		}
		asJSON := gesso(t, "", "profile", "--profile", file, "-o", "json")
		if !json.Valid([]byte(asJSON.stdout)) {
			t.Errorf("no JSON: %s", asJSON.stdout)
		}
		// Printed or built in, it decides in the same way.
		review := func(flags ...string) string {
			return gesso(t, "", append([]string{"review", "-f", examples, "-o", "json"}, flags...)...).stdout
		}
		if diff := cmp.Diff(review(flags...), review("--profile", file)); diff != "" {
			t.Errorf("the printed Profile decides in another way:\n%s", diff)
		}
	}
}

func TestWebhooksVerb(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "ca.pem", []byte("PEM"))
	if got := gesso(t, "", "webhooks", "--url", "https://127.0.0.1:9443", "--ca-bundle", "ca.pem", "-o", "json"); got.code != exitOK ||
		!strings.Contains(got.stdout, `"url": "https://127.0.0.1:9443/validate/closed"`) || !strings.Contains(got.stdout, `"caBundle": "UEVN"`) {
		t.Errorf("got %+v", got)
	}
	documents := strings.Split(gesso(t, "", "webhooks").stdout, "---\n")
	if len(documents) != 2 || !strings.Contains(documents[0], "kind: MutatingWebhookConfiguration") || !strings.Contains(documents[1], "kind: ValidatingWebhookConfiguration") {
		t.Errorf("%d documents", len(documents))
	}
	for args, want := range map[string]string{
		"--url http://a":          `gesso: --url "http://a": want https://host:port without a path` + "\n",
		"--url https://a/b":       `gesso: --url "https://a/b": want https://host:port without a path` + "\n",
		"--ca-bundle nowhere.pem": "gesso: read CA bundle: nowhere.pem: no such file or directory\n",
		"-o table":                "gesso: unknown output \"table\": want yaml or json\n",
	} {
		if got := gesso(t, "", append([]string{"webhooks"}, strings.Fields(args)...)...); got.stderr != want || got.code != exitError || got.stdout != "" {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

func TestVersion(t *testing.T) {
	got := gesso(t, "", "version")
	if got.code != exitOK || !strings.HasPrefix(got.stdout, "gesso ") || !strings.Contains(got.stdout, "OPA ") {
		t.Errorf("got %+v", got)
	}
	var v struct{ Version, OPA, Go string }
	if err := json.Unmarshal([]byte(gesso(t, "", "version", "-o", "json").stdout), &v); err != nil || v.Version == "" || v.OPA == "" || v.Go == "" {
		t.Errorf("%v: %+v", err, v)
	}
}

// TestInterrupt: somebody who presses Ctrl-C gets no results that look like verdicts.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"review", "-f", examples}, nil, &stdout, &stderr)
	if code != exitError || stdout.Len() > 0 || stderr.String() != "gesso: interrupted\n" {
		t.Errorf("exit %d, %q, %s", code, stdout.String(), stderr.String())
	}
}
