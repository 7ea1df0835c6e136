// Argodiff does to a cluster what Argo CD does, with Argo CD's own code: it syncs a manifest, and says whether the object in the
// cluster is Synced. It reads one JSON question a line from stdin and answers each with one line on stdout, until stdin ends.
// Its user is e2e/argocd.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// question asks for one thing.
type question struct {
	// Do is sync (for real), create (by dry-run, which leaves nothing behind), or diff.
	Do string `json:"do"`
	// How a sync or a create applies: client-side, server-side or replace.
	How string `json:"how"`
	// Git is the manifest.
	Git *unstructured.Unstructured `json:"git"`
	// Live is what a diff compares it with; without it, what the cluster holds.
	Live *unstructured.Unstructured `json:"live"`
	// Modes are the ways of comparing.
	Modes []string `json:"modes"`
}

// answer is the answer to a question.
type answer struct {
	Error    string                     `json:"error,omitempty"`
	Live     *unstructured.Unstructured `json:"live,omitempty"`
	Verdicts map[string]verdict         `json:"verdicts,omitempty"` // by mode
}

// verdict is what Argo CD would show.
type verdict struct {
	OutOfSync bool     `json:"outOfSync"`
	Paths     []string `json:"paths,omitempty"` // JSON pointers to what differs
	// Error is why there is none: the API server refused the dry run of a server-side diff.
	Error string `json:"error,omitempty"`
}

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "argodiff:", err)
		os.Exit(1)
	}
}

// run answers until in ends. It looks for the cluster at the first question, so that asking nothing needs none.
func run(ctx context.Context, in io.Reader, out io.Writer) error {
	var a *argo
	defer func() { a.close() }()
	questions := json.NewDecoder(bufio.NewReader(in))
	answers := json.NewEncoder(out)
	for {
		var q question
		if err := questions.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read question: %w", err)
		}
		if a == nil {
			var err error
			if a, err = connect(os.Getenv("KUBECONFIG")); err != nil {
				return err
			}
		}
		result, err := a.answer(ctx, q)
		if err != nil {
			result.Error = err.Error()
		}
		if err := answers.Encode(result); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
}
