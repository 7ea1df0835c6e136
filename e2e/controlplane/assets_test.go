package controlplane

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadyMadeAssets(t *testing.T) {
	for name, tc := range map[string]struct {
		files      []string
		unusable   string   // is there, but not executable
		wantErrors []string // empty: all four are found
	}{
		"all four are there": {
			files: []string{"etcd", "kube-apiserver", "kube-controller-manager", "kubectl"},
		},
		"no API server": {
			files:      []string{"etcd", "kube-controller-manager", "kubectl"},
			wantErrors: []string{"KUBEBUILDER_ASSETS=", "no usable kube-apiserver", "no such file"},
		},
		"no etcd": {
			files:      []string{"kube-apiserver", "kube-controller-manager", "kubectl"},
			wantErrors: []string{"KUBEBUILDER_ASSETS=", "no usable etcd", "no such file"},
		},
		"a kubectl that is not executable": {
			files:      []string{"etcd", "kube-apiserver", "kube-controller-manager"},
			unusable:   "kubectl",
			wantErrors: []string{"no usable kubectl", "is not executable"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for _, file := range tc.files {
				writeScript(t, folder, file, "#!/bin/sh\n")
			}
			if tc.unusable != "" {
				if err := os.WriteFile(filepath.Join(folder, tc.unusable), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv(assetsVariable, folder)
			t.Setenv("PATH", "") // whatever is decided here, it is decided without go
			got, err := FindAssets(t.Context(), nil)
			if len(tc.wantErrors) > 0 {
				for _, part := range append(tc.wantErrors, folder) {
					if err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("error %v lacks %q", err, part)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := Assets{
				Etcd:              filepath.Join(folder, "etcd"),
				APIServer:         filepath.Join(folder, "kube-apiserver"),
				ControllerManager: filepath.Join(folder, "kube-controller-manager"),
				Kubectl:           filepath.Join(folder, "kubectl"),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("assets (-want, +got):\n%s", diff)
			}
		})
	}
}

// fakeGo puts a go command on PATH that takes a moment to write what it should build, and
// returns the file in which it notes the name of each build.
func fakeGo(t *testing.T, build string) (builds string) {
	t.Helper()
	folder := t.TempDir()
	builds = filepath.Join(folder, "builds")
	writeScript(t, folder, "go", `#!/bin/sh
test "$3" = env && { echo go1.0 fake; exit; }
while test "$1" != -o; do shift; done
echo "$3" >>'`+builds+`'
`+build)
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv(assetsVariable, "")
	t.Setenv(cacheVariable, t.TempDir())
	return builds
}

const fakeBuild = `echo '#!/bin/sh' >"$2"; sleep 0.1; chmod +x "$2"`

func TestAssetsAreBuiltOnce(t *testing.T) {
	builds := fakeGo(t, fakeBuild)
	var progress [4]bytes.Buffer
	var assets [len(progress)]Assets
	var g sync.WaitGroup
	for i := range progress {
		g.Go(func() {
			var err error
			if assets[i], err = FindAssets(t.Context(), &progress[i]); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	content, err := os.ReadFile(builds)
	if err != nil {
		t.Fatal(err)
	}
	want := "go.etcd.io/etcd/server/v3\nk8s.io/kubernetes/cmd/kube-apiserver\n" +
		"k8s.io/kubernetes/cmd/kube-controller-manager\nk8s.io/kubernetes/cmd/kubectl\n"
	if diff := cmp.Diff(want, string(content)); diff != "" {
		t.Errorf("builds (-want, +got):\n%s", diff)
	}
	var told []string
	for i := range progress {
		if assets[i] != assets[0] {
			t.Errorf("different assets: %v and %v", assets[i], assets[0])
		}
		if text := progress[i].String(); strings.Contains(text, "building") {
			told = append(told, text)
		} else if !strings.HasPrefix(text, "waiting for another process") {
			t.Errorf("who does not build says %q", text)
		}
	}
	if len(told) != 1 || strings.Count(told[0], "\nbuilt ")+strings.Count(told[0], "building ") != 8 ||
		!strings.Contains(told[0], "building kube-apiserver v1.") {
		t.Errorf("want one that tells of four builds from beginning to end: %q", told)
	}
	if dir, cache := filepath.Dir(assets[0].Etcd), os.Getenv(cacheVariable); filepath.Dir(dir) != filepath.Join(cache, "controlplane") {
		t.Errorf("etcd is in %s, want it below %s", dir, cache)
	}
}

func TestAssetsCompleteAFolder(t *testing.T) {
	builds := fakeGo(t, fakeBuild)
	folder := t.TempDir()
	writeScript(t, folder, "etcd", "#!/bin/sh\n")
	writeScript(t, folder, "kube-apiserver", "#!/bin/sh\n")
	t.Setenv(assetsVariable, folder)
	assets, err := FindAssets(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(builds)
	if err != nil {
		t.Fatal(err)
	}
	if want := "k8s.io/kubernetes/cmd/kube-controller-manager\nk8s.io/kubernetes/cmd/kubectl\n"; string(content) != want {
		t.Errorf("built %q, want %q", content, want)
	}
	if filepath.Dir(assets.Etcd) != folder || filepath.Dir(assets.APIServer) != folder {
		t.Errorf("the folder was passed over: %+v", assets)
	}
	for _, path := range []string{assets.ControllerManager, assets.Kubectl} {
		if err := executable(path); err != nil {
			t.Errorf("built: %v", err)
		}
	}
}

func TestBuildFails(t *testing.T) {
	fakeGo(t, `echo half >"$2"; echo 'undefined: everything' >&2; exit 3`)
	_, err := FindAssets(t.Context(), nil)
	for _, part := range []string{"build etcd v3.", "exit status 3", "undefined: everything"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v lacks %q", err, part)
		}
	}
	found, err := filepath.Glob(filepath.Join(os.Getenv(cacheVariable), "controlplane", "*", "etcd"))
	if err != nil || len(found) != 0 {
		t.Errorf("a failed build left %v, %v", found, err)
	}
}

func TestBuildIsCancelled(t *testing.T) {
	builds := fakeGo(t, "sleep 600")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !exists(builds) {
			time.Sleep(pollInterval)
		}
		cancel()
	}()
	began := time.Now()
	_, err := FindAssets(ctx, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if took := time.Since(began); took > stopGrace {
		t.Errorf("it took %s", took)
	}
	eventually(t, 5*time.Second, func() error {
		if found := processesOf(t, filepath.Dir(builds)); len(found) > 0 {
			return errors.New("still running: " + strings.Join(found, ", "))
		}
		return nil
	})
}

func TestModuleFolder(t *testing.T) {
	root := t.TempDir()
	want := filepath.Join(root, "e2e", "controlplane", "binaries")
	for path, content := range map[string]string{
		"go.mod":                           "// the root\nmodule " + rootModule + "\n",
		"tools/deep/go.mod":                "module " + rootModule + "/tools\n",
		"e2e/controlplane/binaries/go.mod": "module " + rootModule + "/e2e/controlplane/binaries\n",
	} {
		path := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range []string{".", "e2e", "e2e/controlplane/binaries", "tools/deep"} {
		got, err := moduleFolder(filepath.Join(root, from))
		if err != nil || got != want {
			t.Errorf("from %s: %q, %v; want %q", from, got, err, want)
		}
	}
	if got, err := moduleFolder(filepath.Dir(root)); err == nil {
		t.Errorf("from outside: %q, want an error", got)
	}
}

func TestBuildFlags(t *testing.T) {
	got, err := buildFlags("v1.37.2")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"k8s.io/component-base/version.gitVersion=v1.37.2",
		"k8s.io/component-base/version.gitMajor=1",
		"k8s.io/component-base/version.gitMinor=37",
		"k8s.io/client-go/pkg/version.gitVersion=v1.37.2",
	} {
		if !slices.Contains(strings.Fields(got[len(got)-1]), want) {
			t.Errorf("%q lacks %s", got, want)
		}
	}
	if got, err := buildFlags("v1"); err == nil {
		t.Errorf("v1: %q, want an error", got)
	}
}

func TestRequiredVersion(t *testing.T) {
	const goMod = "module m\n\ntool k8s.io/kubernetes/cmd/kubectl\n\nrequire k8s.io/kubernetes v1.2.3 // why\n\n" +
		"require (\n\tgo.etcd.io/etcd/server/v3 v3.4.5 // indirect\n)\n\nreplace k8s.io/api => k8s.io/api v0.1.0\n"
	for module, want := range map[string]string{kubernetesModule: "v1.2.3", etcdModule: "v3.4.5", "k8s.io/api": ""} {
		got, err := requiredVersion([]byte(goMod), module)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", module, got, err, want)
		}
	}
}

func TestCacheKey(t *testing.T) {
	base := cacheKey([]byte("a"), []byte("b"))
	for name, other := range map[string]string{
		"another part":     cacheKey([]byte("a"), []byte("c")),
		"another boundary": cacheKey([]byte("ab"), nil),
	} {
		if other == base {
			t.Errorf("%s gives the same key", name)
		}
	}
	if again := cacheKey([]byte("a"), []byte("b")); again != base {
		t.Errorf("the same parts give %s and %s", base, again)
	}
}
