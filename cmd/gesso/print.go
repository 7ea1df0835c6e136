package main

import (
	"fmt"
	"strings"
	"sync"
)

// printed collects what policies print while objects are reviewed, in the order in which they do.
type printed struct {
	mu     sync.Mutex
	source string // of the object under review
	lines  []string
}

// reviewing says which object is looked at from now on.
func (p *printed) reviewing(source string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.source = source
}

// take is what a policy set calls for each print.
func (p *printed) take(policy, file string, line int, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for part := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") { // each line says where it comes from
		p.lines = append(p.lines, fmt.Sprintf("%s: print: %s [%s %s:%d]", p.source, part, policy, file, line))
	}
}
