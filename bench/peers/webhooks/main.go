// Webhooks measures Gatekeeper and Kyverno beside Gesso. It writes what it measured as JSON; the command above it makes the table.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/gesso-dev/gesso/bench/peers/compare"
	"github.com/gesso-dev/gesso/bench/peers/webhooks/gatekeeper"
	"github.com/gesso-dev/gesso/bench/peers/webhooks/kyverno"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := compare.Serve(ctx, os.Args[1:], os.Stdout, peers()); err != nil {
		fmt.Fprintln(os.Stderr, "webhooks:", err)
		os.Exit(1) //nolint:gocritic // the process ends, and with it what was to be stopped
	}
}

func peers() []compare.Peer {
	return []compare.Peer{gatekeeper.Peer(), kyverno.ClusterPolicy(), kyverno.ValidatingPolicy()}
}
