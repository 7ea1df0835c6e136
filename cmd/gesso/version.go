package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is stamped by the build: -ldflags "-X main.version=v1.2.3".
var version = ""

// buildVersion returns the stamped version, else the module version that go install recorded, else "devel".
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// opaVersion returns the version of OPA that is linked in: it decides which Rego policies may use.
func opaVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/open-policy-agent/opa" {
			return dep.Version
		}
	}
	return "unknown"
}

func newVersionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of Gesso and of the OPA inside",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := struct {
				Version string `json:"version"`
				OPA     string `json:"opa"`
				Go      string `json:"go"`
			}{buildVersion(), opaVersion(), runtime.Version()}
			switch output {
			case "":
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "gesso %s (OPA %s, %s)\n", v.Version, v.OPA, v.Go)
				return err
			case "json":
				return json.NewEncoder(cmd.OutOrStdout()).Encode(v)
			}
			return fmt.Errorf("unknown output %q: want json", output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for a machine-readable form")
	completeWith(cmd, "output", "json")
	return cmd
}
