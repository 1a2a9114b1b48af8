//go:build race

package e2e_test

// raceDetector claims that the tests run with the race detector, so that the server should, too.
const raceDetector = true
