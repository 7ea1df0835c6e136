package webhook

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/admission"
)

func TestWarningsFit(t *testing.T) {
	for name, tc := range map[string]struct {
		count, size int
		wantLast    string
		wantCount   int
	}{
		"few":               {count: 3, size: 100, wantCount: 3},
		"exactly full":      {count: 4, size: 1024, wantCount: 4},
		"one too many":      {count: 5, size: 1024, wantCount: 4, wantLast: "… and 2 more"},
		"many":              {count: 1000, size: 300, wantCount: 14, wantLast: "… and 987 more"},
		"one is too long":   {count: 1, size: 5000, wantCount: 1},
		"all are too long":  {count: 3, size: 5000, wantCount: 2, wantLast: "… and 2 more"},
		"multi-byte, whole": {count: 40, size: -300, wantCount: 14, wantLast: "… and 27 more"},
		"multi-byte, cut":   {count: 1, size: -5000, wantCount: 1},
	} {
		t.Run(name, func(t *testing.T) {
			letter, size := "x", tc.size
			if size < 0 {
				letter, size = "é", -size/2
			}
			var result admission.Result
			for i := range tc.count {
				number := fmt.Sprint(i)
				result.Warnings = append(result.Warnings, number+strings.Repeat(letter, size-len(number)))
			}
			got := warnings(&result, true)
			if len(got) != tc.wantCount {
				t.Fatalf("%d warnings, want %d", len(got), tc.wantCount)
			}
			total := 0
			for i, line := range got {
				total += len(line)
				if !utf8.ValidString(line) {
					t.Errorf("warning %d is cut inside a character", i)
				}
			}
			if total > noteBudget {
				t.Errorf("warnings have %d bytes, want at most %d", total, noteBudget)
			}
			if last := got[len(got)-1]; tc.wantLast != "" && last != tc.wantLast {
				t.Errorf("last warning is %q, want %q", last, tc.wantLast)
			}
			if tc.count > 1 && tc.size < 5000 && got[0] != result.Warnings[0] {
				t.Error("a line that fits was changed")
			}
		})
	}
}

func TestWarningsPassTheAPIServer(t *testing.T) {
	got := warnings(&admission.Result{Warnings: []string{"a\nb\tc", "", "\x00", "bad \xff utf-8", "a b c"}}, true)
	if diff := cmp.Diff([]string{"a b c", "bad \uFFFD utf-8"}, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestAuditAnnotationsHoldNoValues(t *testing.T) {
	a := answer{result: &admission.Result{
		Violations: []admission.Violation{{Policy: "p", Action: "deny", Field: "spec.x", Message: secret, Fix: secret}},
		Undecided:  []admission.Undecided{{Policy: "q", Reason: secret}},
		Warnings:   []string{secret},
		Reviewed:   []byte(`"` + secret + `"`),
	}, request: &admission.Request{}, allowed: true}
	got := typed(t, &a).AuditAnnotations
	if diff := cmp.Diff(map[string]string{"violations": "p=deny spec.x", "undecided": "q"}, got); diff != "" {
		t.Errorf("audit annotations (-want +got):\n%s", diff)
	}
	for key := range got {
		if strings.Contains(key, "/") {
			t.Errorf("key %q has a slash: the API server refuses it", key)
		}
	}
}
