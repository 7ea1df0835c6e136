package defaults

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExplain holds that every reason is explained, and in docs/names.md in the same words.
func TestExplain(t *testing.T) {
	if diff := cmp.Diff(slices.Sorted(slices.Values(reasons(t))), slices.Sorted(maps.Keys(explanations()))); diff != "" {
		t.Errorf("explained reasons (-declared +explained):\n%s", diff)
	}
	page, err := os.ReadFile("../docs/names.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Skip reasons\n")
	section, _, _ = strings.Cut(section, "\n## ")
	documented := map[string]string{}
	for line := range strings.Lines(section) {
		if cells := strings.Split(strings.Trim(line, "| \n"), " | "); strings.HasPrefix(line, "| `") && len(cells) == 2 {
			documented[strings.Trim(cells[0], "`")] = strings.ReplaceAll(cells[1], "`", "")
		}
	}
	if diff := cmp.Diff(explanations(), documented); diff != "" {
		t.Errorf("docs/names.md, Skip reasons (-code +page):\n%s", diff)
	}
	if Explain("nothing") != "" {
		t.Error("what is no reason is explained")
	}
}
