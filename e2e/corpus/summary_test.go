package corpus

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// listed is how many failures of a pass are printed; the others are only counted.
const listed = 40

// summary counts a pass over a corpus.
type summary struct {
	t    *testing.T
	what string

	mu       sync.Mutex
	yes, all map[string]int // by kind
	failures int
}

func newSummary(t *testing.T, what string) *summary {
	t.Helper()
	return &summary{t: t, what: what, yes: map[string]int{}, all: map[string]int{}}
}

// count counts an object, and whether it is one of those that the pass is about.
func (s *summary) count(e entry, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[e.object.GetKind()]++
	if yes {
		s.yes[e.object.GetKind()]++
	}
}

// fail fails the test for one object.
func (s *summary) fail(e entry, format string, args ...any) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures++; s.failures <= listed {
		s.t.Errorf("%s: %s: %s", s.what, e, fmt.Sprintf(format, args...))
	} else {
		s.t.Fail()
	}
}

// print logs the counts and returns how many objects the pass was about.
func (s *summary) print() int {
	s.t.Helper()
	var kinds []string
	yes, all := 0, 0
	for _, kind := range slices.Sorted(maps.Keys(s.all)) {
		kinds = append(kinds, fmt.Sprintf("%s %d/%d", kind, s.yes[kind], s.all[kind]))
		yes, all = yes+s.yes[kind], all+s.all[kind]
	}
	s.t.Logf("%s: %d of %d, %d failures (%s)", s.what, yes, all, s.failures, strings.Join(kinds, ", "))
	return yes
}
