//go:build race

package js

import (
	"os/exec"
	"testing"
)

// notUnderRace skips a test that has one goroutine and much work: the race
// detector makes QuickJS 50 times slower and has nothing to find in it. TestFault
// follows bad pointers, before which the check of pointers that comes with the
// detector ends the process.
func notUnderRace(t *testing.T) { t.Skip("runs without the race detector, in TestWithoutRace") }

// TestWithoutRace runs what notUnderRace skips.
func TestWithoutRace(t *testing.T) {
	out, err := exec.Command("go", "test", "-count=1", "-run", "^(TestRecursion|TestGrowing|TestUninterruptible|TestFrames|TestFault|TestStateSurvives|TestStateSurvivesProcesses|TestDamagedPages|TestCyclesThroughThePrelude|TestPreludeShapesChange|TestDependentSignalsGo|TestIntlWithoutAnImage|TestIntlOfTheGuest)$", ".").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
