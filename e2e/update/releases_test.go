package update

import (
	"fmt"
	"os"
	"strings"
)

// The releases of the defaults. Each is a Gesso of its own, and all run at once: which of them answers is decided for each
// namespace by the recorder, at once and without a moment in which two of them answer.
const (
	v1   = "v1"
	v2   = "v2"
	v3   = "v3"
	odd  = "odd"  // units that the API server would write in another way
	away = "away" // nobody answers
)

// release is one release of the defaults.
type release struct {
	name     string
	proxy    string // image of the sidecar
	memory   string
	cpu      string
	tmp      string // size limit of the volumes at /tmp; "" for no read-only root
	token    string // mode of no-service-account-token
	requests string // of the sidecar
}

func releases() []release {
	return []release{
		{name: v1, proxy: "proxy:1", memory: "128Mi", cpu: "100m", tmp: "64Mi", token: "off", requests: "{cpu: 10m, memory: 32Mi}"},
		{name: v2, proxy: "proxy:2", memory: "256Mi", cpu: "100m", tmp: "64Mi", token: "off", requests: "{cpu: 20m, memory: 32Mi}"},
		{name: v3, proxy: "proxy:3", memory: "512Mi", cpu: "200m", token: "enforce", requests: "{cpu: 20m, memory: 48Mi}"},
		{name: odd, proxy: "proxy:1", memory: "1024Mi", cpu: "0.1", tmp: "1e3", token: "off", requests: "{cpu: 0.05, memory: 1024Ki}"},
	}
}

// profile is the release as a Profile. All policies are off: nothing but the defaults is to act here.
func (r release) profile() string {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: gesso.dev/v1alpha1
kind: Profile
metadata: {name: %s}
spec:
  defaults:
    resources: {memory: %q, cpu: %q}
    sidecar:
      container:
        name: gesso-proxy
        image: %s
        args: ["--upstream=http://127.0.0.1:{appPort}", "--app={app}"]
        ports: [{name: proxy, containerPort: 8443}]
        readinessProbe: {httpGet: {path: /ready, port: proxy}}
        resources: {requests: %s}
        volumeMounts: [{name: gesso-proxy-config, mountPath: /config}]
      volumes: [{name: gesso-proxy-config, configMap: {name: proxy, optional: true}}]
`, r.name, r.memory, r.cpu, r.proxy, r.requests)
	if r.tmp == "" {
		b.WriteString("    read-only-root-filesystem: {mode: \"off\"}\n")
	} else {
		fmt.Fprintf(&b, "    read-only-root-filesystem: {tmpSizeLimit: %q}\n", r.tmp)
	}
	if hasRestricted {
		fmt.Fprintf(&b, "    no-service-account-token: {mode: %q}\n", r.token)
	}
	b.WriteString("  policies:\n")
	for _, id := range policyIDs() {
		fmt.Fprintf(&b, "    %s: {action: \"off\"}\n", id)
	}
	return b.String()
}

// policyIDs are the policies of the library, by their folders.
func policyIDs() []string {
	entries, err := os.ReadDir("../../policies/library")
	if err != nil {
		panic(err)
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, e.Name())
		}
	}
	return all
}

// facts are what a template shows of the defaults, by a short name each.
type facts map[string]string

// bare are the facts of a template that nothing was filled into.
func bare() facts {
	return facts{"proxy": "", "memory": "", "cpu": "", "read-only": "", "tmp": "", "seccomp": "", "token": "", "record": "no"}
}

// facts are those of the plain app filled by the release, as the API server stores them.
func (r release) facts() facts {
	all := facts{
		"proxy": r.proxy, "memory": r.memory + "/" + r.memory, "cpu": r.cpu, "read-only": "true", "tmp": r.tmp,
		"seccomp": "RuntimeDefault", "token": "", "record": "yes",
	}
	if r.name == odd {
		all["memory"], all["cpu"] = "1Gi/1Gi", "100m"
	}
	if r.tmp == "" {
		all["read-only"] = ""
	}
	if r.token == "enforce" {
		all["token"] = "false"
	}
	if !hasRestricted {
		all["seccomp"], all["token"] = "", ""
	}
	return all
}

// factsOf reads them from a template.
func factsOf(template any) facts {
	text := func(path ...string) string {
		if v := find(template, path...); v != nil {
			return fmt.Sprint(v)
		}
		return ""
	}
	web := []string{"spec", "containers", "web"}
	in := func(path ...string) string { return text(append(web[:3:3], path...)...) }
	all := facts{
		"proxy":     text("spec", "initContainers", "gesso-proxy", "image"),
		"memory":    in("resources", "requests", "memory") + "/" + in("resources", "limits", "memory"),
		"cpu":       in("resources", "requests", "cpu"),
		"read-only": in("securityContext", "readOnlyRootFilesystem"),
		"seccomp":   text("spec", "securityContext", "seccompProfile", "type"),
		"token":     text("spec", "automountServiceAccountToken"),
		"record":    "no",
	}
	if all["memory"] == "/" {
		all["memory"] = ""
	}
	if volume := in("volumeMounts", "/tmp", "name"); volume != "" {
		all["tmp"] = text("spec", "volumes", volume, "emptyDir", "sizeLimit")
	} else {
		all["tmp"] = ""
	}
	if text("metadata", "annotations", recordAnnotation) != "" {
		all["record"] = "yes"
	}
	return all
}

// releaseNamed returns a release by its name.
func releaseNamed(name string) release {
	for _, r := range releases() {
		if r.name == name {
			return r
		}
	}
	panic("no release " + name)
}

// hasRestricted says that Gesso has the defaults seccomp and no-service-account-token.
const hasRestricted = true
