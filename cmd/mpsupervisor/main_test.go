package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mpsupervisor": main})
}

// TestScripts runs what needs neither root nor a daemon.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv(socketVariable, e.WorkDir+"/none.sock")
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each command takes a second more
			return nil
		},
	})
}
