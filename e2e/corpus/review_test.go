package corpus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// result is what these tests read of a result of gesso review.
type result struct {
	Allowed  bool
	Defaults []struct {
		ID    string
		Paths []string
	}
	Warnings []string
	Patch    []json.RawMessage
	Reviewed json.RawMessage
}

// review runs gesso review over objects, JSON, and holds that the exit code says what the results say.
func review(t *testing.T, objects []json.RawMessage, args ...string) ([]result, error) {
	t.Helper()
	list, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(t.Context(), shared.binary, append([]string{"review", "-f", "-", "-o", "json"}, args...)...)
	cmd.Stdin = bytes.NewReader(list)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		return nil, err
	}
	var answer struct{ Results []result }
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, fmt.Errorf("exit code %d, %w\n%s", code, err, &stderr)
	}
	want := 0
	for _, r := range answer.Results {
		if !r.Allowed {
			want = 1
		}
	}
	switch {
	case code != want:
		return nil, fmt.Errorf("exit code %d, want %d\n%s", code, want, &stderr)
	case len(answer.Results) != len(objects):
		return nil, fmt.Errorf("%d results for %d objects", len(answer.Results), len(objects))
	case strings.Contains(stderr.String(), "panic"):
		return nil, errors.New(stderr.String())
	}
	return answer.Results, nil
}
