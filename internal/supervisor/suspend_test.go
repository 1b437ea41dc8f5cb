package supervisor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// Not every program can be hibernated, and one that refuses goes on.
func TestHibernateRefused(t *testing.T) {
	m := &mock{build: "b", heap: "x", suspend: func(*os.File) (wire.Suspended, error) { return wire.Suspended{Refused: "no time"}, nil }}
	r := keeperRig(t, privateDir(t), m)
	id := r.mustStart()
	if _, err := r.hibernate(id); err == nil || !strings.Contains(err.Error(), "no time") {
		t.Errorf("the worker refuses: %v", err)
	}
	if _, err := r.call(id, "f", ""); err != nil || r.told(id) != "running" {
		t.Errorf("afterwards: %v, %q", err, r.told(id))
	}
	ctx := context.Background()
	r.client.Freeze(ctx, &controlpb.FreezeRequest{Id: id})
	if _, err := r.hibernate(id); !errors.Is(err, mp.ErrFrozen) {
		t.Errorf("frozen: %v", err)
	}
	without := newRig(t)
	if _, err := without.hibernate(without.mustStart()); err == nil || !strings.Contains(err.Error(), "keeps no images") {
		t.Errorf("without a store: %v", err)
	}
}

// A worker that breaks a rule while it is suspended ends, and leaves nothing on
// the disk.
func TestHostileSuspend(t *testing.T) {
	var held []*os.File
	for name, suspend := range map[string]func(pipe *os.File) (wire.Suspended, error){
		"writes nothing": func(*os.File) (wire.Suspended, error) { return wire.Suspended{}, nil },
		"keeps the pipe": func(pipe *os.File) (wire.Suspended, error) {
			fd, err := unix.Dup(int(pipe.Fd()))
			held = append(held, os.NewFile(uintptr(fd), "held"))
			io.WriteString(pipe, "x")
			return wire.Suspended{}, err
		},
		"writes without end": func(pipe *os.File) (wire.Suspended, error) {
			b := make([]byte, 1<<20)
			for {
				if _, err := pipe.Write(b); err != nil {
					return wire.Suspended{}, nil
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := privateDir(t)
			r := keeperRig(t, dir, &mock{build: "b", heap: "x", suspend: suspend})
			id := r.mustStart()
			if _, err := r.hibernate(id); !errors.Is(err, mp.ErrEnded) {
				t.Errorf("hibernated with %v", err)
			}
			if exit := r.exit(id); exit.Cause != mp.CauseProtocol {
				t.Errorf("ended by %v", exit)
			}
			for _, sub := range []string{"instances", "packages"} {
				if left, _ := os.ReadDir(filepath.Join(dir, sub)); len(left) > 0 {
					t.Errorf("left %v", left)
				}
			}
		})
	}
	closeAll(held...)
}

// When the image cannot be written after all, the program goes on from memory.
func TestImageThatCannotBeKept(t *testing.T) {
	dir := privateDir(t)
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=6m,mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	m := &mock{build: "b"}
	m.suspend = func(pipe *os.File) (wire.Suspended, error) { // more than the launcher saw in memory
		_, err := pipe.Write(bytes.Repeat([]byte("x"), 8<<20))
		return wire.Suspended{}, err
	}
	r := keeperRig(t, dir, m)
	id := r.mustStart()
	if _, err := r.hibernate(id); err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "goes on") {
		t.Errorf("hibernated with %v", err)
	}
	if _, err := r.call(id, "f", ""); err != nil || r.told(id) != "running" || r.workers() != 1 {
		t.Errorf("afterwards: %v, %q, %d workers", err, r.told(id), r.workers())
	}
	if got := m.list(&m.boots); len(got) != 2 || len(got[1]) != 1<<20 { // as much as the mock reads
		t.Errorf("booted %d times", len(got))
	}
	r.halt()
	r = keeperRig(t, dir, m)
	if r.told(id) != "" {
		t.Errorf("after a restart it is %q", r.told(id))
	}
}

// A program that is killed while it is hibernated is gone, whichever comes first.
func TestKillWhileHibernating(t *testing.T) {
	began, go_ := make(chan struct{}), make(chan struct{})
	m := &mock{build: "b", suspend: func(pipe *os.File) (wire.Suspended, error) {
		close(began)
		<-go_
		io.WriteString(pipe, "x")
		return wire.Suspended{}, nil
	}}
	dir := privateDir(t)
	r := keeperRig(t, dir, m)
	id := r.mustStart()
	failed := make(chan error, 1)
	go func() { _, err := r.hibernate(id); failed <- err }()
	<-began
	if _, err := r.call(id, "f", ""); err == nil || !strings.Contains(err.Error(), "being hibernated") {
		t.Errorf("called meanwhile: %v", err)
	}
	if _, err := r.client.Kill(context.Background(), &controlpb.KillRequest{Id: id}); err != nil {
		t.Error(err)
	}
	close(go_)
	if err := <-failed; !errors.Is(err, mp.ErrEnded) {
		t.Errorf("hibernated with %v", err)
	}
	if exit := r.exit(id); exit.Cause != mp.CauseKilled {
		t.Errorf("ended by %v", exit)
	}
	r.halt()
	if r = keeperRig(t, dir, m); r.told(id) != "" {
		t.Errorf("after a restart it is %q", r.told(id))
	}
}
