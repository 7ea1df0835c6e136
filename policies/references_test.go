package policies

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestReferences holds the three policies about images against testdata/references.txt, whose head says how to read it.
func TestReferences(t *testing.T) {
	text, err := os.ReadFile("testdata/references.txt")
	if err != nil {
		t.Fatal(err)
	}
	judges := []string{"image-tag", "image-commit-tag", "image-registry"}
	settings := map[string]Setting{}
	for _, id := range libraryIDs(t) {
		settings[id] = Setting{Action: Off}
	}
	for i, parameters := range []string{
		"", `{"semverRepositories":["docker.io/library"]}`,
		`{"registries":["registry.example","localhost:5000","[::1]:5000","docker.io/library","111122223333.dkr.ecr.eu-west-1.amazonaws.com/team-a"]}`,
	} {
		settings[judges[i]] = Setting{Action: Deny, Parameters: json.RawMessage(parameters)}
	}
	set := load(t, settings, Library())
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		want, image := line[:3], writtenReference(t, line[4:])
		if seen[image] {
			t.Errorf("%q stands twice", image)
		}
		seen[image] = true
		decision := set.Evaluate(t.Context(), podReview(t, image))
		if len(decision.Undecided) > 0 {
			t.Errorf("%q: %v", image, decision.Undecided)
		}
		got := []byte("...")
		for _, violation := range decision.Violations {
			for i, id := range judges {
				switch {
				case violation.Policy != id:
				case violation.Action == Deny:
					got[i] = 'x'
				case got[i] == '.':
					got[i] = 'w'
				}
			}
			if violation.Field != "spec.containers[0].image" {
				t.Errorf("%q: the field is %s", image, violation.Field)
			}
		}
		if string(got) != want {
			t.Errorf("%s: got %s; %+v", line, got, parseReference(image))
		}
	}
	if len(seen) < 200 {
		t.Errorf("%d references; 200 are the least", len(seen))
	}
	t.Logf("%d references", len(seen))
}

// writtenReference reads what stands between the verdicts and the reason.
func writtenReference(t *testing.T, text string) string {
	t.Helper()
	text, _, _ = strings.Cut(text, "\t")
	if strings.HasPrefix(text, `"`) {
		unquoted, err := strconv.Unquote(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		text = unquoted
	}
	placeholder := regexp.MustCompile(`<([xU]?)([0-9]+)>`)
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		parts := placeholder.FindStringSubmatch(found)
		length, err := strconv.Atoi(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		switch parts[1] {
		case "x":
			return strings.Repeat("x", length)
		case "U":
			return strings.Repeat("0123456789ABCDEF", 1+length/16)[:length]
		}
		return strings.Repeat("0123456789abcdef", 1+length/16)[:length]
	})
}

func podReview(t *testing.T, image string) Review {
	t.Helper()
	request, err := json.Marshal(map[string]any{
		"operation": "CREATE", "kind": map[string]any{"group": "", "version": "v1", "kind": "Pod"},
		"object": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "web", "image": image}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return Review{Kind: "Pod", Version: "v1", Operation: "CREATE", Request: request, Namespaced: true, Namespace: &Namespace{Name: "team-a"}}
}
