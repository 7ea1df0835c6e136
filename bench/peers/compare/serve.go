package compare

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"time"
)

// Flags declares the options, with what they are if nobody says otherwise.
func (o *Options) Flags(f *flag.FlagSet) {
	f.IntVar(&o.Rounds, "rounds", 5, "turns of each engine in each case")
	f.DurationVar(&o.Turn, "turn", 500*time.Millisecond, "CPU time of one turn")
	f.IntVar(&o.GOGC, "gogc", 100, "target of the garbage collector; 800 is like a process with more to keep")
}

// Args are the arguments that give the options to another process.
func (o *Options) Args() []string {
	return []string{fmt.Sprintf("-rounds=%d", o.Rounds), fmt.Sprintf("-turn=%s", o.Turn), fmt.Sprintf("-gogc=%d", o.GOGC)}
}

// Serve measures the peers for another process, which gives the options as arguments and reads a [Process] as JSON.
func Serve(ctx context.Context, args []string, out io.Writer, peers []Peer) error {
	var o Options
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	o.Flags(f)
	if err := f.Parse(args); err != nil {
		return err
	}
	p, err := Measure(ctx, o, peers)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(p)
}
