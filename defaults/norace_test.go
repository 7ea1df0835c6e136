//go:build !race

package defaults

// raceDetector is whether the tests run with it: everything takes several times as long.
const raceDetector = false
