package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
)

// profileFlags are the flags of gesso profile.
type profileFlags struct {
	engineFlags
	output string
	schema bool
	diff   bool
}

func newProfileCommand() *cobra.Command {
	var flags profileFlags
	cmd := &cobra.Command{
		Use:   "profile [--diff OLD NEW]",
		Short: "Print the Profile in force, whole: the built-in one, or FILE with what it leaves out filled in",
		Long: `Print the Profile in force, whole. Kept in Git, the output pins every value: an upgrade of Gesso then changes none of them.

The Profile is checked first, its policies' parameters too; everything that is wrong is listed at once with its path.

What the policies find wrong with what the Profile itself has filled, a sidecar that they refuse for example, is said on standard
error; it changes nothing else.

--diff compares two Profiles as they are in force, with what they leave out and with the settings of all policies, and says for each
default that changes what that means for what runs. OLD and NEW are files, or the word builtin. Exit codes: 0 they are alike, 1 they
differ, 2 one could not be read.

--schema prints the JSON schema of the Profile, for editors.`,
		Example: `  gesso profile --profile profile.yaml
  gesso profile --diff builtin profile.yaml
  gesso profile --schema > profile.schema.json`,
		Args: func(_ *cobra.Command, args []string) error { return flags.check(args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			if !flags.diff {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{builtin}, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case flags.schema:
				_, err := io.WriteString(cmd.OutOrStdout(), v1alpha1.ProfileSchema())
				return err
			case flags.diff:
				return flags.diffProfiles(cmd, args[0], args[1])
			}
			e, err := flags.engine(cmd.Context(), "")
			if err != nil {
				return err
			}
			for _, f := range e.JudgeOwn(cmd.Context()) {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", f.Text())
			}
			return printProfile(cmd, e.Engine, flags.output)
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVarP(&flags.output, "output", "o", "", "yaml or json, with --diff text or json; without it the first of the two")
	cmd.Flags().BoolVar(&flags.diff, "diff", false, "compare the Profiles OLD and NEW, each a file or the word builtin")
	cmd.Flags().BoolVar(&flags.schema, "schema", false, "print the JSON schema of the Profile")
	completeWith(cmd, "output", "yaml", "json", "text")
	return cmd
}

// check says what is wrong with the command line.
func (f *profileFlags) check(args []string) error {
	switch {
	case f.diff && f.schema:
		return errors.New("--diff and --schema: want one of the two")
	case f.diff && f.profile != "":
		return errors.New("--diff OLD NEW names both Profiles: leave out --profile")
	case f.diff && len(args) != 2:
		return fmt.Errorf("--diff wants two Profiles, OLD and NEW, each a file or the word %s; there are %d", builtin, len(args))
	case !f.diff && len(args) > 0:
		return fmt.Errorf("unexpected argument %q: name a Profile by --profile, or two by --diff", args[0])
	}
	wanted := []string{"yaml", "json"}
	switch {
	case f.diff:
		wanted[0] = "text"
	case f.schema:
		wanted = []string{"json"}
	}
	f.output = cmp.Or(f.output, wanted[0])
	if !slices.Contains(wanted, f.output) {
		return fmt.Errorf("unknown output %q: want %s", f.output, strings.Join(wanted, " or "))
	}
	return nil
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
