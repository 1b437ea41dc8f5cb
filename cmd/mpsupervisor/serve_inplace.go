package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/mpsupervisor/mpsupervisor/internal/control"
)

// setName gives the process the name that it would have if it had not been
// started as /proc/self/exe. Nothing depends on it.
func setName() { os.WriteFile("/proc/self/comm", []byte("mpsupervisor"), 0) }

// inheritedListener takes over the socket that run listens on.
func inheritedListener() (*control.Listener, error) {
	f := os.NewFile(listenerFD, "control socket")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("cannot take over the control socket: %w", err)
	}
	ul, ok := l.(*net.UnixListener)
	if !ok {
		l.Close()
		return nil, errors.New("cannot take over the control socket: it is not a Unix socket")
	}
	return &control.Listener{UnixListener: ul}, nil
}

// errStarterGone is the cause of a context that ended with the starter.
var errStarterGone = errors.New("whoever started this supervisor in place has ended")

// whileStarterLives ends the context when the lifetime pipe closes.
func whileStarterLives(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	pipe := os.NewFile(lifetimeFD, "lifetime pipe")
	go func() {
		io.Copy(io.Discard, pipe) // nobody writes: it returns at the end
		cancel(errStarterGone)
	}()
	return ctx
}
