package reap

import (
	"os/exec"
	"syscall"
	"testing"
)

func TestWait(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		kill bool
		want int
	}{
		{"already over", []string{"true"}, false, 0},
		{"by itself", []string{"sh", "-c", "sleep 0.05; exit 7"}, false, 7},
		{"killed", []string{"sleep", "60"}, true, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(test.args[0], test.args[1:]...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			if err := Wait(cmd, func() { close(ended) }); err != nil {
				t.Fatal(err)
			}
			if test.kill {
				cmd.Process.Signal(syscall.SIGKILL)
			}
			<-ended
			if got := cmd.ProcessState.ExitCode(); got != test.want {
				t.Errorf("exit code %d, want %d", got, test.want)
			}
		})
	}
}
