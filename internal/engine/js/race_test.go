//go:build race

package js

import (
	"flag"
	"os"
	"os/exec"
	"testing"
)

// concurrent are the tests in which other goroutines than the engine's take part.
// The race detector makes QuickJS 50 times slower, and has nothing to find in
// the others: they all run in TestWithoutRace.
const concurrent = "^(TestWithoutRace|TestCall|TestManyCallsAtOnce|TestCancelGivesUpOneCall|TestDeadlineOfCallEndsProgram|TestExit|TestHeapIs.*|" +
	"TestRequest.*|TestLifecycle|TestLaunched|TestWaitUntil|TestEventEnds|TestSuspend.*|TestTimersOrder)$"

// TestMain leaves a choice of tests as it is.
func TestMain(m *testing.M) {
	flag.Parse()
	if run := flag.Lookup("test.run"); run.Value.String() == "" {
		if err := run.Value.Set(concurrent); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// TestWithoutRace runs the whole package.
func TestWithoutRace(t *testing.T) {
	out, err := exec.Command("go", "test", "-count=1", ".").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// notUnderRace skips a test that is chosen by name and can take minutes. TestFault
// follows bad pointers, before which the check of pointers that comes with the
// detector ends the process.
func notUnderRace(t *testing.T) { t.Skip("runs without the race detector, in TestWithoutRace") }
