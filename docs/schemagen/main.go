// Schemagen writes the JSON schema of the Profile from its Go types and their comments. It is run by go generate, and lives in a module
// of its own, so that nobody else takes along what it needs.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// file is where the schema lives, below the checkout. The package embeds it.
const file = "api/v1alpha1/profile.schema.json"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemagen CHECKOUT")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	text, err := schema(root)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, file), text, 0o644); err != nil {
		return fmt.Errorf("write schema: %w", err)
	}
	return nil
}
