package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/admission"
)

func newWebhooksCommand() *cobra.Command {
	var flags engineFlags
	var output, caBundle string
	var helm bool
	target := admission.Target{}
	cmd := &cobra.Command{
		Use:   "webhooks",
		Short: "Print the webhook configurations for a Profile and a policy set",
		Long: `Print the MutatingWebhookConfiguration and the ValidatingWebhookConfiguration that the Profile and the policies need: apply
the output, and the API server asks Gesso for exactly that.

With --helm-values, print instead what the chart must be told of the policies in --policies, because it knows the built-in library
only: webhooks.extraRules, further rules of each entry, and rbac.extraReads, the kinds that these policies read.`,
		Example: `  gesso webhooks --profile profile.yaml --ca-bundle ca.pem | kubectl apply -f -
  gesso webhooks --profile profile.yaml --policies policies/ --helm-values > values.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "yaml" && output != "json" {
				return fmt.Errorf("unknown output %q: want yaml or json", output)
			}
			if target.URL != "" {
				if u, err := url.Parse(target.URL); err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" {
					return fmt.Errorf("--url %q: want https://host:port without a path", target.URL)
				}
			}
			if helm {
				return printHelmValues(cmd, &flags, target, output)
			}
			if caBundle != "" {
				pem, err := os.ReadFile(caBundle)
				if err != nil {
					return fmt.Errorf("read CA bundle: %w", fileError(caBundle, err))
				}
				target.CABundle = pem
			}
			e, err := flags.engine(cmd.Context(), target.Namespace)
			if err != nil {
				return err
			}
			return printRegistration(cmd, e.Registration(target), output)
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&target.Namespace, "namespace", "gesso-system", "namespace of Gesso's Service; left alone by the configurations")
	cmd.Flags().StringVar(&target.Service, "service", "gesso", "name of Gesso's Service")
	cmd.Flags().Int32Var(&target.Port, "port", 443, "port of Gesso's Service")
	cmd.Flags().StringVar(&target.URL, "url", "", "`URL` of a Gesso outside the cluster (https://host:port) instead of the Service")
	cmd.Flags().StringVar(&caBundle, "ca-bundle", "", "PEM `FILE` by which the API server verifies Gesso; without it something else must inject it")
	cmd.Flags().BoolVar(&helm, "helm-values", false, "print values for the chart: what the policies of --policies need beyond the built-in library")
	cmd.MarkFlagsMutuallyExclusive("helm-values", "url")
	cmd.MarkFlagsMutuallyExclusive("helm-values", "ca-bundle")
	cmd.Flags().StringVarP(&output, "output", "o", "yaml", "yaml or json")
	completeFiles(cmd, "ca-bundle", "pem", "crt")
	completeWith(cmd, "output", "yaml", "json")
	return cmd
}

func printRegistration(cmd *cobra.Command, reg admission.Registration, output string) error {
	out := cmd.OutOrStdout()
	if output == "json" {
		list := map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{reg.Mutating, reg.Validating}}
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(list)
	}
	for i, config := range []any{reg.Mutating, reg.Validating} {
		raw, err := yaml.Marshal(config)
		if err != nil {
			return fmt.Errorf("encode webhook configuration: %w", err)
		}
		if i > 0 {
			raw = append([]byte("---\n"), raw...)
		}
		if _, err := out.Write(raw); err != nil {
			return err
		}
	}
	return nil
}
