//go:build race

package conformance

import (
	"os/exec"
	"testing"
)

// The race detector makes the engine twenty times slower, too slow for checks of
// what is bounded; what it could find, the tests of package js have it look for.
func notUnderRace(t *testing.T) { t.Skip("runs without the race detector, in TestWithoutRace") }

// TestWithoutRace runs what notUnderRace skips.
func TestWithoutRace(t *testing.T) {
	out, err := exec.Command("go", "test", "-count=1", "-v", "-run", "^TestAPIs$", ".").CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
