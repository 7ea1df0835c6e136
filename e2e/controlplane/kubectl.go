package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kubectl runs kubectl as the administrator and returns what it wrote. A kubectl that
// exits with another status than 0 is an error that wraps an *exec.ExitError; the reason
// is in stderr. It reads no stdin, and nothing of the caller's own configuration: HOME
// and caches are in Dir. Relative paths in args are relative to the working directory.
// To be somebody else, pass "--kubeconfig" with a path from KubeconfigFor.
func (c *ControlPlane) Kubectl(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	return c.KubectlInput(ctx, nil, args...)
}

// KubectlInput is Kubectl with input as its stdin, for "apply -f -". A nil input is an
// empty one.
func (c *ControlPlane) KubectlInput(ctx context.Context, input io.Reader, args ...string) (stdout, stderr string, err error) {
	cmd := c.KubectlCommand(ctx, args...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.String(), errOut.String(), fmt.Errorf("run kubectl %s: %w", strings.Join(args, " "), err)
	}
	return out.String(), errOut.String(), nil
}

// KubectlCommand is the command that Kubectl runs, for a caller who has more to say of its
// environment, such as KUBE_EDITOR.
func (c *ControlPlane) KubectlCommand(ctx context.Context, args ...string) *exec.Cmd {
	home := filepath.Join(c.dir, "home")
	cmd := exec.CommandContext(ctx, c.assets.Kubectl, args...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), // "kubectl diff" runs diff
		"HOME=" + home,
		"TMPDIR=" + c.dir,
		"KUBECONFIG=" + c.kubeconfig,
		"KUBECACHEDIR=" + filepath.Join(home, "cache"),
	}
	return cmd
}
