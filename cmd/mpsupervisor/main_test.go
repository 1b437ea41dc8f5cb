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
			e.Setenv("MPSUPERVISOR_SOCKET", e.WorkDir+"/none.sock")
			return nil
		},
	})
}
