//go:build !race

package webhook

// raceEnabled says that the race detector is on, under which memory is counted differently.
const raceEnabled = false
