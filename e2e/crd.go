package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gesso-dev/gesso/e2e/controlplane"
)

// externalSecretsModule is where the CRDs of External Secrets come from. Nothing requires it in a go.mod: only its YAML is used.
const externalSecretsModule = "github.com/external-secrets/external-secrets@v1.3.2"

// ApplyExternalSecretCRDs installs the CRDs of ExternalSecret and SecretStore, and returns when they are served.
func ApplyExternalSecretCRDs(ctx context.Context, cp *controlplane.ControlPlane) error {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", externalSecretsModule).Output()
	if err != nil {
		return fmt.Errorf("download %s: %w\n%s", externalSecretsModule, err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return fmt.Errorf("download %s: %w", externalSecretsModule, err)
	}
	for _, plural := range []string{"externalsecrets", "secretstores"} {
		file := filepath.Join(module.Dir, "config", "crds", "bases", "external-secrets.io_"+plural+".yaml")
		// Server-side: the annotation of a client-side apply has no room for a CRD of this size.
		if _, stderr, err := cp.Kubectl(ctx, "apply", "--server-side", "-f", file); err != nil {
			return fmt.Errorf("apply CRD: %w\n%s", err, stderr)
		}
		if err := waitServed(ctx, cp, plural); err != nil {
			return err
		}
	}
	return nil
}

// waitServed waits until objects of the kind can be listed: the condition Established comes a moment before the API server's
// handler does.
func waitServed(ctx context.Context, cp *controlplane.ControlPlane, plural string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, stderr, err := cp.Kubectl(ctx, "get", plural+".external-secrets.io", "--namespace=default")
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for %s to be served: %w\n%s", plural, err, stderr)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
