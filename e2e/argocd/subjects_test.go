package argocd_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/e2e/argocd"
)

// subject is one object in Git, applied in one way.
type subject struct {
	what  string // for messages
	how   argocd.How
	git   map[string]any
	fills []string // JSON pointers that Gesso must have filled
	whole bool     // all defaults together
}

func (s *subject) String() string {
	return fmt.Sprintf("%s by %s", s.what, s.how)
}

func (s *subject) kind() string { return s.git["kind"].(string) }

func (s *subject) name() string { return s.git["metadata"].(map[string]any)["name"].(string) }

func (s *subject) namespace() string { return s.git["metadata"].(map[string]any)["namespace"].(string) }

// hows are the ways in which a subject is synced. A Job cannot be replaced, because a selector that the API server made up is
// missing in Git. What a PUT leaves out does not depend on one default's case, so only the whole ones are replaced.
func hows(kind string, whole bool) []argocd.How {
	if kind == "Job" || !whole {
		return []argocd.How{argocd.ClientSide, argocd.ServerSide}
	}
	return []argocd.How{argocd.ClientSide, argocd.ServerSide, argocd.Replace}
}

// templateAt says where a workload has its pod template.
func templateAt(kind string) []string {
	if kind == "CronJob" {
		return []string{"spec", "jobTemplate", "spec", "template"}
	}
	return []string{"spec", "template"}
}

// workload returns a minimal manifest of a kind that makes no Pods, with what w lays over it.
func workload(t *testing.T, kind string, w written) map[string]any {
	t.Helper()
	spec := map[string]string{
		"Deployment":  `{apiVersion: apps/v1, spec: {replicas: 0, selector: {matchLabels: {app: web}}}}`,
		"StatefulSet": `{apiVersion: apps/v1, spec: {replicas: 0, serviceName: web, selector: {matchLabels: {app: web}}}}`,
		"DaemonSet":   `{apiVersion: apps/v1, spec: {selector: {matchLabels: {app: web}}}}`,
		"CronJob":     `{apiVersion: batch/v1, spec: {suspend: true, schedule: "0 4 * * *"}}`,
		"Job":         `{apiVersion: batch/v1, spec: {suspend: true}}`,
	}[kind]
	git := parse(t, spec)
	git["kind"] = kind
	git = lay(git, parse(t, w.object)).(map[string]any)
	const image = "registry.example/web:1.0.0"
	container := lay(parse(t, `{name: web, image: "`+image+`", ports: [{name: http, containerPort: 8080}]}`), parse(t, w.container))
	template := parse(t, `{metadata: {labels: {app: web}}, spec: {}}`)
	if kind == "CronJob" || kind == "Job" {
		template["spec"] = map[string]any{"restartPolicy": "Never"}
	}
	template["metadata"] = lay(template["metadata"], parse(t, w.template))
	pod := lay(template["spec"], parse(t, w.pod)).(map[string]any)
	containers := []any{container}
	for second := range strings.SplitSeq(w.second, "\n") {
		if second != "" {
			containers = append(containers, lay(map[string]any{"image": image}, parse(t, second)))
		}
	}
	pod["containers"], template["spec"] = containers, pod
	set(git, template, templateAt(kind)...)
	return git
}

