package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/admission"
)

func newProfileCommand() *cobra.Command {
	var flags engineFlags
	var output string
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Print the Profile in force, whole: the built-in one, or FILE with what it leaves out filled in",
		Long: `Print the Profile in force, whole. Kept in Git, the output pins every value: an upgrade of Gesso then changes none of them.

The Profile is checked first, its policies' parameters too; everything that is wrong is listed at once with its path.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "yaml" && output != "json" {
				return fmt.Errorf("unknown output %q: want yaml or json", output)
			}
			e, err := flags.engine(cmd.Context(), "")
			if err != nil {
				return err
			}
			return printProfile(cmd, e.Engine, output)
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "yaml", "yaml or json")
	completeWith(cmd, "output", "yaml", "json")
	return cmd
}

// printProfile prints the engine's Profile with the action of every policy, so that the output leaves nothing to a default.
func printProfile(cmd *cobra.Command, e *admission.Engine, output string) error {
	raw, err := json.Marshal(e.Profile())
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	if output == "yaml" {
		if raw, err = yaml.JSONToYAML(raw); err != nil {
			return fmt.Errorf("encode profile: %w", err)
		}
	} else {
		raw = append(raw, '\n')
	}
	_, err = cmd.OutOrStdout().Write(raw)
	return err
}
