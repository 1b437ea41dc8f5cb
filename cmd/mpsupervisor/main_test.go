package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mpsupervisor": main, "notified": notified})
}

// notified is the service manager's end of sd_notify(3): it listens on the
// socket that its argument names and prints the first message.
func notified() {
	socket := os.Args[1]
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Chmod(socket, 0o777); err != nil { // whoever has given up root writes too
		log.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		log.Fatal(err)
	}
	message := make([]byte, 4096)
	n, err := c.Read(message)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", message[:n])
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
