package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cpuOf reads the clock that the kernel keeps of a process. It counts nanoseconds, where /proc/<pid>/stat counts hundredths of a second,
// and threads that have ended are in it.
func cpuOf(pid int) (time.Duration, error) {
	const ofProcess = 2          // CPUCLOCK_SCHED, of all threads
	clock := ^pid<<3 | ofProcess // what clock_getcpuclockid(3) makes of a process id
	var t unix.Timespec
	if err := unix.ClockGettime(int32(clock), &t); err != nil { //nolint:gosec // a process id has 22 bits
		return 0, fmt.Errorf("read CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

func rssOf(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(raw)
	if len(fields) < 2 {
		return 0, fmt.Errorf("read statm of process %d: %q", pid, raw)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, err
	}
	return pages * int64(os.Getpagesize()), nil
}
