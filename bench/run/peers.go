package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peersNumbers are how many times what Gesso needs others need: by engine, then by case.
type peersNumbers map[string]map[string]float64

// peers has other engines measured beside Gesso, in processes of their own, by the module that builds them.
func peers(ctx context.Context, b *bed) (any, string, error) {
	rounds, turn := "9", "500ms"
	if b.quick {
		rounds, turn = "1", "50ms"
	}
	kept := filepath.Join(b.dir, "peers.json")
	b.say("building Gatekeeper and Kyverno from their sources, many minutes the first time; then measuring")
	command := exec.CommandContext(ctx, "go", "run", ".", "-rounds", rounds, "-turn", turn, "-markdown", "-json", kept)
	command.Dir, command.Stderr = filepath.Join(b.root, "bench", "peers"), os.Stderr
	text, err := command.Output()
	if err != nil {
		return nil, "", fmt.Errorf("bench/peers: %w", err)
	}
	raw, err := os.ReadFile(kept)
	if err != nil {
		return nil, "", err
	}
	var report struct {
		Processes []struct {
			Cases []struct {
				Name string
				Rows []struct {
					Peer         string
					Microseconds float64
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		return nil, "", fmt.Errorf("%s: %w", kept, err)
	}
	numbers := peersNumbers{}
	for _, p := range report.Processes {
		for _, c := range p.Cases {
			for _, row := range c.Rows[1:] { // the first is Gesso
				if numbers[row.Peer] == nil {
					numbers[row.Peer] = map[string]float64{}
				}
				numbers[row.Peer][c.Name] = row.Microseconds / c.Rows[0].Microseconds
			}
		}
	}
	return numbers, strings.TrimSpace(string(text)), nil
}

// figuresOf is what is promised beside others: that they need at least so many times what Gesso needs.
func (n peersNumbers) figures() []figure {
	const ten, hundred = "10 policies, 9 match", "100 policies, 9 match" // as package compare calls them
	var all []figure
	for _, f := range []struct {
		what, peer  string
		of          string
		must, reach float64
	}{
		{"CPU of Gatekeeper, 10 policies", "Gatekeeper", ten, 25, 40},
		{"CPU of Gatekeeper, 100 installed, 10 match", "Gatekeeper", hundred, 70, 100},
		{"CPU of Kyverno, ClusterPolicy", "Kyverno, ClusterPolicy", ten, 12, 25},
		{"CPU of Kyverno, ValidatingPolicy", "Kyverno, ValidatingPolicy", ten, 8, 15},
		{"CPU of ValidatingAdmissionPolicy's engine alone", "ValidatingAdmissionPolicy, validator", ten, 0.8, 1.2},
	} {
		all = append(all, figure{what: f.what, least: true, must: f.must, reach: f.reach, measured: n[f.peer][f.of], unit: " ×"})
	}
	return all
}
