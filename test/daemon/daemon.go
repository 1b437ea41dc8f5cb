// Package daemon starts a real supervisor for tests and benchmarks: the built
// programs of bin/, on a socket of their own, as an operator would.
//
// It needs root. The host's lanes and uid ranges are shared with other
// supervisors through the default run directory, as they are in real life.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

// Root is the top of the source tree.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Program is the path of a built program.
func Program(name string) string { return filepath.Join(Root(), "bin", name) }

// Daemon is a running `mpsupervisor serve` and a client for it.
type Daemon struct {
	*control.Client
	Socket string
	Info   *controlpb.InfoResponse // as it was at the start
	dir    string
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error // of Wait, once ended is closed
}

// startTimeout bounds how long a supervisor may take to answer.
const startTimeout = 20 * time.Second

// Start starts a supervisor with extra lines in its configuration, and returns
// when it answers.
func Start(config ...string) (*Daemon, error) {
	dir, err := os.MkdirTemp("", "mpsupervisor-test-")
	if err != nil {
		return nil, err
	}
	d := &Daemon{dir: dir, Socket: filepath.Join(dir, "control.sock"), ended: make(chan struct{})}
	if err := d.start(config); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := d.ready(ctx); err != nil {
		d.cmd.Process.Signal(syscall.SIGQUIT) // the log then shows what it was at
		select {
		case <-d.ended:
		case <-time.After(2 * time.Second):
			d.Kill()
		}
		defer d.Close()
		return nil, fmt.Errorf("the supervisor does not answer: %w\n%s", err, d.Log())
	}
	return d, nil
}

func (d *Daemon) start(config []string) error {
	if err := os.Chmod(d.dir, 0o755); err != nil {
		return err
	}
	file := filepath.Join(d.dir, "config.toml")
	// What tests crash on purpose they start again; a line of theirs comes first.
	text := fmt.Sprintf("socket = %q\n", d.Socket)
	extra := strings.Join(config, "\n") + "\n"
	if !strings.Contains(extra, "state_dir") {
		text += fmt.Sprintf("state_dir = %q\n", filepath.Join(d.dir, "state"))
	}
	if !strings.Contains(extra, "cache_dir") {
		text += fmt.Sprintf("cache_dir = %q\n", filepath.Join(d.dir, "cache"))
	}
	text += extra
	// Tests count processes: none is to make a ready image beside theirs.
	if !strings.Contains(text, "[keep]") {
		text += "[keep]\nready_images = 0\n"
	}
	if !strings.Contains(text, "quarantine") {
		text += "[monitor.quarantine]\ncrashes = 0\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(d.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	d.cmd = exec.Command(Program("mpsupervisor"), "serve", "--config", file)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("cannot start the supervisor (run `make build` first): %w", err)
	}
	go func() {
		d.err = d.cmd.Wait()
		close(d.ended)
	}()
	d.Client = control.Dial(d.Socket)
	return nil
}

// ready asks until the supervisor answers.
func (d *Daemon) ready(ctx context.Context) error {
	for {
		info, err := d.Client.Info(ctx, &controlpb.InfoRequest{})
		if err == nil {
			d.Info = info
			return nil
		}
		if !errors.Is(err, control.ErrNoDaemon) {
			return err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-d.ended:
			return fmt.Errorf("it ended: %v", d.err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Pid is the supervisor's process.
func (d *Daemon) Pid() int { return d.cmd.Process.Pid }

// Log is what the supervisor and the launcher have said so far.
func (d *Daemon) Log() string {
	b, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	return string(b)
}

// Ended is closed when the supervisor has ended.
func (d *Daemon) Ended() <-chan struct{} { return d.ended }

// Stop asks the supervisor to stop, waits for it, and removes its files.
func (d *Daemon) Stop() error {
	defer d.Close()
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(startTimeout):
		d.Kill()
		return fmt.Errorf("the supervisor did not stop:\n%s", d.Log())
	}
	if d.err != nil {
		return fmt.Errorf("the supervisor failed: %w", d.err)
	}
	return nil
}

// Kill ends the supervisor the hard way, as a crash would. Its log can be read
// until Close.
func (d *Daemon) Kill() {
	d.cmd.Process.Kill()
	<-d.ended
}

// Close removes the files of a supervisor that has ended.
func (d *Daemon) Close() {
	d.Client.Close()
	os.RemoveAll(d.dir)
}

// Put packs a directory and hands it to the supervisor. It gives the digest.
func (d *Daemon) Put(ctx context.Context, dir string) (string, error) {
	file, err := bundle.Pack(dir)
	if err != nil {
		return "", err
	}
	defer file.Close()
	res, err := d.PutPackage(ctx, file)
	if err != nil {
		return "", err
	}
	return res.Digest, nil
}

// Run packs a directory and starts it. It gives the instance's ID.
func (d *Daemon) Run(ctx context.Context, dir string, limits *controlpb.Limits) (string, error) {
	digest, err := d.Put(ctx, dir)
	if err != nil {
		return "", err
	}
	res, err := d.Client.Start(ctx, &controlpb.StartRequest{Digest: digest, Limits: limits})
	if err != nil {
		return "", err
	}
	return res.Id, nil
}