// together lays several cases of one form over each other.
func together(t *testing.T, cases []written) written {
	t.Helper()
	text := func(part func(written) string) string {
		var all any = map[string]any{}
		for _, w := range cases {
			all = lay(all, parse(t, part(w)))
		}
		raw, err := yaml.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	sum := written{
		object:    text(func(w written) string { return w.object }),
		template:  text(func(w written) string { return w.template }),
		pod:       text(func(w written) string { return w.pod }),
		container: text(func(w written) string { return w.container }),
	}
	for _, w := range cases {
		if w.second != "" {
			sum.second += w.second + "\n"
		}
		for _, pointer := range w.fills {
			if !strings.HasPrefix(pointer, "/spec/containers/1") { // the others' come in between
				sum.fills = append(sum.fills, pointer)
			}
		}
	}
	return sum
}

// subjects are all: every case on a Deployment, those of one form together on the other kinds, and the kinds without a template;
// each in every way of syncing that it has.
func subjects(t *testing.T) []*subject {
	t.Helper()
	var all []*subject
	add := func(what string, git map[string]any, fills []string, whole bool) {
		for _, how := range hows(git["kind"].(string), whole) {
			s := &subject{what: git["kind"].(string) + ", " + what, how: how, git: clone(git), fills: fills, whole: whole}
			place(s.git, string(how), fmt.Sprintf("app-%d", len(all)))
			track(s.git)
			all = append(all, s)
		}
	}
	cases := workloadCases()
	for _, f := range forms() {
		var ofForm []written
		for _, id := range slices.Sorted(maps.Keys(cases)) {
			for i, w := range cases[id][f] {
				if w.none != "" {
					continue
				}
				if i == 0 {
					ofForm = append(ofForm, w)
				}
				add(fmt.Sprintf("%s %s %d", id, f, i), workload(t, "Deployment", w), below("Deployment", w.fills), false)
			}
		}
		sum := together(t, ofForm)
		for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"} {
			add("all defaults "+string(f), workload(t, kind, sum), below(kind, sum.fills), true)
		}
	}
	others := otherCases()
	for _, id := range slices.Sorted(maps.Keys(others)) {
		for _, m := range others[id] {
			if m.none != "" {
				continue
			}
			add(fmt.Sprintf("%s %s", id, m.form), parse(t, m.yaml), m.fills, true)
		}
	}
	return all
}

// place names an object in Git.
func place(git map[string]any, namespace, name string) {
	set(git, namespace, "metadata", "namespace")
	set(git, name, "metadata", "name")
}

// track adds what Argo CD adds to every manifest, to know again what it has made.
func track(git map[string]any) {
	metadata := git["metadata"].(map[string]any)
	set(git, fmt.Sprintf("shop:%v/%v:%v/%v", git["apiVersion"], git["kind"], metadata["namespace"], metadata["name"]),
		"metadata", "annotations", "argocd.argoproj.io/tracking-id")
}

// below turns pointers below the pod template into pointers below the object.
func below(kind string, pointers []string) []string {
	var all []string
	for _, pointer := range pointers {
		if object, ok := strings.CutPrefix(pointer, "/object"); ok {
			all = append(all, object)
		} else {
			all = append(all, "/"+strings.Join(templateAt(kind), "/")+pointer)
		}
	}
	return all
}

// TestEveryDefaultHasCases holds that nobody adds a default without saying what Argo CD makes of it.
func TestEveryDefaultHasCases(t *testing.T) {
	workloads, others := workloadCases(), otherCases()
	known := map[string]bool{}
	for _, d := range defaults.List() {
		known[d.ID] = true
		if len(workloads[d.ID])+len(others[d.ID]) == 0 {
			t.Errorf("default %s: no cases", d.ID)
		}
		for _, f := range forms() {
			if cases := workloads[d.ID]; cases != nil && len(cases[f]) == 0 {
				t.Errorf("default %s: no case where Git is %s, and no reason why there is none", d.ID, f)
			}
			if cases := others[d.ID]; cases != nil && !slices.ContainsFunc(cases, func(m manifest) bool { return m.form == f }) {
				t.Errorf("default %s, other kinds: no case where Git is %s", d.ID, f)
			}
		}
	}
	for id := range workloads {
		if !known[id] {
			t.Errorf("cases of %s: there is no such default", id)
		}
	}
	for id := range others {
		if !known[id] {
			t.Errorf("cases of %s: there is no such default", id)
		}
	}
}

// parse reads YAML; of nothing it makes an empty map.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	o := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return o
}

// lay lays one value over another: maps key by key, lists one after the other, each element once.
func lay(under, over any) any {
	switch o := over.(type) {
	case map[string]any:
		u, ok := under.(map[string]any)
		if !ok {
			return over
		}
		for key, value := range o {
			if old, ok := u[key]; ok {
				value = lay(old, value)
			}
			u[key] = value
		}
		return u
	case []any:
		u, _ := under.([]any)
		for _, element := range o {
			if !slices.ContainsFunc(u, func(e any) bool { return reflect.DeepEqual(e, element) }) {
				u = append(u, element)
			}
		}
		return u
	}
	return over
}

func clone(o map[string]any) map[string]any {
	var c map[string]any
	if err := recode(o, &c); err != nil {
		panic(err) // it came from JSON
	}
	return c
}

// set puts a value at a path of maps.
func set(o map[string]any, value any, path ...string) {
	for _, key := range path[:len(path)-1] {
		next, ok := o[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			o[key] = next
		}
		o = next
	}
	o[path[len(path)-1]] = value
}
