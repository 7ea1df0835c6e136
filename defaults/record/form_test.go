package record

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// TestCanonicalQuantities holds that what is taken for a quantity in canonical form is what reading and writing it gives.
func TestCanonicalQuantities(t *testing.T) {
	t.Parallel()
	values := []int{0, 1, 7, 10, 99, 100, 500, 512, 999, 1000, 1001, 1023, 1024, 1500, 2000, 2048, 1 << 20, 1000000, 1048577, 999999999, 1000000000}
	suffixes := []string{"", "m", "u", "n", "k", "K", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "E3", ".5", " "}
	canonical := 0
	for _, v := range values {
		for _, suffix := range suffixes {
			for _, prefix := range []string{"", "0", "-", "+"} {
				text := fmt.Sprint(prefix, v, suffix)
				if !isCanonicalQuantity([]byte(text)) {
					continue
				}
				canonical++
				q, err := v1alpha1.ParseQuantity(text)
				if err != nil {
					continue // it stays as it is
				}
				q.RoundUp(resource.Milli)
				if q.String() != text {
					t.Errorf("%s is taken for canonical, it is %s", text, q.String())
				}
			}
		}
	}
	if canonical < 50 || !isCanonicalQuantity([]byte("256Mi")) || !isCanonicalQuantity([]byte("100m")) {
		t.Errorf("%d are canonical: nothing is saved", canonical)
	}
}

// TestScan holds that the quick way to read a record reads what the other way reads, or leaves it to that.
func TestScan(t *testing.T) {
	t.Parallel()
	const whole = `{"base":"0123abcd","containers":{"a":{"resources.limits.cpu":"1"},"web":{"volumeMounts[/tmp].name":"2","x":"3"}},` +
		`"initContainers":{"gesso-proxy":{"env[A].value":"4","name":"5"}},"object":{"spec.ingressClassName":"6"},"origin":"7",` +
		`"pod":{"enableServiceLinks":"8","volumes[gesso-x].name":"9"},"template":{"labels[app.kubernetes.io/name]":"a"}}`
	if scan(whole) == nil {
		t.Error("the quick way does not read what String writes")
	}
	texts := []string{
		whole, `{}`, `{"base":""}`, `{"pod":{}}`, `{"base":"a","base":"b"}`, `{"pod":{"enableServiceLinks":"a","enableServiceLinks":"b"}}`,
		`{"Base":"a"}`, `{"base":null}`, `{"base":"a"} `, `{"base":"\u0061"}`, `{"base":"é"}`, `{"later":"x"}`, `{"base":"a",}`, `{"base":"a"`,
		`{"pod":{"enableServiceLinks":1}}`, `{"containers":{"":{"resources.limits.cpu":"1"}}}`, `{"containers":{"web":{"resources.limits.cpu":"1",}}}`,
	}
	for cut := range whole { // and all that is cut out of it
		texts = append(texts, whole[:cut], whole[cut:], whole[:cut]+whole[min(cut+3, len(whole)):])
	}
	for _, text := range texts {
		quick := scan(text)
		if quick == nil {
			continue
		}
		var d document
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Errorf("the quick way reads %s: %v", text, err)
			continue
		}
		slow := New()
		slow.Base, slow.Origin = d.Base, d.Origin
		slow.readAll(d.Template, "metadata")
		slow.readAll(d.Pod, "spec")
		for _, name := range slices.Sorted(maps.Keys(d.Containers)) {
			slow.readAll(d.Containers[name], "spec", "containers", name)
		}
		for _, name := range slices.Sorted(maps.Keys(d.InitContainers)) {
			slow.readAll(d.InitContainers[name], "spec", "initContainers", name)
		}
		slow.readAll(d.Object, objectSection)
		if !quick.Equal(slow) {
			t.Errorf("%s: read in the quick way it is %s, else %s", text, quick, slow)
		}
	}
}

// TestStringIsJSON holds that a record is written as encoding/json writes it.
func TestStringIsJSON(t *testing.T) {
	t.Parallel()
	r := New()
	r.Base, r.Origin = "b", "o"
	for _, path := range [][]string{
		{"spec", "containers", "web", "volumeMounts", "/tmp", "name"},
		{"spec", "containers", `q"\`, "resources", "limits", "cpu"},
		{"spec", "containers", "a", "resources", "limits", "cpu"},
		{"spec", "volumes", "gesso-x", "name"},
		{"spec", "enableServiceLinks"},
		{"metadata", "labels", "app.kubernetes.io/name"},
		{"object", "metadata", "annotations", "é]"},
		{"spec", "enableServiceLinks"},
	} {
		r.enter(path, fmt.Sprint(len(r.entries)))
	}
	text := r.String()
	var d map[string]any
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil { // which sorts all members
		t.Fatal(err)
	}
	if want := strings.TrimSpace(b.String()); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if pod, ok := d["pod"].(map[string]any); !ok || pod["enableServiceLinks"] != "7" {
		t.Errorf("of two entries with one path the later counts: %s", text)
	}
	again, err := Parse(text)
	if err != nil || again.String() == "{}" {
		t.Errorf("read back: %v, %v", again, err)
	}
}

// TestEssenceStays holds that a template is only read.
func TestEssenceStays(t *testing.T) {
	t.Parallel()
	n := object.MustParse([]byte(`{"spec":{"serviceAccount":"x","serviceAccountName":"y","serviceAccountA":1,"restartPolicy":"Always","containers":[{"env":[]}]}}`))
	before := n.Canonical()
	const want = `{"spec":{"containers":[{}],"serviceAccountA":1,"serviceAccountName":"x"}}`
	if got := string(essence(n)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if string(n.Canonical()) != string(before) {
		t.Errorf("the template became %s", n.Canonical())
	}
}
