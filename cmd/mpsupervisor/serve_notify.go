package main

import (
	"fmt"
	"strings"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// notifier tells systemd about the daemon (sd_notify(3)), if systemd asked.
type notifier struct{}

// send passes assignments on. Nobody to tell is no failure, and neither is a
// manager that does not listen: the daemon serves all the same.
func (notifier) send(assignments ...string) {
	for i, s := range assignments {
		assignments[i] = strings.ReplaceAll(s, "\n", " ")
	}
	systemd.SdNotify(false, strings.Join(assignments, "\n"))
}

// reloading tells when it began, as units of Type=notify-reload must.
func (n notifier) reloading() {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return // cannot happen: the clock exists
	}
	n.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
}
