package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Main is the TestMain of a suite that starts what all of its tests share: run starts it, runs them, takes it down, and returns
// their exit code.
func Main(name string, run func() (code int, err error)) {
	code, err := run()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		code = 1
	}
	os.Exit(code)
}

// Eventually tries until try succeeds, 30 s at most.
func Eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("wait for %s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// At returns what stands at a JSON pointer of a decoded object, and whether anything does.
func At(o any, pointer string) (value any, there bool) {
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch v := o.(type) {
		case map[string]any:
			if o, there = v[token]; !there {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			o = v[i]
		default:
			return nil, false
		}
	}
	return o, true
}
