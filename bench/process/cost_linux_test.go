package process

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The clock of a process by its id is the one that the process has of itself.
func TestCPUOf(t *testing.T) {
	for began := time.Now(); time.Since(began) < 20*time.Millisecond; {
	}
	var before, after unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &before); err != nil {
		t.Fatal(err)
	}
	got, err := cpuOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &after); err != nil {
		t.Fatal(err)
	}
	if got < time.Duration(before.Nano()) || got > time.Duration(after.Nano()) || got == 0 {
		t.Errorf("CPU time is %s, want one from %s to %s", got, time.Duration(before.Nano()), time.Duration(after.Nano()))
	}
}

func TestRSSOf(t *testing.T) {
	before, err := rssOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	held := make([]byte, 64<<20)
	for i := range held {
		held[i] = 1
	}
	after, err := rssOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after-before < 60<<20 {
		t.Errorf("RSS went from %d to %d with 64 MiB more", before, after)
	}
	if held[0] != 1 {
		t.Error("unreachable")
	}
}
